//! HTML of many writers, and of those who mean harm.

use super::*;
use crate::import::{
    draft::{Reference, Target, read_reference},
    fit::fit,
    report::{Notes, Reason},
};
use documents::op::NewBlock;
use kernel::id::DocumentId;
use proptest::prelude::*;
use serde_json::{Value, json};

fn links(reference: &str) -> Target {
    match read_reference(reference) {
        Reference::Whole(target) => target,
        Reference::Path(path) if path.ends_with(".png") => Target::File(7),
        Reference::Path(path) if path.ends_with(".html") => Target::Page(DocumentId(uuid::Uuid::nil())),
        Reference::Path(_) => Target::Nowhere(Some(Reason::FileMissing)),
    }
}

fn draft(html: &str) -> Draft {
    let draft = read(html, &mut links).expect("is read");
    let fitted = fit(draft.blocks.clone(), &mut Notes::default());
    assert_eq!(fitted, draft.blocks, "what is read fits: {html}");
    draft
}

/// Blocks as short JSON: type, text, marks as `name:start-end`, props, children.
fn shape(block: &NewBlock) -> Value {
    let mut shape = vec![json!(block.kind)];
    if !block.text.is_empty() {
        shape.push(json!(block.text));
    }
    let marks: Vec<String> = block
        .marks
        .iter()
        .map(|mark| format!("{}:{}-{}", mark.name, mark.start, mark.end))
        .collect();
    if !marks.is_empty() {
        shape.push(json!(marks));
    }
    if !block.props.is_empty() {
        shape.push(json!(block.props));
    }
    if !block.children.is_empty() {
        let children = block.children.iter().map(self::shape);
        shape.push(Value::Array(children.collect()));
    }
    Value::Array(shape)
}

#[track_caller]
fn check(html: &str, expected: Value) {
    let shapes: Vec<Value> = draft(html).blocks.iter().map(shape).collect();
    assert_eq!(Value::Array(shapes), expected);
}

#[test]
fn text_and_formats() {
    check(
        "<p>one <b>two</b> <i>th<u>ree</u></i>,<br>four <a href='https://a.b/'>five</a></p>  <h5>six</h5>loose",
        json!([
            ["paragraph", "one two three,\nfour five", ["bold:4-7", "underline:10-13", "italic:8-13", "link:20-24"]],
            ["heading", "six", {"level": 4}],
            ["paragraph", "loose"],
        ]),
    );
    check(
        "<b><p>a</p><p>b</p></b>",
        json!([["paragraph", "a", ["bold:0-1"]], ["paragraph", "b", ["bold:0-1"]]]),
    );
    check(
        "<hr><blockquote><p>a</p><p>b</p></blockquote>",
        json!([["divider"], ["quote", "a", [["paragraph", "b"]]]]),
    );
    check(
        "<pre><code class='language-Rust'>fn a() {\n  b()\n}\n</code></pre>",
        json!([["code", "fn a() {\n  b()\n}", {"language": "rust"}]]),
    );
}

#[test]
fn lists_nest_and_boxes_are_checked() {
    check(
        "<ul><li>a<ol start=3><li>b</li><li><p>c</p><p>d</p></li></ol></li><li><input type=checkbox checked> e</li></ul>",
        json!([
            ["bulleted_list_item", "a", [
                ["numbered_list_item", "b", {"start": 3}],
                ["numbered_list_item", "c", [["paragraph", "d"]]],
            ]],
            ["todo", "e", {"checked": true}],
        ]),
    );
    check(
        "<ul class='lst-kix_x-0'><li>a</li></ul><ul class='lst-kix_x-1'><li>b</li></ul><ul class='lst-kix_x-0'><li>c</li></ul>",
        json!([
            ["bulleted_list_item", "a", [["bulleted_list_item", "b"]]],
            ["bulleted_list_item", "c"]
        ]),
    );
    check(
        "<details><summary>more</summary><p>x</p></details>",
        json!([["toggle", "more", [["paragraph", "x"]]]]),
    );
}

