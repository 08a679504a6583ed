//! Pages through Markdown and back, and texts of all sorts.

use super::*;
use crate::{
    kinds::{TYPES, check},
    markdown::{
        shown::{marks, texts, trees},
        to_markdown,
    },
    view::{Mark, walk},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

mod foreign;
mod hostile;

const ID: &str = "0193a5b0-7c3e-4f00-8000-00000000000a";

fn block(kind: &str, text: &str, props: Value) -> Block {
    let Value::Object(props) = props else {
        panic!("props are an object: {props}")
    };
    let mut block = Block::of(kind).with_text(text);
    block.props = props;
    block
}

fn under(mut parent: Block, children: impl IntoIterator<Item = Block>) -> Block {
    parent.children = children.into_iter().collect();
    parent
}

fn marked(mut block: Block, name: &str, value: Value, (start, end): (usize, usize)) -> Block {
    block.marks.push(Mark {
        name: name.into(),
        value,
        start,
        end,
    });
    block
}

fn mention(kind: &str, id: &str) -> Value {
    json!(json!({"kind": kind, "id": id}).to_string())
}

/// A page of everything that Markdown can carry.
fn everything() -> Vec<Block> {
    let text = |text: &str| block("paragraph", text, json!({}));
    let item = |kind: &str, text: &str| block(kind, text, json!({}));
    let row = |cells: Value| block("table_row", "", json!({"cells": cells}));
    let bold = marked(text("b"), "bold", json!(true), (0, 1));
    let mut page = vec![
        text("Two\nlines, *stars* and [brackets]"),
        block("heading", "Four", json!({"level": 4})),
        under(item("bulleted_list_item", "a"), [item("bulleted_list_item", "b"), text("c")]),
        block("numbered_list_item", "nine", json!({"start": 9})),
        item("numbered_list_item", "ten"),
        block("numbered_list_item", "one", json!({"start": 1})),
        block("todo", "done", json!({"checked": true})),
        block("todo", "", json!({"checked": false})),
        under(
            block("toggle", "More", json!({"open": true})),
            [under(item("toggle", ""), [text("inside")])],
        ),
        under(item("quote", ""), [text("first"), item("quote", "inner")]),
        under(
            block("callout", "Mind", json!({"tone": "warning"})),
            [item("bulleted_list_item", "x")],
        ),
        block("code", "let a = 1;\n\n\"```\"", json!({"language": "rust"})),
        item("code", ""),
        item("divider", ""),
        item("equation", "a_1 < b^2"),
        item("equation", "<b>$$"),
        item("mermaid", "graph TD\nA-->B"),
        block("image", "A cat", json!({"url": "https://a.b/c.png"})),
        block("image", "Ours & \"yours\"", json!({"attachment_id": ID, "alt": "A cat"})),
        under(
            block("table", "", json!({"column_count": 2, "has_header_row": true})),
            [row(json!(["a|b", "c\nd"])), under(item("table_row", ""), [bold, text("")])],
        ),
        under(
            block("table", "", json!({"column_count": 1, "has_header_row": false})),
            [row(json!(["x"]))],
        ),
        under(
            item("column_list", ""),
            [
                under(item("column", ""), [text("left"), item("divider", "")]),
                under(item("column", ""), [text("right")]),
            ],
        ),
        item("table_of_contents", ""),
        block("child_page", "", json!({"document_id": ID, "title": "Plan"})),
        block("link_to_page", "", json!({"document_id": ID})),
        block("synced_block", "", json!({"source_document_id": ID, "source_block_id": "b_1"})),
        under(item("synced_block", ""), [text("shared")]),
        block("board_embed", "", json!({"board_id": ID, "title": "Work"})),
        item("custom", ""),
        item("hologram", ""),
    ];
    for kind in ["video", "audio", "file", "bookmark", "embed"] {
        page.push(block(kind, "Talk [1]", json!({"url": "https://a.b/c_d_"})));
        page.push(block(kind, "", json!({"url": "https://a.b/c_d_"})));
    }
    for (name, value) in [
        ("bold", json!(true)),
        ("italic", json!(true)),
        ("underline", json!(true)),
        ("strike", json!(true)),
        ("code", json!(true)),
        ("highlight", json!(true)),
        ("highlight", json!("yellow")),
        ("color", json!("#ff0000")),
        ("link", json!("https://a.b/?c=d&e=f")),
        ("mention", mention("user", ID)),
        ("mention", mention("page", ID)),
        ("mention", mention("date", "2026-10-01T09:30:00Z")),
    ] {
        page.push(marked(text("of 😀 one two three"), name, value.clone(), (6, 13)));
        page.push(marked(item("toggle", "of 😀 one two three"), name, value, (6, 13)));
    }
    page
}

#[test]
fn what_markdown_can_carry_reads_back() {
    for (title, page) in [("Plan #1 of *ours*", everything()), ("", everything())] {
        let markdown = to_markdown(title, &page);
        let read = read(&markdown).expect("it is read");
        assert_eq!(read.title.unwrap_or_default(), title);
        for (seen, wanted) in read.blocks.iter().zip(&page) {
            assert_eq!(seen, wanted, "{}", to_markdown("", std::slice::from_ref(wanted)));
        }
        assert_eq!(read.blocks.len(), page.len(), "{markdown}");
        assert_eq!(read.notes, []);
    }
}

#[test]
fn everything_has_every_type() {
    let page = everything();
    let seen: Vec<&str> = walk(&page).map(|(_, block)| block.kind.as_str()).collect();
    for kind in TYPES {
        assert!(seen.contains(&kind.name), "{}", kind.name);
    }
}

#[test]
fn a_heading_is_no_title_where_there_is_none() {
    let page = [block("heading", "Not the title", json!({"level": 1}))];
    let read = read(&to_markdown("", &page)).expect("it is read");
    assert_eq!((read.title, read.blocks.as_slice()), (None, page.as_slice()));
}

/// Blocks of every type in each other, with marks, and props that may or may not be what the type wants.
fn pages() -> impl Strategy<Value = Vec<Block>> {
    let kinds: Vec<&'static str> = TYPES.iter().map(|kind| kind.name).chain(["hologram"]).collect();
    let urls = select(vec!["https://a.b/c", "javascript:alert(1)", ""]);
    let props = (urls, select(vec![ID, "no id"]), 0..12_i64, any::<bool>(), texts()).prop_map(|(url, id, number, is, text)| {
        json!({"url": url, "document_id": id, "board_id": id, "source_document_id": id, "level": number, "start": number,
            "checked": is, "has_header_row": is, "title": text, "alt": text, "cells": [text, "b"]})
    });
    let attachment = select(vec![None, Some(ID)]);
    let leaf = (select(kinds), texts(), marks(), props, attachment).prop_map(|(kind, text, marks, props, attachment)| {
        let mut block = block(kind, &text, props);
        block.marks = marks;
        block.props.extend(attachment.map(|id| ("attachment_id".to_owned(), json!(id))));
        block
    });
    let nested = leaf.prop_recursive(4, 16, 4, |inner| {
        (inner.clone(), vec(inner, 0..4)).prop_map(|(block, children)| under(block, children))
    });
    vec(nested, 0..5)
}

/// Markdown of all sorts: lines made of what means something at their beginning, and any text behind it.
fn markdown() -> impl Strategy<Value = String> {
    let begin = select(vec![
        "",
        "",
        "# ",
        "###### ",
        "- ",
        "  - ",
        "    - ",
        "* [ ] ",
        "- [x] ",
        "1. ",
        "7) ",
        "> ",
        "> > ",
        "> [!NOTE]\n> ",
        "```",
        "~~~ math\n",
        "    ",
        "\n",
        "---",
        "| a | b |\n|---|:-:|\n| ",
        "<details>",
        "<summary>",
        "</summary>",
        "</details>",
        "<!-- column_list -->",
        "<!-- column -->",
        "<!-- /column_list -->",
        "<!-- synced_block -->",
        "<!-- /synced_block -->",
        "<!-- untitled -->",
        "<!-- block: x -->",
        "<!-- x -->",
        "<div>",
        "<b>",
        "<img src=\"/a\">",
        "![a](/b \"c\")",
        "[a](/b \"video\")",
        "[a]: /url",
        "$$x$$",
        "<u>a</u>",
        "<span style=\"color: red\">",
        "</span>",
        "<br>",
        "[^1]: ",
    ]);
    vec((begin, texts(), select(vec!["\n", "\n\n", "\r\n", ""])), 0..8)
        .prop_map(|lines| lines.into_iter().map(|(begin, text, end)| format!("{begin}{text}{end}")).collect())
}

/// What is read may stand on a page as it is.
fn assert_allowed(blocks: &[Block], parent: Option<&str>) -> Result<(), TestCaseError> {
    for block in blocks {
        let problems = check(&block.kind, &block.props, !block.text.is_empty(), parent).err();
        prop_assert!(problems.is_none(), "{block:?}: {problems:?}");
        assert_allowed(&block.children, Some(&block.kind))?;
    }
    Ok(())
}

fn assert_stable(markdown: &str) -> Result<(), TestCaseError> {
    let once = read(markdown).expect("it is read");
    assert_allowed(&once.blocks, None)?;
    let written = to_markdown(once.title.as_deref().unwrap_or_default(), &once.blocks);
    let twice = read(&written).expect("it is read");
    prop_assert_eq!(
        (&twice.title, &twice.blocks),
        (&once.title, &once.blocks),
        "\n{:?}\n{}",
        markdown,
        written
    );
    Ok(())
}

#[test]
fn a_control_character_in_code_may_end_a_line() {
    for kind in ["paragraph", "bulleted_list_item", "todo", "quote", "toggle", "table_row"] {
        for control in ['\u{b}', '\u{1}', '\t', '\r', '\u{c}'] {
            for text in [
                format!("#{control}\n#"),
                format!("{control}\n#{control}"),
                format!("a {control} \n{control}b"),
            ] {
                let block = marked(block(kind, &text, json!({})), "code", json!(true), (0, text.len()));
                let page = match kind {
                    "table_row" => under(Block::of("table"), [under(Block::of(kind), [block])]),
                    _ => block,
                };
                assert_stable(&to_markdown("", &[page])).expect("it reads back");
            }
        }
    }
}

#[test]
fn urls_that_stand_side_by_side_read_back() {
    let long = "a".repeat(2_030);
    for text in [
        "###### https://a.b\u{feff}https://a.b#\n".to_owned(),
        "https://a.b\u{feff}https://a.b\u{feff}(https://a.b\u{feff}\n".to_owned(),
        format!("https://a.b/{long}(https://a.b/c\n"),
        format!("https://a.b/{long}(https://a.b/{long}(https://a.b/c\n"),
        "https://a.b&c(https://a.b\n".to_owned(),
    ] {
        assert_stable(&text).expect("it reads back");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_page_that_was_read_reads_back(markdown in markdown()) {
        assert_stable(&markdown)?;
    }

    #[test]
    fn a_page_that_was_written_reads_back(title in texts(), page in pages()) {
        assert_stable(&to_markdown(&title, &page))?;
    }

    #[test]
    fn any_tree_reads_back(page in trees()) {
        assert_stable(&to_markdown("", &page))?;
    }

    #[test]
    fn any_text_in_any_block_reads_back(text in texts(), marks in marks()) {
        for kind in ["paragraph", "bulleted_list_item", "todo", "quote", "toggle"] {
            let mut block = block(kind, &text, json!({}));
            block.marks.clone_from(&marks);
            assert_stable(&to_markdown("", &[block]))?;
        }
    }
}
