//! Pages that are saved as Markdown: nothing changes that was not changed, and what was changed is what is read then.

use super::*;
use crate::{
    limits::Limits,
    markdown::{shown::trees, to_markdown},
    page::Page,
    view::{Mark, walk},
};
use proptest::{prelude::*, sample::select};
use serde_json::json;
use std::collections::BTreeSet;

fn limits() -> Limits {
    Limits {
        batch: 50_000,
        ..Limits::default()
    }
}

fn block(kind: &str, text: &str) -> NewBlock {
    NewBlock {
        kind: kind.into(),
        text: text.into(),
        ..NewBlock::default()
    }
}

fn with(kind: &str, text: &str, props: serde_json::Value) -> NewBlock {
    NewBlock {
        props: props.as_object().cloned().expect("props are an object"),
        ..block(kind, text)
    }
}

fn under(mut parent: NewBlock, children: impl IntoIterator<Item = NewBlock>) -> NewBlock {
    parent.children = children.into_iter().collect();
    parent
}

fn page(blocks: &[NewBlock]) -> Page {
    Page::create("Title", blocks, &limits(), 0).expect("a page").0
}

fn tree(page: &Page) -> Vec<Block> {
    page.mirror().tree()
}

fn markdown(page: &Page) -> String {
    to_markdown(&page.mirror().title, &tree(page))
}

/// Saves a text on a page and gives the edits it took.
fn put(page: &mut Page, text: &str) -> Vec<Op> {
    let saved = save(&page.mirror().title, &tree(page), text).expect("it is read");
    page.edit(&saved.ops, None, &limits(), 0)
        .unwrap_or_else(|e| panic!("{e}: {:#?}", saved.ops));
    saved.ops
}

fn ids(page: &Page) -> Vec<(String, String)> {
    walk(&tree(page)).map(|(_, block)| (block.id.clone(), block.text.clone())).collect()
}

fn id_of(page: &Page, text: &str) -> String {
    ids(page)
        .into_iter()
        .find(|(_, is)| is == text)
        .unwrap_or_else(|| panic!("no block says {text:?}"))
        .0
}

/// Edits the Markdown of a page and saves it.
fn change(blocks: &[NewBlock], from: &str, to: &str) -> (Page, Page, Vec<Op>) {
    let mut after = page(blocks);
    let before = after.copy();
    let text = markdown(&after);
    assert!(text.contains(from), "{text}");
    let ops = put(&mut after, &text.replacen(from, to, 1));
    (before, after, ops)
}

#[test]
fn a_word_is_changed_in_its_place() {
    let mut bold = block("paragraph", "one two three");
    bold.marks.push(Mark {
        name: "bold".into(),
        value: json!(true),
        start: 4,
        end: 13,
    });
    bold.marks.push(Mark {
        name: "x_note".into(),
        value: json!("n"),
        start: 0,
        end: 3,
    });
    let (before, after, ops) = change(&[bold, block("paragraph", "rest")], "two", "2");
    assert_eq!(ops.len(), 3, "{ops:?}");
    assert_eq!(id_of(&after, "one 2 three"), id_of(&before, "one two three"));
    let marks: Vec<_> = tree(&after)[0]
        .marks
        .iter()
        .map(|mark| (mark.name.clone(), mark.start, mark.end))
        .collect();
    assert!(marks.contains(&("x_note".to_owned(), 0, 3)), "{marks:?}");
    assert_eq!(markdown(&after), "# Title\n\none **2 three**\n\nrest\n");
}

#[test]
fn blocks_are_put_in_taken_out_and_moved() {
    let names = ["a one", "b two", "c three", "d four"];
    let blocks: Vec<_> = names.iter().map(|name| block("paragraph", name)).collect();
    let (before, after, ops) = change(&blocks, "a one\n\nb two\n\nc three\n\nd four", "d four\n\nnew\n\na one\n\nc three");
    let kept: BTreeSet<_> = ids(&before).into_iter().collect();
    let texts: Vec<_> = ids(&after).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["d four", "new", "a one", "c three"]);
    assert_eq!(ids(&after).into_iter().filter(|block| kept.contains(block)).count(), 3);
    assert_eq!(ops.len(), 3, "{ops:?}");
}

