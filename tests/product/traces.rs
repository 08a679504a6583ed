//! Real editing histories, replayed through the engine: what comes out is exactly the text that was recorded.

use automerge::Change;
use documents::{
    limits::Limits,
    op::{NewBlock, Op, Pos},
    page::Page,
};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::{collections::BTreeSet, fs::File, path::PathBuf};

fn trace(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/traces").join(name);
    serde_json::from_reader(GzDecoder::new(File::open(path).expect("the trace"))).expect("JSON")
}

fn empty_page() -> (Page, Change) {
    let block = NewBlock {
        id: Some("text".into()),
        kind: "paragraph".into(),
        ..NewBlock::default()
    };
    Page::create("Trace", &[block], &Limits::default(), 0).expect("a page")
}

/// The patches of one transaction as edits. The traces are ASCII where it matters, so code points are UTF-16 units.
fn edits(transaction: &Value) -> Vec<Op> {
    let patches = transaction["patches"].as_array().expect("patches");
    let edit = |patch: &Value| {
        let number = |i: usize| patch[i].as_u64().expect("a number") as usize;
        Op::Replace {
            block: Some("text".into()),
            pos: Pos::At(number(0)),
            len: number(1),
            text: patch[2].as_str().expect("a text").to_owned(),
        }
    };
    patches.iter().map(edit).collect()
}

fn write(page: &mut Page, ops: &[Op]) -> Option<Change> {
    page.edit(ops, None, &Limits::default(), 0).expect("the edit fits").change
}

#[test]
fn one_authors_history_ends_in_the_recorded_text() {
    let trace = trace("sveltecomponent.json.gz");
    let (mut page, _) = empty_page();
    let transactions = trace["txns"].as_array().expect("transactions");
    // Many transactions as one batch: the order of edits is what counts here, and a batch is one change.
    for some in transactions.chunks(20) {
        let ops: Vec<Op> = some.iter().flat_map(edits).collect();
        write(&mut page, &ops);
    }
    assert_eq!(page.mirror().blocks["text"].text, trace["endContent"].as_str().expect("a text"));
    let saved = page.save_verified().expect("it can be saved");
    let again = Page::load(Some(&saved), Vec::new()).expect("it loads");
    assert_eq!(again.mirror(), &mirror_of(&page));
}

/// The mirror as a fresh reading of the document gives it.
fn mirror_of(page: &Page) -> documents::mirror::Mirror {
    documents::mirror::Mirror::read(page.doc())
}

/// One of two authors: a replica, and which transactions it has.
struct Author {
    page: Page,
    has: BTreeSet<usize>,
}

#[test]
fn two_authors_at_once_end_in_the_recorded_text_on_both_replicas() {
    let trace = trace("friendsforever.json.gz");
    let transactions = trace["txns"].as_array().expect("transactions");
    let parents: Vec<Vec<usize>> = transactions
        .iter()
        .map(|t| {
            t["parents"]
                .as_array()
                .expect("parents")
                .iter()
                .map(|p| p.as_u64().expect("an index") as usize)
                .collect()
        })
        .collect();
    let (_, first) = empty_page();
    let author = || Author {
        page: Page::load(None, vec![first.clone()]).expect("a replica"),
        has: BTreeSet::new(),
    };
    let mut authors = [author(), author()];
    let mut changes: Vec<Option<Change>> = Vec::with_capacity(transactions.len());
    for (i, transaction) in transactions.iter().enumerate() {
        let author = &mut authors[transaction["agent"].as_u64().expect("an agent") as usize];
        catch_up(author, &parents[i], &parents, &changes);
        changes.push(write(&mut author.page, &edits(transaction)));
        author.has.insert(i);
    }
    let last: Vec<usize> = (0..transactions.len()).collect();
    let expected = trace["endContent"].as_str().expect("a text");
    for author in &mut authors {
        catch_up(author, &last, &parents, &changes);
        assert_eq!(author.page.mirror().blocks["text"].text, expected);
    }
    assert_eq!(authors[0].page.heads(), authors[1].page.heads());
}

/// Gives an author everything that a transaction of theirs builds on, in one batch.
fn catch_up(author: &mut Author, wanted: &[usize], parents: &[Vec<usize>], changes: &[Option<Change>]) {
    let mut missing = BTreeSet::new();
    let mut stack: Vec<usize> = wanted.iter().copied().filter(|i| !author.has.contains(i)).collect();
    while let Some(i) = stack.pop() {
        if missing.insert(i) {
            stack.extend(
                parents[i]
                    .iter()
                    .copied()
                    .filter(|p| !author.has.contains(p) && !missing.contains(p)),
            );
        }
    }
    let batch: Vec<Change> = missing.iter().filter_map(|i| changes[*i].clone()).collect();
    if !batch.is_empty() {
        author.page.apply(batch).expect("honest changes");
    }
    author.has.extend(missing);
}
