//! Whatever was done to a page, it comes back as it was, and what others do meanwhile stays.

use super::*;
use crate::{
    limits::Limits,
    op::{Expand, NewBlock, Op, Place, Pos},
    projection::Content,
    view::{Block, Mark, walk},
};
use proptest::prelude::*;
use serde_json::json;

fn op(value: serde_json::Value) -> Op {
    serde_json::from_value(value).unwrap()
}

fn block(id: &str, text: &str) -> NewBlock {
    serde_json::from_value(json!({ "id": id, "text": text })).unwrap()
}

fn page() -> Page {
    let blocks = [block("a", "Alpha"), block("b", "Beta"), block("c", "Gamma 😀")];
    Page::create("Title", &blocks, &Limits::default(), 0).unwrap().0
}

fn does(page: &mut Page, ops: &[Op]) {
    page.edit(ops, None, &Limits::default(), 1_000).unwrap();
}

/// Marks that touch and say the same are one, whoever tells them.
fn settled(marks: &[Mark]) -> Vec<Mark> {
    let mut marks: Vec<Mark> = marks.iter().filter(|mark| mark.start < mark.end).cloned().collect();
    marks.sort_by(|a, b| (&a.name, a.start, a.end).cmp(&(&b.name, b.start, b.end)));
    let mut out: Vec<Mark> = Vec::new();
    for mark in marks {
        match out.last_mut() {
            Some(last) if (&last.name, &last.value, last.end) == (&mark.name, &mark.value, mark.start) => last.end = mark.end,
            _ => out.push(mark),
        }
    }
    out
}

fn sorted_props(block: &Block) -> Vec<(String, String)> {
    let mut props: Vec<_> = block.props.iter().map(|(k, v)| (k.clone(), v.to_string())).collect();
    props.sort();
    props
}

type Shown = Vec<(usize, String, String, String, Vec<Mark>, Vec<(String, String)>)>;

/// What a reader sees.
fn shown(content: &Content) -> (String, Shown) {
    let blocks = walk(&content.blocks)
        .map(|(depth, b)| {
            (
                depth,
                b.id.clone(),
                b.kind.clone(),
                b.text.clone(),
                settled(&b.marks),
                sorted_props(b),
            )
        })
        .collect();
    (content.title.clone(), blocks)
}

fn now(page: &Page) -> (String, Shown) {
    shown(&Content::from(page.mirror()))
}

#[test]
fn a_deleted_block_comes_back_as_itself() {
    let mut page = page();
    let (heads, before) = (page.heads().to_vec(), now(&page));
    let object = page.mirror().blocks["b"].object.clone();
    does(
        &mut page,
        &[
            op(json!({ "op": "block_delete", "id": "b" })),
            op(json!({ "op": "put", "path": "title", "value": "Other" })),
        ],
    );
    let restored = page.restore(&heads, None, 2_000).unwrap();
    assert_eq!(now(&page), before);
    assert_eq!(page.mirror().blocks["b"].object, object);
    let ops = crate::patches::to_ops(&restored.patches, page.mirror());
    assert!(
        ops.iter()
            .any(|op| op["op"] == "block_insert" && op["id"] == "b" && op["text"] == "Beta"),
        "{ops:?}"
    );
}

#[test]
fn only_what_differs_is_written() {
    let mut page = page();
    let heads = page.heads().to_vec();
    assert!(page.restore(&heads, None, 2_000).unwrap().change.is_none(), "nothing to do");
    does(&mut page, &[op(json!({ "op": "insert", "block": "a", "pos": 5, "text": "!" }))]);
    let change = page.restore(&heads, None, 2_000).unwrap().change.unwrap();
    assert_eq!(change.len(), 1, "one character is taken out");
    assert!(change.deps().iter().all(|dep| page.has(dep)));
}

#[test]
fn what_others_did_since_it_was_seen_stays() {
    let mut page = page();
    let first = page.heads().to_vec();
    does(
        &mut page,
        &[op(json!({ "op": "replace", "block": "a", "pos": 0, "len": 5, "text": "Omega" }))],
    );
    let seen = page.heads().to_vec();
    does(
        &mut page,
        &[op(json!({ "op": "insert", "block": "b", "pos": 0, "text": "<mine>" }))],
    );
    page.restore(&first, Some(&seen), 2_000).unwrap();
    assert_eq!(page.mirror().blocks["a"].text, "Alpha");
    assert_eq!(page.mirror().blocks["b"].text, "<mine>Beta");
}

#[test]
fn a_state_that_never_was_is_refused() {
    let mut page = page();
    let never = [ChangeHash([7; 32])];
    assert!(matches!(page.restore(&never, None, 0), Err(Error::StateNotFound)));
    let heads = page.heads().to_vec();
    assert!(matches!(page.restore(&heads, Some(&never), 0), Err(Error::BaseUnknown)));
}

#[test]
fn values_come_back_with_their_types() {
    let mut page = page();
    let props = json!({ "level": 2, "x_list": [1, { "deep": ["é", null] }], "x_flag": true });
    does(
        &mut page,
        &[op(json!({ "op": "block_set", "id": "a", "key": "props", "value": props }))],
    );
    let (heads, before) = (page.heads().to_vec(), now(&page));
    does(
        &mut page,
        &[op(json!({ "op": "block_set", "id": "a", "key": "props", "value": { "y": 1 } }))],
    );
    page.restore(&heads, None, 2_000).unwrap();
    assert_eq!(now(&page), before);
}