#[test]
fn a_paragraph_that_becomes_a_heading_stays_the_same_block() {
    let (before, after, _) = change(&[block("paragraph", "Some words here")], "Some words", "## Some words");
    assert_eq!(id_of(&after, "Some words here"), id_of(&before, "Some words here"));
    assert_eq!(tree(&after)[0].kind, "heading");
    assert_eq!(tree(&after)[0].props["level"], json!(2));
}

#[test]
fn what_markdown_cannot_carry_is_left_alone() {
    let blocks = [
        with("paragraph", "red", json!({"color": "red"})),
        block("paragraph", ""),
        with("hologram", "seen", json!({"depth": [1, {"b": 2}]})),
        with("custom", "", json!({"any": 1})),
        under(block("paragraph", "parent"), [with("todo", "child", json!({"color": "blue"}))]),
        with("callout", "mind", json!({"icon": "💡"})),
        with("image", "", json!({"url": "https://a.b/c", "width": 5, "caption": "Cat"})),
        with("synced_block", "", json!({"source_block_id": "b"})),
    ];
    let (before, after, _) = change(&blocks, "red", "green");
    let kept = |page: &Page| tree(page).iter().skip(1).cloned().collect::<Vec<_>>();
    assert_eq!(kept(&after), kept(&before));
    assert_eq!(tree(&after)[0].props, tree(&before)[0].props);
    for (from, to, text) in [
        ("child", "kid", "kid"),
        ("💡 mind", "💡 the gap", "the gap"),
        ("seen", "looked at", "looked at"),
    ] {
        let (before, after, _) = change(&blocks, from, to);
        let count = |page: &Page| walk(&tree(page)).count();
        assert_eq!(count(&after), count(&before), "{from}");
        let changed = tree(&after);
        let (_, changed) = walk(&changed)
            .find(|(_, block)| block.text == text)
            .unwrap_or_else(|| panic!("{text}: {:?}", ids(&after)));
        let tree = tree(&before);
        let (_, was) = walk(&tree).find(|(_, block)| block.id == changed.id).expect("the same block");
        assert_eq!((&was.kind, &was.props), (&changed.kind, &changed.props));
    }
    let (_, after, _) = change(&blocks, "Cat", "Dog");
    assert!(tree(&after).iter().any(|block| block.props.get("caption") == Some(&json!("Dog"))));
}

#[test]
fn cells_are_changed_in_their_row() {
    let row = |cells: serde_json::Value| with("table_row", "", json!({"cells": cells}));
    let live = under(block("table_row", ""), [block("paragraph", "live one"), block("paragraph", "two")]);
    let table = under(
        with("table", "", json!({"has_header_row": true})),
        [row(json!(["h1", "h2"])), row(json!({"c1": "x", "c2": "y"})), live],
    );
    let (before, after, ops) = change(std::slice::from_ref(&table), "| x | y |", "| x | **z** |");
    assert_eq!(tree(&after)[0].children[1].id, tree(&before)[0].children[1].id);
    assert!(markdown(&after).contains("| x | **z** |"), "{ops:?}");
    let (_, after, _) = change(std::slice::from_ref(&table), "| x | y |", "| x | z |");
    assert_eq!(tree(&after)[0].children[1].props["cells"], json!({"c1": "x", "c2": "z"}));
    let (before, after, ops) = change(std::slice::from_ref(&table), "live one", "live 1");
    assert_eq!(id_of(&after, "live 1"), id_of(&before, "live one"));
    assert_eq!(ops.len(), 2, "{ops:?}");
    let (_, after, _) = change(&[table], "| x | y |\n", "");
    assert_eq!(tree(&after)[0].children.len(), 2);
}

