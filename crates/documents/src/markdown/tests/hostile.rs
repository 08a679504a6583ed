//! Pages that are too deep, too large or too marked.

use super::*;

#[test]
fn hostile_nesting_is_written_flat_and_whole() {
    for kind in [
        "bulleted_list_item",
        "numbered_list_item",
        "todo",
        "quote",
        "callout",
        "toggle",
        "table_row",
        "table",
        "column_list",
        "x",
    ] {
        let deep = (0..2_000).fold(block("paragraph", "bottom"), |inner, _| under(block(kind, "a"), [inner]));
        let markdown = to_markdown("", &[deep]);
        assert!(markdown.contains("bottom"), "{kind}");
        assert!(markdown.lines().all(|line| line.len() < 60_000), "{kind}");
    }
}

#[test]
fn a_page_without_end_is_cut_with_a_remark() {
    let long = "x\n".repeat(1_000_000);
    let deep = (0..MAX_NESTING).fold(block("code", &long), |inner, _| under(block("quote", ""), [inner]));
    let markdown = to_markdown("", &[deep]);
    assert!(markdown.len() < MAX_BYTES + 100 && markdown.ends_with("<!-- cut: the page is too long for Markdown -->\n"));
}

#[test]
fn large_texts_and_many_marks_take_no_more_than_their_time() {
    let texts =
        ["http://&", "&#", "\n", "*", "a\n", "[", "<a@", "www.", "`", "_a", "1.", "😀", "$ "].map(|text| text.repeat(32_768 / text.len()));
    let marks = ["bold", "italic", "strike", "underline", "code", "x_"]
        .into_iter()
        .cycle()
        .enumerate();
    let marks: Vec<_> = marks
        .take(5_000)
        .map(|(at, name)| mark(name, json!(true), at * 3, at * 7 + 2))
        .collect();
    for text in texts {
        let mut block = block("paragraph", &text);
        assert!(to_markdown(&text, std::slice::from_ref(&block)).len() < 40 * text.len());
        block.marks.clone_from(&marks);
        assert!(to_markdown("", &[block]).len() < 40 * text.len());
    }
}
