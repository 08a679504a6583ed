//! Every type and mark, allowed and refused.

use super::*;
use serde_json::json;

const UUID: &str = "0193a5b0-7c3e-4f00-8000-00000000000a";

/// Checks a block with text where its type has text, under the parent its type needs; gives `pointer code` of each problem.
fn check(kind: &str, props: Value) -> Vec<String> {
    let known = find(kind);
    let has_text = known.is_none_or(|known| known.text != TextRule::None);
    problems(kind, props, has_text, known.and_then(|known| known.parent))
}

fn problems(kind: &str, props: Value, has_text: bool, parent: Option<&str>) -> Vec<String> {
    let Value::Object(props) = props else {
        panic!("props are an object: {props}")
    };
    let found = super::check(kind, &props, has_text, parent).err().unwrap_or_default();
    found
        .into_iter()
        .map(|problem| format!("{} {}", problem.pointer, problem.code))
        .collect()
}

fn allows(kind: &str, props: Value) {
    assert_eq!(check(kind, props.clone()), [""; 0], "{kind} {props}");
}

fn refuses(kind: &str, props: Value, problem: &str) {
    assert_eq!(check(kind, props.clone()), [problem], "{kind} {props}");
}

#[test]
fn every_type_of_the_list_is_known_once() {
    let asked = "paragraph heading bulleted_list_item numbered_list_item todo toggle quote callout code divider equation image video \
        audio file bookmark embed table table_row column_list column table_of_contents child_page link_to_page synced_block \
        board_embed mermaid custom";
    let known: Vec<_> = TYPES.iter().map(|kind| kind.name).collect();
    assert_eq!(known, asked.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn the_table_is_consistent() {
    for kind in TYPES {
        assert!(is_name(kind.name), "{}", kind.name);
        for name in kind.parent.iter().chain(&kind.holds) {
            assert!(find(name).is_some(), "{} names {name}", kind.name);
        }
        for name in kind.needs.iter().copied().flatten() {
            assert!(kind.props.iter().any(|prop| prop.name == *name), "{} needs {name}", kind.name);
        }
        assert!(kind.props.iter().all(|prop| is_name(prop.name)), "{}", kind.name);
    }
    let published = serde_json::to_value(TYPES).expect("the table can be published");
    assert_eq!(
        published[1]["props"][0],
        json!({"name": "level", "rule": {"type": "int", "min": 1, "max": 4}})
    );
}

#[test]
fn each_type_takes_what_it_is_for() {
    for kind in "paragraph bulleted_list_item numbered_list_item todo toggle quote callout code divider equation table table_row \
        column_list column table_of_contents synced_block mermaid custom"
        .split_whitespace()
    {
        allows(kind, json!({}));
    }
    allows("heading", json!({"level": 4, "color": "teal"}));
    allows("heading", json!({"level": 2.0}));
    allows("todo", json!({"checked": true}));
    allows("numbered_list_item", json!({"start": 7}));
    allows("callout", json!({"icon": "💡", "tone": "warning", "color": "#ff8800"}));
    allows("code", json!({"language": "c++"}));
    allows("image", json!({"url": "https://example.com/a.png", "alt": "A", "width": 640}));
    for kind in ["image", "video", "audio", "file"] {
        allows(kind, json!({"attachment_id": UUID}));
        allows(kind, json!({"url": "/files/a"}));
    }
    allows("bookmark", json!({"url": "mailto:ada@example.com"}));
    allows("embed", json!({"url": "http://example.com", "provider": "figma"}));
    allows("table_row", json!({"cells": ["a", "b"]}));
    allows("table_row", json!({"cells": {"c1": "a", "c2": "b"}}));
    allows("column", json!({"width_ratio": 0.5}));
    allows("child_page", json!({"document_id": UUID}));
    allows("link_to_page", json!({"document_id": UUID, "title": "Roadmap"}));
    allows("board_embed", json!({"board_id": UUID, "view": "calendar"}));
    allows("synced_block", json!({"source_block_id": "b1", "source_document_id": UUID}));
}

#[test]
fn a_missing_prop_is_named() {
    refuses("heading", json!({}), "/props/level required");
    refuses("heading", json!({"level": null}), "/props/level required");
    for kind in ["image", "video", "audio", "file", "bookmark", "embed"] {
        refuses(kind, json!({}), "/props/url required");
    }
    refuses("child_page", json!({}), "/props/document_id required");
    refuses("link_to_page", json!({}), "/props/document_id required");
    refuses("board_embed", json!({}), "/props/board_id required");
}

#[test]
fn a_wrong_value_is_named() {
    refuses("heading", json!({"level": 0}), "/props/level out_of_range");
    refuses("heading", json!({"level": 5}), "/props/level out_of_range");
    refuses("heading", json!({"level": 1e300}), "/props/level out_of_range");
    refuses("heading", json!({"level": 1.5}), "/props/level not_an_integer");
    refuses("heading", json!({"level": "1"}), "/props/level not_an_integer");
    refuses("todo", json!({"checked": "yes"}), "/props/checked not_a_bool");
    refuses("callout", json!({"tone": "loud"}), "/props/tone invalid_value");
    refuses("paragraph", json!({"color": "#ff88"}), "/props/color invalid_value");
    refuses("code", json!({"language": "a b"}), "/props/language invalid_value");
    refuses("image", json!({"attachment_id": "1"}), "/props/attachment_id invalid_value");
    refuses("image", json!({"url": 1}), "/props/url not_a_string");
    refuses("file", json!({"url": "/a", "name": "n".repeat(256)}), "/props/name too_long");
    allows("file", json!({"url": "/a", "name": "é".repeat(255)}));
    refuses("table_row", json!({"cells": "a"}), "/props/cells not_cells");
    refuses("table_row", json!({"cells": [1]}), "/props/cells not_a_string");
    refuses("table_row", json!({"cells": vec![""; 65]}), "/props/cells too_many");
    refuses("column", json!({"width_ratio": 0}), "/props/width_ratio out_of_range");
    refuses("column", json!({"width_ratio": "half"}), "/props/width_ratio not_a_number");
    refuses(
        "synced_block",
        json!({"source_block_id": ""}),
        "/props/source_block_id invalid_value",
    );
}

#[test]
fn every_problem_is_named_at_once() {
    let found = problems("image", json!({"width": 0, "No": 1}), true, Some("table"));
    assert_eq!(
        found,
        [
            "/parent_id misplaced",
            "/props/width out_of_range",
            "/props/No invalid_name",
            "/props/url required"
        ]
    );
}

#[test]
fn links_lead_to_the_web_a_mailbox_or_this_site() {
    let url = |url: &str| json!({"url": url});
    for link in [
        "https://a.b/c?d=e#f",
        "HTTP://a.b",
        "http://[::1]:80/",
        "mailto:a@b.c",
        "/documents/1",
        "/",
        "https://ä.example/ö",
    ] {
        allows("bookmark", url(link));
    }
    for link in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/\\evil.example",
        "https://",
        "http:a.b",
        "http:\\\\a.b",
        "https:///a",
        "mailto:",
        "a.b",
        "",
        "#a",
        "https://a b",
        "https://a.b/\u{7f}",
        "https://a.b/\u{2028}",
    ] {
        refuses("bookmark", url(link), "/props/url invalid_url");
    }
    refuses(
        "bookmark",
        url(&format!("https://a.b/{}", "a".repeat(2048))),
        "/props/url invalid_url",
    );
}

#[test]
fn unknown_props_are_kept_within_limits() {
    allows("paragraph", json!({"future_prop": {"a": [1, 2, {"b": null}]}, "other2": "x"}));
    refuses("paragraph", json!({"camelCase": 1}), "/props/camelCase invalid_name");
    refuses("paragraph", json!({"a/b~": 1}), "/props/a~1b~0 invalid_name");
    refuses(
        "paragraph",
        json!({"a".repeat(65): 1}),
        &format!("/props/{} invalid_name", "a".repeat(64)),
    );
    allows("paragraph", json!({"deep": nested(7)}));
    refuses("paragraph", json!({"deep": nested(8)}), "/props too_deep");
    refuses("paragraph", json!({"deep": nested(100_000 / 1000)}), "/props too_deep");
    allows("paragraph", json!({"big": "x".repeat(32 * 1024 - 10)}));
    refuses("paragraph", json!({"big": "x".repeat(32 * 1024 - 9)}), "/props too_large");
}

/// A scalar inside that many arrays.
fn nested(arrays: usize) -> Value {
    (0..arrays).fold(json!(1), |inner, _| json!([inner]))
}

#[test]
fn unknown_types_are_kept_like_custom_ones() {
    for kind in ["custom", "kanban_lane", "x"] {
        let mut names = vec![json!({}), json!({"level": "high", "url": "javascript:kept, never followed"})];
        names.push(json!({"any_name": [1, {"b": 2}]}));
        names.into_iter().for_each(|props| allows(kind, props));
        refuses(kind, json!({"deep": nested(8)}), "/props too_deep");
        refuses(kind, json!({"big": "x".repeat(40_000)}), "/props too_large");
    }
    allows("kanban_lane", json!({"camelCase": 1}));
    allows("custom", json!({"camelCase": 1}));
}

#[test]
fn a_type_has_a_plain_name() {
    for kind in ["", "Heading", "1a", "_a", "a-b", "a b", "é", &"a".repeat(65)] {
        refuses(kind, json!({}), "/type invalid_type");
    }
    allows(&"a".repeat(64), json!({}));
}

#[test]
fn some_types_have_no_text() {
    let bare = "divider table table_row column_list column table_of_contents synced_block board_embed";
    for kind in bare.split_whitespace() {
        let found = problems(kind, json!({"board_id": UUID}), true, find(kind).and_then(|kind| kind.parent));
        assert_eq!(found, ["/text no_text"], "{kind}");
    }
}

#[test]
fn rows_stand_in_tables_and_columns_in_column_lists() {
    let place = |kind: &str, parent| problems(kind, json!({}), false, parent);
    let misplaced = ["/parent_id misplaced"];
    for parent in [None, Some("paragraph"), Some("column_list"), Some("unheard_of")] {
        assert_eq!(place("table_row", parent), misplaced, "{parent:?}");
    }
    assert_eq!(place("column", Some("table")), misplaced);
    assert_eq!(place("paragraph", Some("table")), misplaced);
    assert_eq!(place("unheard_of", Some("column_list")), misplaced);
    for (kind, parent) in [
        ("table_row", "table"),
        ("column", "column_list"),
        ("paragraph", "column"),
        ("paragraph", "table_row"),
        ("table", "column"),
    ] {
        assert_eq!(place(kind, Some(parent)), [""; 0], "{kind} in {parent}");
    }
}

fn mark(name: &str, value: Value) -> String {
    match check_mark(name, &value) {
        Ok(()) => String::new(),
        Err(problem) => format!("{} {}", problem.pointer, problem.code),
    }
}

#[test]
fn marks_have_the_values_they_need() {
    let user = json!({"kind": "user", "id": UUID}).to_string();
    let page = json!({"kind": "page", "id": UUID}).to_string();
    let day = json!({"kind": "date", "id": "2026-10-01"}).to_string();
    let moment = json!({"kind": "date", "id": "2026-10-01T09:30:00+02:00"}).to_string();
    let fine = [
        ("bold", json!(true)),
        ("italic", json!(true)),
        ("underline", json!(false)),
        ("strike", json!(true)),
        ("code", Value::Null),
        ("highlight", json!(true)),
        ("highlight", json!("yellow")),
        ("color", json!("#00fF7a")),
        ("color", json!("red")),
        ("link", json!("https://example.com")),
        ("link", json!("/documents/1")),
        ("link", json!("mailto:a@b.c")),
        ("mention", json!(user)),
        ("mention", json!(page)),
        ("mention", json!(day)),
        ("mention", json!(moment)),
        ("x_review", json!(3)),
        ("__ext__comment", json!("a")),
        ("x_a", Value::Null),
    ];
    for (name, value) in fine {
        assert_eq!(mark(name, value.clone()), "", "{name} {value}");
    }
}

#[test]
fn marks_with_other_values_are_refused() {
    let bad = |kind: &str, id: &str| json!(json!({"kind": kind, "id": id}).to_string());
    let wrong = [
        ("bold", json!("yes")),
        ("italic", json!(1)),
        ("color", json!(true)),
        ("color", json!("url(x)")),
        ("color", json!("#12345g")),
        ("highlight", json!("neon")),
        ("link", json!("javascript:alert(1)")),
        ("link", json!(true)),
        ("mention", json!({"kind": "user"})),
        ("mention", json!("{")),
        ("mention", bad("user", "me")),
        ("mention", bad("team", UUID)),
        ("mention", bad("date", "tomorrow")),
        ("mention", bad("date", "2026-10-01 \u{1f4a3}")),
        ("mention", bad("date", "2026-10-0\u{e9}")),
        ("x_a", json!([1])),
        ("x_a", json!("v".repeat(2049))),
    ];
    for (name, value) in wrong {
        assert_eq!(mark(name, value.clone()), "/value invalid_value", "{name} {value}");
    }
    for name in ["", "x_", "__ext__", "comic_sans", "Bold", "x_a b", &format!("x_{}", "a".repeat(63))] {
        assert_eq!(mark(name, json!(true)), "/name unknown_mark", "{name}");
        assert_eq!(mark(name, Value::Null), "/name unknown_mark", "{name}");
    }
}