#[test]
fn tables_have_headers_formats_and_spans() {
    check(
        "<table><thead><tr><th>a</th><th>b</th></tr></thead><tr><td>1</td><td>2<br>3</td></tr></table>",
        json!([["table", {"column_count": 2, "has_header_row": true}, [
            ["table_row", {"cells": ["a", "b"]}],
            ["table_row", {"cells": ["1", "2\n3"]}],
        ]]]),
    );
    check(
        "<table><tr><th>a</th><td><b>x</b></td></tr><tr><th>c</th><td>d</td></tr></table>",
        json!([["table", {"column_count": 2, "has_header_column": true}, [
            ["table_row", [["paragraph", "a"], ["paragraph", "x", ["bold:0-1"]]]],
            ["table_row", {"cells": ["c", "d"]}],
        ]]]),
    );
    check(
        "<table><tr><td rowspan=2>a</td><td colspan=2>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
        json!([["table", {"column_count": 3}, [
            ["table_row", {"cells": ["a", "b", ""]}],
            ["table_row", {"cells": ["", "c", "d"]}],
        ]]]),
    );
    check("<table><tr><td><p>frame</p></td></tr></table>", json!([["paragraph", "frame"]]));
}

#[test]
fn what_runs_or_loads_is_left_out_and_told() {
    let html = "<p onclick=alert(1)>a<script>evil()</script><a href='javascript:evil()'>b</a><img src='data:image/png;base64,AAAA' alt=c>\
        <iframe srcdoc='<script>x</script>'></iframe><svg onload=x><text>t</text></svg><object data=x></object>";
    let draft = draft(html);
    let words: Vec<&str> = draft.blocks.iter().map(|block| block.text.as_str()).collect();
    assert_eq!(words, ["abc"]);
    assert!(draft.blocks.iter().all(|block| block.marks.is_empty()));
    for reason in [Reason::ScriptRemoved, Reason::UrlRemoved, Reason::Unsupported] {
        assert!(draft.notes.has(reason), "{reason:?}");
    }
}

#[test]
fn notions_pages_are_understood() {
    let html = r#"<html><head><title>Home</title><style>.x{color:red}</style></head><body><article id="1" class="page sans"><header>
        <div class="page-header-icon undefined"><span class="icon">🏠</span></div><h1 class="page-title">Home</h1><p class="page-description"></p>
        <table class="properties"><tbody><tr class="property-row"><th><span class="icon property-icon"><svg></svg></span>Status</th><td><span class="selected-value">Done</span></td></tr>
        <tr><th>Due</th><td><time>@October 1, 2026</time></td></tr></tbody></table></header><div class="page-body">
        <p id="2" class="">Text <strong>bold</strong> <mark class="highlight-red">red</mark></p>
        <ul id="3" class="to-do-list"><li><div class="checkbox checkbox-on"></div> <span class="to-do-children-checked">Done thing</span><div class="indented"><p>inside</p></div></li></ul>
        <ul class="toggle"><li><details open=""><summary>Toggle</summary><p>hidden</p></details></li></ul>
        <figure class="block-color-gray_background callout" id="4"><div style="font-size:1.5em"><span class="icon">💡</span></div><div style="width:100%">Mind the gap</div></figure>
        <figure class="link-to-page"><a href="Home/Child%200f.html"><span class="icon">📄</span>Child</a></figure>
        <figure class="image"><a href="Home/x.png"><img style="width:10px" src="Home/x.png"/></a><figcaption>A picture</figcaption></figure>
        <figure><a href="https://a.b/" class="bookmark source"><div class="bookmark-info"><div class="bookmark-text"><div class="bookmark-title">A</div><div class="bookmark-description">About</div></div></div></a></figure>
        <figure class="equation"><style>@import url('x')</style><div class="equation-container"><span class="katex-display"><span class="katex"><span class="katex-mathml"><math><semantics><mrow></mrow><annotation encoding="application/x-tex">E=mc^2</annotation></semantics></math></span><span class="katex-html">E</span></span></span></div></figure>
        <div class="column-list"><div style="width:50%" class="column"><p>left</p></div><div style="width:50%" class="column"><p>right</p></div></div>
        </div></article></body></html>"#;
    let draft = draft(html);
    assert_eq!((draft.title.as_deref(), draft.icon.as_deref()), (Some("Home"), Some("🏠")));
    let shapes: Vec<Value> = draft.blocks.iter().map(shape).collect();
    let expected = json!([
        ["table", {"column_count": 2, "has_header_column": true}, [["table_row", {"cells": ["Status", "Done"]}], ["table_row", {"cells": ["Due", "@October 1, 2026"]}]]],
        ["paragraph", "Text bold red", ["bold:5-9", "color:10-13"]],
        ["todo", "Done thing", {"checked": true}, [["paragraph", "inside"]]],
        ["toggle", "Toggle", {"open": true}, [["paragraph", "hidden"]]],
        ["callout", "Mind the gap", {"color": "gray", "icon": "💡"}],
        ["paragraph", "Child", ["link:0-5"]],
        ["image", {"url": "/@file/7", "caption": "A picture"}],
        ["bookmark", {"url": "https://a.b/", "title": "A", "description": "About"}],
        ["equation", "E=mc^2"],
        ["column_list", [["column", {"width_ratio": 0.5}, [["paragraph", "left"]]], ["column", {"width_ratio": 0.5}, [["paragraph", "right"]]]]],
    ]);
    assert_eq!(Value::Array(shapes), expected);
}

