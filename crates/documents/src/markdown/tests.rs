//! What each type of block and each mark looks like.

use super::*;
use crate::{kinds::TYPES, view::Mark};
use serde_json::{Value, json};

mod hostile;

const ID: &str = "0193a5b0-7c3e-4f00-8000-00000000000a";

fn block(kind: &str, text: &str) -> Block {
    Block {
        id: "b".into(),
        kind: kind.into(),
        text: text.into(),
        marks: vec![],
        props: serde_json::Map::new(),
        children: vec![],
    }
}

fn with(kind: &str, text: &str, props: Value) -> Block {
    let Value::Object(props) = props else {
        panic!("props are an object: {props}")
    };
    let mut block = block(kind, text);
    block.props = props;
    block
}

fn under(mut parent: Block, children: impl IntoIterator<Item = Block>) -> Block {
    parent.children = children.into_iter().collect();
    parent
}

fn mark(name: &str, value: Value, start: usize, end: usize) -> Mark {
    Mark {
        name: name.into(),
        value,
        start,
        end,
    }
}

fn marked(text: &str, marks: impl IntoIterator<Item = Mark>) -> Block {
    let mut block = block("paragraph", text);
    block.marks = marks.into_iter().collect();
    block
}

#[track_caller]
fn check(blocks: impl IntoIterator<Item = Block>, markdown: &str) {
    let blocks: Vec<_> = blocks.into_iter().collect();
    assert_eq!(to_markdown("", &blocks).trim_end(), markdown.trim_end());
}

#[test]
fn the_title_is_the_first_heading() {
    assert_eq!(
        to_markdown("Plan # 1\nof *ours*", &[block("paragraph", "Hi")]),
        "# Plan \\# 1 of \\*ours\\*\n\nHi\n"
    );
    assert_eq!(to_markdown("", &[]), "");
    assert_eq!(to_markdown("", &[block("heading", "a")]), "<!-- untitled -->\n\n# a\n");
}

#[test]
fn headings_have_their_level() {
    check([with("heading", "C# and F #", json!({"level": 3}))], "### C# and F \\#");
    check([with("heading", "a\nb", json!({"level": 9}))], "#### a b");
    check([block("divider", ""), block("heading", "a")], "-----\n\n# a");
}

#[test]
fn paragraphs_keep_their_lines() {
    check(
        [
            block("paragraph", "one\ntwo  \n\nthree\n"),
            block("paragraph", ""),
            block("paragraph", "four"),
        ],
        "one\\\ntwo\\\n\\\nthree\n\nfour",
    );
}

#[test]
fn what_looks_like_markdown_stays_text() {
    let cases = [
        ("# not a heading", "\\# not a heading"),
        ("* a", "\\* a"),
        ("- a", "\\- a"),
        ("+ a", "\\+ a"),
        ("1. a", "1\\. a"),
        ("1.5", "1.5"),
        ("2024) x", "2024\\) x"),
        ("> a", "\\> a"),
        ("a > b", "a > b"),
        ("a < b", "a < b"),
        ("<b>", "\\<b>"),
        ("[a](b)", "\\[a\\](b)"),
        ("snake_case _x_", "snake_case \\_x\\_"),
        ("C:\\dir \\*", "C:\\dir \\\\\\*"),
        ("AT&T &amp; &#1;", "AT&T \\&amp; \\&#1;"),
        ("$5", "\\$5"),
        ("~~a~~", "\\~\\~a\\~\\~"),
        ("`a`", "\\`a\\`"),
        ("    a", "&#32;   a"),
        ("-5 or --", "-5 or --"),
        ("---", "\\---"),
        ("===", "\\==="),
        ("| a |", "\\| a |"),
        ("Hello!", "Hello!"),
        ("see https://a.b/c_d.", "see <https://a.b/c_d>."),
        ("www.a_b.c", "www\\.a_b.c"),
        ("ftp://a_b", "ftp\\://a_b"),
        ("http://a.b/?x&copy;", "http\\://a.b/?x\\&copy;"),
    ];
    for (text, markdown) in cases {
        check([block("paragraph", text)], markdown);
    }
    check([block("paragraph", "a|b\n:-|-:\n-|-\n|-|")], "a|b\\\n\\:-|-:\\\n\\-|-\\\n\\|-|");
}

