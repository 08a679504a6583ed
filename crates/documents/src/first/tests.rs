//! The change written down is the one that a transaction makes.

use super::{Maker, of_blocks, of_copied};
use crate::{
    draft::Draft,
    edit::{self, Scope},
    error::Error,
    limits::Limits,
    mirror::Mirror,
    op::{NewBlock, Op, Pos},
    page::Page,
    projection::Content,
    view::Mark,
};
use automerge::{
    ActorId, Automerge, Change, ObjType, ROOT, ReadDoc, TextEncoding,
    transaction::{CommitOptions, Transactable},
};
use proptest::{collection::vec, prelude::*};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

fn actor() -> ActorId {
    ActorId::from([7_u8; 16])
}

/// The same edits one after another in a transaction.
fn in_transaction(title: &str, blocks: &[NewBlock], limits: &Limits) -> Result<Change, Error> {
    let (mut doc, mut rng, mirror) = (
        Automerge::new_with_encoding(TextEncoding::Utf16CodeUnit).with_actor(actor()),
        rng(),
        Mirror::default(),
    );
    let mut tx = doc.transaction();
    tx.put(ROOT, "schema", 1_i64).expect("put");
    let text = tx.put_object(ROOT, "title", ObjType::Text).expect("put");
    tx.splice_text(&text, 0, 0, title).expect("spliced");
    tx.put_object(ROOT, "blocks", ObjType::Map).expect("put");
    let mut scope = Scope {
        tx: &mut tx,
        draft: Draft::new(&mirror),
        limits,
        rng: &mut rng,
        now_ms: 1_000,
        made: Vec::new(),
    };
    edit::first_blocks(&mut scope, blocks)?;
    let hash = tx.commit_with(CommitOptions::default().with_time(1)).0.expect("a change");
    Ok(doc.get_change_by_hash(&hash).expect("a change"))
}

fn written(title: &str, blocks: &[NewBlock], limits: &Limits) -> Result<Change, Error> {
    let maker = Maker {
        actor: &actor(),
        rng: &mut rng(),
        limits,
        at: 1,
    };
    of_blocks(maker, title, blocks)
}

fn props() -> impl Strategy<Value = serde_json::Map<String, Value>> {
    let cells = json!(["a", "", "é😀"]);
    prop_oneof![
        Just(json!({})),
        Just(json!({ "checked": true })),
        Just(json!({ "level": 2, "color": "red" })),
        Just(json!({ "cells": cells })),
        Just(json!({ "unknown": { "a": [1, { "b": null }, [2.5, "x"]], "c": {} } })),
    ]
    .prop_map(|props| props.as_object().cloned().unwrap_or_default())
}

fn mark() -> impl Strategy<Value = Mark> {
    let value = prop_oneof![
        Just(("bold", json!(true))),
        Just(("bold", json!(null))),
        Just(("link", json!("https://a.b/"))),
        Just(("link", json!("javascript:alert(1)"))),
        Just(("color", json!("red"))),
        Just(("italic", json!({ "no": "scalar" }))),
    ];
    (value, 0..12_usize, 0..8_usize).prop_map(|((name, value), start, length)| Mark {
        name: name.to_owned(),
        value,
        start,
        end: start + length,
    })
}

fn block() -> impl Strategy<Value = NewBlock> {
    let kinds = prop_oneof![
        4 => Just("paragraph"), 1 => Just("todo"), 1 => Just("heading"), 1 => Just("table"), 1 => Just("table_row"), 1 => Just("divider"),
    ];
    let id = prop_oneof![6 => Just(None), 1 => "[a-c]{1,2}".prop_map(Some), 1 => Just(Some("no id".to_owned()))];
    let leaf = (id, kinds, "[a-cé😀\n]{0,10}", vec(mark(), 0..4), props()).prop_map(|(id, kind, text, marks, props)| NewBlock {
        id,
        kind: kind.to_owned(),
        text,
        marks,
        props,
        children: Vec::new(),
    });
    leaf.prop_recursive(3, 12, 3, |inner| {
        (inner.clone(), vec(inner, 0..3)).prop_map(|(mut block, children)| {
            block.children = children;
            block
        })
    })
}

/// Only what fits, so that most cases are pages and not refusals.
fn fitting(mut block: NewBlock) -> NewBlock {
    block.kind = "paragraph".to_owned();
    block.id = None;
    block.props.retain(|name, _| name == "color");
    let units = block.text.encode_utf16().count();
    block
        .marks
        .retain(|mark| mark.end <= units && mark.value != json!("javascript:alert(1)") && !mark.value.is_object());
    block.children = std::mem::take(&mut block.children).into_iter().map(fitting).collect();
    block
}

/// Both ways: the same change, or the same refusal.
fn check(title: &str, blocks: &[NewBlock]) -> Result<(), TestCaseError> {
    let limits = Limits {
        blocks: 12,
        block_text_bytes: 20,
        ..Limits::default()
    };
    match (in_transaction(title, blocks, &limits), written(title, blocks, &limits)) {
        (Ok(theirs), Ok(ours)) => {
            prop_assert_eq!(theirs.decode(), ours.decode());
            prop_assert_eq!(theirs.raw_bytes(), ours.raw_bytes());
            prop_assert_eq!(theirs.hash(), ours.hash());
        }
        (Err(theirs), Err(ours)) => prop_assert_eq!(theirs.to_string(), ours.to_string()),
        (theirs, ours) => prop_assert!(false, "{:?} and {:?}", theirs.err(), ours.err()),
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_page_is_the_change_that_a_transaction_makes(title in "[a-zé😀]{0,6}", blocks in vec(block(), 0..4)) {
        check(&title, &blocks)?;
    }

    #[test]
    fn a_page_that_fits_is_too(title in "[a-z]{0,6}", blocks in vec(block().prop_map(fitting), 0..4)) {
        check(&title, &blocks)?;
    }

    #[test]
    fn a_copy_says_what_the_page_says(blocks in vec(block().prop_map(fitting), 0..4)) {
        let (page, _) = Page::create("T", &blocks, &Limits::default(), 1).expect("a page");
        let content = Content::from(page.mirror());
        let maker = Maker { actor: &actor(), rng: &mut rng(), limits: &Limits::default(), at: 1 };
        let change = of_copied(maker, &content.title, &content.blocks);
        let copy = Page::load(None, vec![change]).expect("a page");
        prop_assert_eq!(Content::from(copy.mirror()), content);
    }
}

#[test]
fn a_new_page_takes_edits_and_can_be_saved() {
    let block = NewBlock {
        id: Some("a".to_owned()),
        kind: "paragraph".to_owned(),
        text: "one".to_owned(),
        ..NewBlock::default()
    };
    let (mut page, first) = Page::create("T", &[block], &Limits::default(), 1_000).expect("a page");
    let op = Op::Insert {
        block: Some("a".to_owned()),
        pos: Pos::At(3),
        text: " two".to_owned(),
        marks: None,
    };
    let edited = page.edit(&[op], None, &Limits::default(), 2_000).expect("edited");
    let second = edited.change.expect("a change");
    assert_eq!((first.seq(), second.seq()), (1, 2));
    assert_eq!(second.actor_id(), first.actor_id());
    let again = Page::load(Some(&page.save_verified().expect("saved")), Vec::new()).expect("a page");
    assert_eq!(again.mirror().live("a").map(|block| block.text.as_str()), Some("one two"));
}
