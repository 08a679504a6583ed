//! Markdown as other people and programs write it.

use super::*;

fn text(text: &str) -> Block {
    block("paragraph", text, json!({}))
}

#[track_caller]
fn reads(markdown: &str, blocks: impl IntoIterator<Item = Block>) -> Read {
    let read = read(markdown).expect("it is read");
    assert_eq!(read.blocks, blocks.into_iter().collect::<Vec<_>>(), "{markdown}");
    read
}

fn losses(read: &Read) -> Vec<(usize, &'static str)> {
    read.notes.iter().map(|note| (note.line, note.loss.code())).collect()
}

#[test]
fn the_first_heading_is_the_title() {
    let read = reads(
        "\u{feff}Plan *B*\n====\n\ntext\n\n# Chapter",
        [text("text"), block("heading", "Chapter", json!({"level": 1}))],
    );
    assert_eq!(read.title.as_deref(), Some("Plan B"));
    assert_eq!(
        reads("## Second level", [block("heading", "Second level", json!({"level": 2}))]).title,
        None
    );
}

#[test]
fn lines_of_a_paragraph_are_one_text() {
    reads(
        "wrapped\nby an editor  \nwith a break",
        [text("wrapped by an editor\nwith a break")],
    );
}

#[test]
fn lists_of_all_sorts() {
    let item = |kind: &str, text: &str| block(kind, text, json!({}));
    reads(
        "* a\n* b\n\n1) c\n2) d\n\n- [X] e\n- [ ]\n- [ ] f",
        [
            item("bulleted_list_item", "a"),
            item("bulleted_list_item", "b"),
            item("numbered_list_item", "c"),
            item("numbered_list_item", "d"),
            block("todo", "e", json!({"checked": true})),
            block("todo", "", json!({"checked": false})),
            block("todo", "f", json!({"checked": false})),
        ],
    );
    reads(
        "- a\n\n  b\n\n      code",
        [under(item("bulleted_list_item", "a"), [text("b"), item("code", "code")])],
    );
}

#[test]
fn pictures_part_a_text() {
    let image = |text: &str, props: Value| block("image", text, props);
    reads(
        "before ![A cat](https://a.b/c.png \"Ours\") after",
        [
            text("before"),
            image("Ours", json!({"url": "https://a.b/c.png", "alt": "A cat"})),
            text(" after"),
        ],
    );
    reads(
        "<img src=\"https://a.b/c.png\" alt='x'>",
        [image("x", json!({"url": "https://a.b/c.png"}))],
    );
    let linked = marked(text("pic"), "link", json!("/b"), (0, 3));
    reads(
        "| ![pic](/b) |\n|---|",
        [under(
            block("table", "", json!({"column_count": 1, "has_header_row": true})),
            [under(block("table_row", "", json!({})), [linked])],
        )],
    );
}

#[test]
fn html_is_understood_or_kept_as_code() {
    reads(
        "<p align=\"center\">\n<b>Hi</b> &amp; bye</p>",
        [marked(text("Hi & bye"), "bold", json!(true), (0, 2))],
    );
    let read = reads(
        "<table><tr><td>x</td></tr></table>",
        [block("code", "<table><tr><td>x</td></tr></table>", json!({"language": "html"}))],
    );
    assert_eq!(losses(&read), [(1, "html")]);
    let read = reads("H<sub>2</sub>O <!-- chemistry -->", [text("H2O")]);
    assert_eq!(losses(&read), [(1, "tag"), (1, "comment")]);
    reads(
        "<details><summary>More</summary>text</details>",
        [under(block("toggle", "More", json!({})), [text("text")])],
    );
}

#[test]
fn what_a_page_has_no_place_for_is_told() {
    let read = reads(
        "[a](file:///etc/passwd) and [b](notes.md)\n\n##### five",
        [text("a and b"), block("heading", "five", json!({"level": 4}))],
    );
    assert_eq!(losses(&read), [(1, "link"), (3, "level")]);
    let read = reads("``` rust {.hidden}\nx\n```", [block("code", "x", json!({"language": "rust"}))]);
    assert_eq!(losses(&read), [(1, "detail")]);
}

#[test]
fn links_are_led_elsewhere() {
    let links = |url: &str| (url == "notes.md").then(|| format!("/documents/{ID}"));
    let read = read_with("[b](notes.md)", &links).expect("it is read");
    assert_eq!(read.blocks, [marked(text("b"), "link", json!(format!("/documents/{ID}")), (0, 1))]);
}

#[test]
fn columns_are_made_whole() {
    let column = |children: Vec<Block>| under(block("column", "", json!({})), children);
    let columns = |columns: Vec<Block>| under(block("column_list", "", json!({})), columns);
    reads(
        "<!-- column_list -->\n\na\n\n<!-- column -->\n\nb\n",
        [columns(vec![column(vec![text("a")]), column(vec![text("b")])])],
    );
    reads("<!-- column -->\n\na\n\n<!-- /column_list -->\n", [text("a")]);
}