#[test]
fn marks_become_delimiters() {
    check([marked("a bold c", [mark("bold", json!(true), 2, 6)])], "a **bold** c");
    check(
        [marked(
            "abcdef",
            [mark("bold", json!(true), 0, 6), mark("italic", json!(true), 2, 4)],
        )],
        "**ab*cd*ef**",
    );
    check(
        [marked(
            "abc",
            [
                mark("bold", json!(true), 0, 3),
                mark("italic", json!(true), 0, 3),
                mark("strike", json!(true), 0, 3),
            ],
        )],
        "~~***abc***~~",
    );
    check(
        [marked(
            "a b",
            [mark("code", json!(true), 0, 1), mark("underline", json!(true), 2, 3)],
        )],
        "`a` <u>b</u>",
    );
    check([marked("a`b", [mark("code", json!(true), 0, 3)])], "``a`b``");
    check(
        [marked(
            "ab",
            [mark("color", json!("red"), 0, 1), mark("highlight", json!(true), 1, 2)],
        )],
        "<span style=\"color: red\">a</span><mark>b</mark>",
    );
    check(
        [marked("a", [mark("highlight", json!("#ffee00"), 0, 1)])],
        "<mark style=\"background-color: #ffee00\">a</mark>",
    );
    check(
        [marked(
            "a",
            [
                mark("bold", json!(false), 0, 1),
                mark("italic", Value::Null, 0, 1),
                mark("x_mine", json!(true), 0, 1),
            ],
        )],
        "a",
    );
    check(
        [marked(
            "a",
            [
                mark("color", json!("red; background: url(x)"), 0, 1),
                mark("color", json!("default"), 0, 1),
            ],
        )],
        "a",
    );
}

#[test]
fn overlapping_marks_are_nested() {
    check(
        [marked(
            "abcdef",
            [mark("bold", json!(true), 0, 4), mark("italic", json!(true), 2, 6)],
        )],
        "**ab*cd***<em>ef</em>",
    );
    let link = mark("link", json!("https://a.b"), 3, 8);
    check(
        [marked("ab cd ef", [mark("bold", json!(true), 0, 5), link.clone()])],
        "**ab** [**cd** ef](https://a.b)",
    );
    check(
        [marked("ab cd ef gh", [mark("bold", json!(true), 3, 11), link])],
        "ab **[cd ef](https://a.b) gh**",
    );
    check(
        [marked(
            "abcd",
            [
                mark("bold", json!(true), 0, 2),
                mark("bold", json!(true), 2, 4),
                mark("bold", json!(true), 1, 3),
            ],
        )],
        "**abcd**",
    );
}

#[test]
fn a_delimiter_that_would_not_be_read_becomes_a_tag() {
    check([marked("a\"b\"c", [mark("bold", json!(true), 1, 4)])], "a<strong>\"b\"</strong>c");
    check(
        [marked("ab", [mark("bold", json!(true), 0, 1), mark("italic", json!(true), 1, 2)])],
        "**a**<em>b</em>",
    );
    check([marked("a b ", [mark("bold", json!(true), 1, 4)])], "a **b**");
}

#[test]
fn positions_are_utf16_units_and_never_split_a_character() {
    check([marked("é😀x", [mark("bold", json!(true), 1, 3)])], "é<strong>😀</strong>x");
    for (start, end) in [(1, 2), (2, 3), (2, 2)] {
        let expected = if start == end { "é 😀 x" } else { "é **😀** x" };
        check([marked("é 😀 x", [mark("bold", json!(true), start + 1, end + 1)])], expected);
    }
    check(
        [marked(
            "ab",
            [mark("bold", json!(true), 1, usize::MAX), mark("italic", json!(true), 7, 3)],
        )],
        "a**b**",
    );
}

#[test]
fn links_lead_only_where_they_may() {
    let link = |url: &str| marked("Go! here", [mark("link", json!(url), 4, 8)]);
    check(
        [link("https://a.b/(x)?a=1&copy;=2")],
        "Go! [here](https://a.b/\\(x\\)?a=1&amp;copy;=2)",
    );
    check([link("/documents/1")], "Go! [here](/documents/1)");
    check([link("javascript:alert(1)")], "Go! here");
    check([marked("no!yes", [mark("link", json!("/a"), 3, 6)])], "no\\![yes](/a)");
    check(
        [marked("a]: b", [mark("link", json!("/a"), 0, 5), mark("code", json!(true), 0, 5)])],
        "[<code>a\\]: b</code>](/a)",
    );
    check(
        [marked("https://a.b/_c_", [mark("link", json!("https://a.b/_c_"), 0, 15)])],
        "<https://a.b/_c_>",
    );
    check(
        [marked("https://c.d", [mark("link", json!("https://a.b"), 0, 11)])],
        "[https://c.d](https://a.b)",
    );
}