/// A number for everything that an edit may be; what it means depends on the page.
type Dice = (u8, u16, u16, u16);

const NAMES: [&str; 3] = ["bold", "italic", "highlight"];

fn rolled(page: &Page, fresh: usize, (kind, a, b, c): Dice) -> Op {
    let order = crate::tree::reading_order(&page.mirror().children);
    let pick = |n: u16| order.get(usize::from(n) % order.len().max(1)).cloned().unwrap_or_default();
    let id = pick(a);
    let len = page.mirror().blocks.get(&id).map_or(0, |e| e.text.encode_utf16().count());
    let at = usize::from(b) % (len + 1);
    let span = usize::from(c) % (len - at + 1);
    let (block, pos) = (Some(id.clone()), Pos::At(at));
    match kind % 12 {
        0 | 1 => Op::Insert {
            block,
            pos,
            text: ["x", "é😀", "two words "][usize::from(c) % 3].to_owned(),
            marks: None,
        },
        2 => Op::Delete { block, pos, len: span },
        3 => Op::Replace {
            block,
            pos,
            len: span,
            text: format!("r{c}"),
        },
        4 | 5 => Op::Format {
            block,
            pos,
            len: span,
            name: NAMES[usize::from(a) % 3].to_owned(),
            value: json!(c % 2 == 0),
            expand: [Expand::After, Expand::None, Expand::Both][usize::from(c) % 3],
        },
        6 => Op::BlockInsert {
            block: NewBlock {
                id: Some(format!("n{fresh}")),
                kind: "paragraph".to_owned(),
                text: format!("new {b}"),
                ..NewBlock::default()
            },
            place: Place {
                parent: (c % 2 == 0).then(|| id.clone()),
                ..Place::default()
            },
        },
        7 => Op::BlockMove {
            id,
            place: Place {
                parent: Some(if c % 3 == 0 { String::new() } else { pick(c) }),
                ..Place::default()
            },
        },
        8 => Op::BlockDelete { id },
        9 => Op::BlockSplit {
            id,
            pos,
            new_id: Some(format!("s{fresh}")),
        },
        10 => Op::BlockMerge { id, into: None },
        _ => match c % 3 {
            0 => {
                let kind = ["todo", "quote", "paragraph"][usize::from(b) % 3];
                op(json!({ "op": "block_set", "id": id, "key": "type", "value": kind }))
            }
            1 => op(json!({ "op": "block_set", "id": id, "key": "props.x_any", "value": [b, { "a": c }] })),
            _ => op(json!({ "op": "put", "path": "title", "value": format!("Title {b}") })),
        },
    }
}

fn plays(page: &mut Page, dice: &[Dice], from: usize) {
    for (i, roll) in dice.iter().enumerate() {
        let op = rolled(page, from + i, *roll);
        // What does not fit the page is refused, as it would be for anybody.
        drop(page.edit(&[op], None, &Limits::default(), 1_000));
    }
}

/// Two people at the same time: what one does, seen from where both began, merged.
fn plays_apart(page: &mut Page, dice: &[Dice], from: usize) {
    let base = page.heads().to_vec();
    for (i, roll) in dice.iter().enumerate() {
        let op = rolled(page, from + i, *roll);
        drop(page.edit(&[op], Some(&base), &Limits::default(), 1_000));
    }
}

fn dice() -> impl Strategy<Value = Vec<Dice>> {
    prop::collection::vec(any::<Dice>(), 0..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_page_comes_back_whatever_was_done(first in dice(), apart in dice(), then in dice()) {
        let mut page = page();
        plays(&mut page, &first, 0);
        plays_apart(&mut page, &apart, 100);
        let (heads, before) = (page.heads().to_vec(), now(&page));
        plays(&mut page, &then, 200);
        plays_apart(&mut page, &apart, 300);
        prop_assert_eq!(&shown(&page.past().content_at(&heads).unwrap()), &before, "the past reads as it was");
        page.restore(&heads, None, 2_000).unwrap();
        prop_assert_eq!(&now(&page), &before, "it is as it was");
        let fresh = Content::from(&Mirror::read(page.doc()));
        prop_assert_eq!(&shown(&fresh), &before, "and the document says so");
        let again = Page::load(None, page.doc().get_changes(&[])).unwrap();
        prop_assert_eq!(&now(&again), &before, "and so it is for whoever loads it");
        prop_assert!(page.restore(&heads, None, 3_000).unwrap().change.is_none(), "nothing is left to do");
    }
}

#[test]
fn marks_of_several_blocks_in_one_batch_are_told_of_each() {
    let mut page = page();
    let format =
        |block: &str, len: usize| op(json!({ "op": "format", "block": block, "pos": 0, "len": len, "name": "bold", "value": true }));
    let edited = page.edit(&[format("a", 2), format("b", 3)], None, &Limits::default(), 0).unwrap();
    assert_eq!(
        (page.mirror().blocks["a"].marks[0].end, page.mirror().blocks["b"].marks[0].end),
        (2, 3)
    );
    let ops = crate::patches::to_ops(&edited.patches, page.mirror());
    let told: Vec<_> = ops
        .iter()
        .map(|op| (op["id"].as_str().unwrap(), op["value"][0]["end"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("a", 2), ("b", 3)]);
    assert_eq!(page.mirror().blocks, Mirror::read(page.doc()).blocks);
}
