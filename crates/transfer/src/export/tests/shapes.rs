//! Every type of block and every mark in every format.

use super::{around, every_block, matches};
use crate::export::{html, pdf, runs};
use documents::{
    kinds::{MARKS, TYPES},
    markdown, view,
};
use std::collections::BTreeSet;

#[test]
fn the_page_of_the_tests_has_every_type_prop_and_mark() {
    let page = every_block();
    let all: Vec<_> = view::walk(&page.blocks).map(|(_, block)| block).collect();
    for kind in TYPES {
        let of_kind: Vec<_> = all.iter().filter(|block| block.kind == kind.name).collect();
        assert!(!of_kind.is_empty(), "no {}", kind.name);
        for prop in kind.props {
            assert!(
                of_kind.iter().any(|block| block.props.contains_key(prop.name)),
                "no {}.{}",
                kind.name,
                prop.name
            );
        }
    }
    let marks: BTreeSet<_> = all.iter().flat_map(|block| &block.marks).map(|mark| mark.name.as_str()).collect();
    assert!(MARKS.iter().all(|mark| marks.contains(mark.name)), "{marks:?}");
}

#[test]
fn html_is_as_it_was_looked_at() {
    let page = every_block();
    matches(
        "every_block.html",
        &html::page(&page.title, Some(&page.icon), &page.blocks, &around()),
    );
}

#[test]
fn markdown_is_as_it_was_looked_at() {
    let page = every_block();
    matches("every_block.md", &markdown::to_markdown(&page.title, &page.blocks));
}

#[test]
fn what_is_typeset_is_as_it_was_looked_at() {
    let page = every_block();
    let sheet = pdf::sheet(&page.title, Some(&page.icon), &page.blocks, &around());
    assert_eq!(sheet.images.len(), 1);
    matches(
        "every_block.sheet.json",
        &(serde_json::to_string_pretty(&sheet).expect("written") + "\n"),
    );
}

#[test]
fn a_mark_inside_a_character_takes_all_of_it() {
    let mark = |start, end| view::Mark {
        name: "bold".to_owned(),
        value: true.into(),
        start,
        end,
    };
    let block = |start, end| {
        let mut block = view::Block::default();
        "a🎉b".clone_into(&mut block.text);
        block.marks.push(mark(start, end));
        block
    };
    for (start, end) in [(1, 3), (1, 2), (2, 3)] {
        let block = block(start, end);
        let seen: Vec<_> = runs::of(&block).iter().map(|run| (run.text, run.style.bold)).collect();
        assert_eq!(seen, [("a", false), ("🎉", true), ("b", false)], "{start}..{end}");
    }
    let block = block(2, 900);
    assert_eq!(runs::of(&block).iter().map(|run| run.text).collect::<String>(), "a🎉b");
}