#[test]
fn mentions_lead_to_what_they_mean() {
    let mention = |kind: &str, id: &str| marked("@Ada", [mark("mention", json!(json!({"kind": kind, "id": id}).to_string()), 0, 4)]);
    check([mention("page", ID)], &format!("[@Ada](/documents/{ID} \"mention\")"));
    check([mention("user", ID)], &format!("[@Ada](/users/{ID} \"mention\")"));
    check([mention("date", "2026-10-01")], "<time datetime=\"2026-10-01\">@Ada</time>");
    check([mention("user", "x](javascript:a)")], "@Ada");
}

#[test]
fn lists_nest_and_number() {
    let (bullet, number) = (
        |text: &str| block("bulleted_list_item", text),
        |text: &str| block("numbered_list_item", text),
    );
    check(
        [under(bullet("a"), [bullet("b"), number("c"), number("d")]), bullet("e")],
        "- a\n  \n  - b\n  \n  1. c\n  2. d\n\n- e",
    );
    check(
        [
            with("numbered_list_item", "a", json!({"start": 9})),
            under(number("b"), [bullet("c")]),
        ],
        "9. a\n10. b\n    - c",
    );
    check(
        [
            with("todo", "a", json!({"checked": true})),
            with("todo", "b", json!({"checked": false})),
            block("todo", ""),
        ],
        "- [x] a\n- [ ] b\n- [ ]",
    );
    check(
        [under(bullet("a"), [block("paragraph", "b"), block("code", "c\n\nd")]), bullet("e")],
        "- a\n  \n  b\n  \n  ```\n  c\n  \n  d\n  ```\n\n- e",
    );
    check(
        [under(bullet("a"), [with("numbered_list_item", "b", json!({"start": 5}))])],
        "- a\n  \n  5. b",
    );
    check([under(bullet("a"), [bullet(""), bullet("c")])], "- a\n  \n  - \n  - c");
    check([bullet("- a"), bullet("b\nc")], "- \\- a\n- b\\\n  c");
    check([bullet("a"), block("code", "b")], "- a\n\n```\nb\n```");
}

#[test]
fn quotes_and_callouts_hold_their_children() {
    check(
        [
            under(block("quote", "a\nb"), [block("bulleted_list_item", "c")]),
            block("quote", "d"),
        ],
        "> a\\\n> b\n> \n> - c\n\n> d",
    );
    check(
        [with("callout", "Mind *this*", json!({"tone": "warning", "icon": "⚠"}))],
        "> [!WARNING]\n> Mind \\*this\\*",
    );
    check(
        [under(with("callout", "a", json!({"icon": "💡"})), [block("paragraph", "b")])],
        "> 💡 a\n> \n> b",
    );
    check([block("quote", "[!NOTE]\na")], "> \\[!NOTE\\]\\\n> a");
    check([under(block("quote", ""), [block("paragraph", "a")])], "> <!-- -->\n> \n> a");
}

#[test]
fn a_toggle_folds_its_children() {
    let mut toggle = under(
        block("toggle", "More & <b>\nof it"),
        [block("paragraph", "inside"), block("toggle", "t")],
    );
    toggle.marks.push(mark("bold", json!(true), 0, 4));
    let markdown = "<details>\n<summary><strong>More</strong> &amp; &lt;b&gt;<br>of it</summary>\n\ninside\n\n<details>\n<summary>t</summary>\n\n\
        </details>\n\n</details>\n\nafter";
    check([toggle, block("paragraph", "after")], markdown);
}

#[test]
fn code_diagrams_and_formulas_are_verbatim() {
    check(
        [with("code", "let a = `*`;\n", json!({"language": "rust"}))],
        "```rust\nlet a = `*`;\n\n```",
    );
    check(
        [with("code", "```\n# a", json!({"language": "x\n```\nevil"}))],
        "````\n```\n# a\n````",
    );
    check([block("mermaid", "graph TD\nA-->B")], "```mermaid\ngraph TD\nA-->B\n```");
    check([block("equation", " a_1 < b^2 ")], "$$a_1 < b^2$$");
    check([block("equation", "a_1 <\n b^2")], "```math\na_1 <\n b^2\n```");
    check([block("equation", "<img src=x>$$")], "```math\n<img src=x>$$\n```");
    check([block("equation", " ")], "");
    check([block("divider", "")], "-----");
}