#[test]
fn blocks_may_be_wrapped_and_unwrapped() {
    let blocks = [block("paragraph", "a one"), block("paragraph", "b two")];
    let (before, mut after, _) = change(&blocks, "a one\n\nb two", "> <!-- -->\n>\n> a one\n>\n> b two");
    assert_eq!(tree(&after)[0].kind, "quote");
    assert_eq!(id_of(&after, "b two"), id_of(&before, "b two"));
    put(&mut after, "# Title\n\na one\n\nb two\n");
    assert_eq!(ids(&after), ids(&before));
}

/// A page made of a tree of the properties, as a page that holds it.
#[test]
fn what_is_in_a_block_that_becomes_an_item_does_not_become_part_of_the_item() {
    for (kind, props) in [("paragraph", json!({})), ("heading", json!({"level": 2}))] {
        for (text, under_it) in [("- d", with("callout", "1. e", json!({}))), ("b c", block("divider", ""))] {
            let mut page = page(&[under(with(kind, text, props.clone()), [under_it])]);
            let wanted = format!("# \n\n- {}\n\n```\n\n```\n\n-----\n\n1\\. e\n", text.replace('-', "\\-"));
            put(&mut page, &wanted);
            assert_says(&page, &wanted).expect("it says that");
        }
    }
}

#[test]
fn more_blocks_look_for_theirs_than_are_left() {
    let mut page = page(&[block("paragraph", "one two"), block("paragraph", "three four")]);
    let wanted = "three four five\n\nsix seven";
    put(&mut page, wanted);
    assert_says(&page, wanted).expect("it says that");
}

fn page_of(blocks: &[Block]) -> Page {
    page(&blocks.iter().map(fresh).collect::<Vec<_>>())
}

/// A tree that a page takes: levels are needed, dividers have no text.
fn fitting(mut blocks: Vec<Block>) -> Vec<Block> {
    let mut rows = vec![blocks.as_mut_slice()];
    while let Some(row) = rows.pop() {
        for block in row {
            if block.kind == "heading" {
                block.props.insert("level".into(), json!(2));
            }
            if block.kind == "divider" {
                block.text.clear();
            }
            rows.push(&mut block.children);
        }
    }
    blocks
}

fn assert_says(page: &Page, text: &str) -> Result<(), TestCaseError> {
    let (is, wanted) = (read(&markdown(page)).expect("reads"), read(text).expect("reads"));
    prop_assert_eq!(
        (is.title.unwrap_or_default(), is.blocks),
        (wanted.title.unwrap_or_default(), wanted.blocks),
        "\n{}",
        text
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_page_saved_as_it_was_read_is_not_changed(blocks in trees()) {
        let page = page_of(&fitting(blocks));
        let saved = save(&page.mirror().title, &tree(&page), &markdown(&page)).expect("reads");
        prop_assert_eq!(saved.ops, vec![]);
        let padded = format!("\n\n{}\n\n", markdown(&page));
        prop_assert_eq!(save(&page.mirror().title, &tree(&page), &padded).expect("reads").ops, vec![]);
    }

    #[test]
    fn a_page_says_what_was_saved(blocks in trees(), other in trees(), title in select(vec!["Title", "Other", ""])) {
        let mut page = page_of(&fitting(blocks));
        let text = to_markdown(title, &fitting(other));
        put(&mut page, &text);
        assert_says(&page, &text)?;
        prop_assert_eq!(put(&mut page, &text), vec![]);
    }

    #[test]
    fn lines_that_are_mixed_up_are_saved(blocks in trees(), seed in any::<u64>()) {
        let mut page = page_of(&fitting(blocks));
        let text = markdown(&page);
        let mut parts: Vec<&str> = text.split("\n\n").collect();
        let turn = usize::try_from(seed % parts.len() as u64).expect("it is small");
        parts.rotate_left(turn);
        if seed % 3 == 0 {
            parts.pop();
        }
        let text = parts.join("\n\n");
        put(&mut page, &text);
        assert_says(&page, &text)?;
    }
}
