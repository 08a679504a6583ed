//! Pages that want to do harm: nothing of theirs becomes markup, a script, or more work than it is worth.

use super::around;
use crate::export::{html, pdf, runs};
use documents::view::{Block, Mark};
use serde_json::{Value, json};

fn block(kind: &str, text: &str, props: Value) -> Block {
    let props = props.as_object().cloned().unwrap_or_default();
    Block {
        id: "\"><script>".to_owned(),
        kind: kind.to_owned(),
        text: text.to_owned(),
        marks: Vec::new(),
        props,
        children: Vec::new(),
    }
}

fn mark(name: &str, value: Value, end: usize) -> Mark {
    Mark {
        name: name.to_owned(),
        value,
        start: 0,
        end,
    }
}

/// Tags and attributes that a browser would act on.
fn acts(html: &str) -> Option<&'static str> {
    let html = html.split_once("<body>").map(|(_, body)| body.to_lowercase()).unwrap_or_default();
    [
        "<script",
        "<iframe",
        "<svg",
        "<object",
        "<link",
        "<meta",
        "<base",
        "<form",
        "href=\"javascript",
        "src=\"javascript",
        "href=\"data",
        "\" on",
        "'' on",
    ]
    .into_iter()
    .find(|sign| html.contains(sign))
}

#[test]
fn nothing_that_people_wrote_becomes_markup() {
    let evil = "\"><script>alert(1)</script><svg onload=alert(1)> ' onerror='x' <!-- ]]> </style></title>";
    let kinds = documents::kinds::TYPES
        .iter()
        .map(|kind| kind.name)
        .chain(["<script>", "x\" onload=\"y"]);
    let names = [
        "title",
        "name",
        "caption",
        "alt",
        "description",
        "icon",
        "language",
        "provider",
        "url",
        "attachment_id",
        "document_id",
        "board_id",
        "color",
        "align",
        "tone",
        "level",
        "width",
        "height",
        "width_ratio",
        "start",
        "view",
        "cells",
        "source_document_id",
        "own\" onload=\"x",
    ];
    for kind in kinds {
        for value in [json!(evil), json!("javascript:alert(1)"), json!([evil]), json!({ evil: evil })] {
            let props = names
                .iter()
                .map(|name| ((*name).to_owned(), value.clone()))
                .collect::<serde_json::Map<_, _>>();
            let mut outer = block(kind, evil, Value::Object(props));
            outer.marks = vec![
                mark("link", json!("javascript:alert(1)"), 4),
                mark("color", json!("red;background:url(x)"), 5),
                mark("mention", json!("{\"kind\":\"page\",\"id\":\"\\\"><script>\"}"), 6),
                mark(evil, json!(evil), 7),
            ];
            outer.children = vec![block(kind, evil, json!({ "cells": [evil] }))];
            let html = html::page(evil, Some(evil), &[outer], &around());
            assert_eq!(acts(&html), None, "{kind}: {html}");
            assert!(!html.contains("</title><"), "{kind}");
        }
    }
}

#[test]
fn a_link_into_a_script_is_none() {
    for link in [
        "javascript:alert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "//evil.example",
        "vbscript:x",
        "https:evil",
        "/\\evil",
    ] {
        let mut linked = block("paragraph", "text", json!({}));
        linked.marks = vec![mark("link", json!(link), 4)];
        assert_eq!(runs::of(&linked)[0].style.link, None, "{link}");
        let card = block("bookmark", "", json!({ "url": link }));
        assert!(!html::page("", None, &[linked, card], &around()).contains("<a "), "{link}");
    }
}

#[test]
fn formulas_that_grow_or_recurse_are_text() {
    let bombs = [
        "{".repeat(3_000),
        "\\relax".repeat(600),
        "{}".repeat(1_900),
        "\\frac".repeat(790),
        format!("{}x{}", "\\sqrt{".repeat(500), "}".repeat(500)),
        "\\def\\a{\\a\\a}\\a".to_owned(),
        "\\newcommand{\\a}{aa}\\newcommand{\\b}{\\a\\a}\\b".repeat(20),
        "x^".repeat(1_000),
        "\\left(".repeat(600),
        "a".repeat(100_000),
        "\\href{javascript:alert(1)}{x}".to_owned(),
        "\\text{<script>alert(1)</script>}".to_owned(),
    ];
    for bomb in bombs {
        let html = html::page("", None, &[block("equation", &bomb, json!({}))], &around());
        assert_eq!(acts(&html), None, "{bomb:.80}");
    }
}

#[test]
fn deep_pages_are_as_flat_as_the_engine_needs() {
    for kind in [
        "paragraph",
        "bulleted_list_item",
        "quote",
        "callout",
        "toggle",
        "column",
        "column_list",
        "custom",
        "heading",
    ] {
        let deep = (0..47).fold(block(kind, "leaf", json!({})), |inner, _| {
            let mut outer = block(kind, "x", json!({}));
            outer.children.push(inner);
            outer
        });
        let sheet = pdf::sheet("", None, std::slice::from_ref(&deep), &around());
        assert!(
            serde_json::to_string(&sheet).expect("written").contains("leaf") || kind.starts_with("column"),
            "{kind}"
        );
        assert!(
            html::page("", None, &[deep], &around()).contains("leaf") || kind.starts_with("column"),
            "{kind}"
        );
    }
}