#[test]
fn media_are_links_and_images() {
    check(
        [with("image", "A *cat*", json!({"url": "https://a.b/c.png"}))],
        "![A \\*cat\\*](https://a.b/c.png)",
    );
    check(
        [with("image", "Ours", json!({"attachment_id": ID, "alt": "A cat"}))],
        &format!("![A cat](/api/v1/attachments/{ID}/content/ \"Ours\")"),
    );
    check(
        [
            with("image", "", json!({"url": "javascript:alert(1)"})),
            with("image", "cat", json!({})),
        ],
        "<!-- image -->\n\ncat",
    );
    for kind in ["video", "audio", "file", "bookmark", "embed"] {
        check(
            [with(kind, "Talk [1]", json!({"url": "https://a.b/c"}))],
            &format!("[Talk \\[1\\]](https://a.b/c \"{kind}\")"),
        );
        check(
            [with(kind, "", json!({"url": "https://a.b/c_d_"}))],
            &format!("[https://a.b/c_d\\_](https://a.b/c_d_ \"{kind}\")"),
        );
    }
    check(
        [with("file", "", json!({"attachment_id": ID, "name": "a_b.pdf"}))],
        &format!("[a_b.pdf](/api/v1/attachments/{ID}/content/ \"file\")"),
    );
}

#[test]
fn pages_and_boards_are_links() {
    check(
        [with("child_page", "", json!({"document_id": ID, "title": "Plan"}))],
        &format!("[Plan](/documents/{ID} \"child_page\")"),
    );
    check(
        [with("link_to_page", "Plan", json!({"document_id": ID}))],
        &format!("[Plan](/documents/{ID} \"link_to_page\")"),
    );
    check([with("link_to_page", "", json!({"document_id": "../x"}))], "<!-- link_to_page -->");
    check(
        [with("board_embed", "", json!({"board_id": ID}))],
        &format!("[Board](/boards/{ID} \"board_embed\")"),
    );
    check(
        [with(
            "synced_block",
            "",
            json!({"source_document_id": ID, "source_block_id": "b_1"}),
        )],
        &format!("[Synced block](/documents/{ID}#b_1 \"synced_block\")"),
    );
    check(
        [under(block("synced_block", ""), [block("paragraph", "a")])],
        "<!-- synced_block -->\n\na\n\n<!-- /synced_block -->",
    );
}

#[test]
fn tables_have_a_header_and_equal_rows() {
    let row = |cells: Value| with("table_row", "", json!({"cells": cells}));
    let rows = || {
        [
            row(json!(["a|b", "c\nd"])),
            row(json!({"c10": "*3*", "c2": "2"})),
            row(json!(["`|`"])),
        ]
    };
    check(
        [under(with("table", "", json!({"has_header_row": true})), rows())],
        "| a\\|b | c<br>d |\n| --- | --- |\n| 2 | \\*3\\* |\n| \\`\\|\\` |  |",
    );
    check([under(block("table", ""), [row(json!(["a"]))])], "|  |\n| --- |\n| a |");
    let mut bold = block("paragraph", "bold");
    bold.marks.push(mark("bold", json!(true), 0, 4));
    let live = under(
        block("table_row", ""),
        [bold, under(block("paragraph", "x"), [block("paragraph", "y")])],
    );
    check([under(block("table", ""), [live])], "|  |  |\n| --- | --- |\n| **bold** | x<br>y |");
    check([block("table", "")], "");
    check([row(json!(["stray"]))], "|  |\n| --- |\n| stray |");
}

#[test]
fn columns_follow_each_other() {
    let column = |text: &str| under(block("column", ""), [block("paragraph", text)]);
    check(
        [under(block("column_list", ""), [column("a"), column("b")])],
        "<!-- column_list -->\n\n<!-- column -->\n\na\n\n<!-- column -->\n\nb\n\n<!-- /column_list -->",
    );
}

#[test]
fn what_markdown_cannot_say_leaves_a_remark_or_its_text() {
    check([block("table_of_contents", "")], "<!-- table of contents -->");
    check(
        [block("custom", ""), block("hologram", ""), block("x --> <script>", "")],
        "<!-- block: custom -->\n\n<!-- block: hologram -->\n\n<!-- x -- script -->",
    );
    check([under(block("hologram", "Seen"), [block("paragraph", "inside")])], "Seen\n\ninside");
}

#[test]
fn every_type_keeps_its_text_and_its_children() {
    for kind in TYPES {
        let props = json!({"url": "https://a.b", "document_id": ID, "board_id": ID, "level": 1});
        let markdown = to_markdown("", &[under(with(kind.name, "Words", props), [block("paragraph", "Inside")])]);
        assert!(markdown.contains("Inside"), "{}: {markdown}", kind.name);
        let has_text = kind.text != crate::kinds::TextRule::None;
        assert!(markdown.contains("Words") || !has_text, "{}: {markdown}", kind.name);
    }
}