#[test]
fn google_says_everything_with_classes() {
    let draft = draft(
        "<html><head><style>.c1{font-weight:700}.c2{color:#ff0000;font-style:italic}</style></head><body><p><span class=c1>a</span><span class=c2>b</span></p></body></html>",
    );
    let marks: Vec<_> = draft.blocks[0].marks.iter().map(|mark| (mark.name.as_str(), mark.start)).collect();
    assert_eq!(marks, [("bold", 0), ("italic", 1), ("color", 1)]);
}

#[test]
fn depth_and_branches_beyond_measure_are_refused_in_time() {
    let began = std::time::Instant::now();
    for html in [
        "<div>".repeat(300_000),
        "<div><object></div></object>".repeat(60_000),
        format!(
            "{}{}",
            (0..200).map(|i| format!("<font id={i}>")).collect::<String>(),
            "<p>x".repeat(300_000)
        ),
        "<table><b>".repeat(100_000),
        "<ul><li>".repeat(100_000),
    ] {
        let refusal = read(&html, &mut links).expect_err("is refused");
        assert_eq!(refusal.reason, Reason::TooComplex);
    }
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_markup_is_a_page(parts in proptest::collection::vec(proptest::sample::select(vec![
        "<p>", "</p>", "<b>", "</b>", "<ul>", "<li>", "</ul>", "<table>", "<tr>", "<td>", "<td colspan=9 rowspan=3>", "<th>", "</table>", "<pre>", "</pre>", "<details>",
        "<summary>", "<h1>", "</h1>", "<a href=x.html>", "</a>", "<img src=x.png>", "<figure>", "<figcaption>", "</figure>", "<blockquote>", "text", " ", "\n", "é😀", "<br>",
        "<input type=checkbox>", "<div class=column-list>", "<div class=column>", "</div>", "<math>", "<svg>", "<script>", "</script>", "<style>", "</style>", "<caption>", "<hr>",
        "<span style='font-weight:bold;color:red'>", "</span>", "<iframe src='https://a.b'>", "<ol start=5>", "<!--", "-->", "&amp;", "<template>", "<select>", "\0",
    ]), 0..60)) {
        let html = parts.concat();
        let draft = read(&html, &mut links).expect("is read");
        let mut notes = Notes::default();
        let fitted = fit(draft.blocks, &mut notes);
        documents::page::Page::create("", &fitted, &documents::limits::Limits::default(), 0).expect("a page takes it");
    }
}
