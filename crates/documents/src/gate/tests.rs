//! Attacks on the gate, each of bytes that are made here. After each the page has to stand: take an honest edit, save,
//! and load again.

use super::{
    Refusal,
    change::{At, Gate, Verdict},
    chunk::{self, frame, split, write_leb128},
};
use crate::{limits::Limits, op::NewBlock, op::Op, op::Pos, page::Page};
use automerge::{
    ActorId, AutoCommit, Change, ChangeHash, ExpandedChange, ObjType, ROOT, ReadDoc,
    transaction::{CommitOptions, Transactable},
};
use std::num::NonZeroU64;

const NOW: i64 = 1_795_000_000_000;

fn page() -> Page {
    let blocks = [NewBlock {
        kind: "paragraph".into(),
        text: "honest".into(),
        id: Some("b".into()),
        ..NewBlock::default()
    }];
    Page::create("Page", &blocks, &Limits::default(), NOW).expect("a page").0
}

/// An honest client's copy of the page.
fn client(page: &Page) -> AutoCommit {
    AutoCommit::load(&page.doc().save()).expect("a copy").with_actor(ActorId::random())
}

/// An honest edit by a client: a character at the start of the block.
fn honest(doc: &mut AutoCommit) -> Change {
    let blocks = doc.get(ROOT, "blocks").expect("readable").expect("blocks").1;
    let block = doc.get(&blocks, "b").expect("readable").expect("the block").1;
    let text = doc.get(&block, "text").expect("readable").expect("its text").1;
    doc.splice_text(&text, 0, 0, "x").expect("spliced");
    doc.commit_with(CommitOptions::default().with_time(1_795_000_000))
        .expect("a change");
    doc.get_last_local_change().expect("the change")
}

/// A change like an honest one, but for what `bend` does to it.
fn bent(page: &Page, bend: impl FnOnce(&mut ExpandedChange)) -> Vec<u8> {
    let mut expanded = honest(&mut client(page)).decode();
    expanded.hash = None;
    bend(&mut expanded);
    Change::from(expanded).raw_bytes().to_vec()
}

fn check(page: &Page, bytes: &[u8]) -> Result<Change, Refusal> {
    let limits = Limits::default();
    let mut gate = Gate::default();
    let mut last = Err(Refusal::Malformed("nothing"));
    for chunk in split(bytes, limits.change_bytes, limits.batch)? {
        match gate.check(At { page, limits: &limits }, &chunk, |_| true)? {
            Verdict::Admitted(change) => last = Ok(*change),
            Verdict::Known => last = Err(Refusal::Malformed("known")),
        }
    }
    last
}

/// The page takes an honest edit of a client and of its own, and survives a save.
fn stands(page: &mut Page) {
    let change = check(page, honest(&mut client(page)).raw_bytes()).expect("an honest change is admitted");
    page.apply(vec![change]).expect("applied");
    let op = Op::Insert {
        block: Some("b".into()),
        pos: Pos::At(0),
        text: "y".into(),
        marks: None,
    };
    page.edit(&[op], None, &Limits::default(), NOW).expect("an edit of our own");
    let saved = page.save_verified().expect("it can be saved and loaded");
    assert_eq!(Page::load(Some(&saved), Vec::new()).expect("it loads").heads(), page.heads());
}

#[track_caller]
fn refused(bytes: &[u8], because: &str) {
    let mut page = page();
    let refusal = check(&page, bytes).expect_err("refused").to_string();
    assert!(refusal.contains(because), "{refusal}");
    stands(&mut page);
}

#[track_caller]
fn refused_bent(because: &str, bend: impl FnOnce(&mut ExpandedChange)) {
    let mut page = page();
    let refusal = check(&page, &bent(&page, bend)).expect_err("refused").to_string();
    assert!(refusal.contains(because), "{refusal}");
    stands(&mut page);
}

#[test]
fn honest_changes_of_every_kind_are_admitted() {
    let mut page = page();
    let mut doc = client(&page);
    let blocks = doc.get(ROOT, "blocks").expect("readable").expect("blocks").1;
    let block = doc.put_object(&blocks, "c", ObjType::Map).expect("a map");
    doc.put(&block, "type", "todo").expect("put");
    doc.put(&block, "place", "|W").expect("put");
    let text = doc.put_object(&block, "text", ObjType::Text).expect("a text");
    doc.splice_text(&text, 0, 0, "some \u{1F600} text").expect("spliced");
    doc.mark(
        &text,
        automerge::marks::Mark::new("bold".to_owned(), true, 0, 4),
        automerge::marks::ExpandMark::After,
    )
    .expect("marked");
    doc.splice_text(&text, 2, 3, "").expect("deleted");
    let props = doc.put_object(&block, "props", ObjType::Map).expect("a map");
    doc.put(&props, "checked", true).expect("put");
    doc.put(&props, "checked", false).expect("put again");
    let list = doc.put_object(&props, "list", ObjType::List).expect("a list");
    doc.insert(&list, 0, 1_i64).expect("inserted");
    doc.put(&list, 0, 2_i64).expect("overwritten");
    doc.delete(&list, 0).expect("deleted");
    doc.delete(&props, "checked").expect("deleted");
    doc.commit_with(CommitOptions::default().with_time(1_795_000_000));
    let change = doc.get_last_local_change().expect("a change");
    page.apply(vec![check(&page, change.raw_bytes()).expect("admitted")])
        .expect("applied");
    assert_eq!(page.mirror().blocks["c"].text, doc.text(&text).expect("text"));
    stands(&mut page);
}

#[test]
fn an_empty_change_is_refused() {
    refused_bent("no operation", |change| change.operations.clear());
}

#[test]
fn an_operation_counter_from_nowhere_is_refused() {
    refused_bent("count from nowhere", |change| {
        change.start_op = NonZeroU64::new(u64::from(u32::MAX)).expect("a counter")
    });
    refused_bent("count from nowhere", |change| {
        change.start_op = NonZeroU64::new(500).expect("a counter")
    });
}

#[test]
fn a_time_that_overflows_is_refused() {
    refused_bent("time is not sane", |change| change.time = i64::MIN);
    refused_bent("time is not sane", |change| change.time = i64::MAX);
    refused_bent("time is not sane", |change| change.time = -1);
}

#[test]
fn a_message_of_megabytes_is_refused() {
    refused_bent("too large", |change| change.message = Some("m".repeat(3 << 20)));
}

#[test]
fn a_gap_or_a_repetition_in_the_actors_sequence_is_refused() {
    refused_bent("actor's next", |change| change.seq = 7);
    let mut page = page();
    let mut doc = client(&page);
    let first = honest(&mut doc);
    page.apply(vec![check(&page, first.raw_bytes()).expect("admitted")])
        .expect("applied");
    let mut again = first.decode();
    (again.hash, again.time) = (None, again.time + 1);
    assert!(
        check(&page, Change::from(again).raw_bytes()).is_err(),
        "the same sequence number twice"
    );
    stands(&mut page);
}

#[test]
fn a_change_without_its_ground_is_refused_and_not_kept() {
    let mut page = page();
    let mut doc = client(&page);
    honest(&mut doc);
    let orphan = honest(&mut doc);
    for _ in 0..100 {
        assert_eq!(check(&page, orphan.raw_bytes()).expect_err("refused"), Refusal::MissingDependencies);
    }
    refused_bent("not here", |change| change.deps = vec![ChangeHash([7; 32])]);
    stands(&mut page);
}

#[test]
fn a_foreign_actor_is_refused() {
    let mut page = page();
    let limits = Limits::default();
    let change = honest(&mut client(&page));
    let verdict = Gate::default().check(
        At {
            page: &page,
            limits: &limits,
        },
        change.raw_bytes(),
        |_| false,
    );
    assert_eq!(verdict.err(), Some(Refusal::ForeignActor));
    stands(&mut page);
}

#[test]
fn maps_in_maps_without_end_are_refused() {
    let page = page();
    let mut doc = client(&page);
    let mut at = ROOT;
    for _ in 0..5_000 {
        at = doc.put_object(&at, "x", ObjType::Map).expect("a map");
    }
    doc.commit_with(CommitOptions::default().with_time(1));
    let mut victim = page;
    let refusal = check(&victim, doc.get_last_local_change().expect("a change").raw_bytes())
        .expect_err("refused")
        .to_string();
    assert!(refusal.contains("nesting"), "{refusal}");
    stands(&mut victim);
}

#[test]
fn operations_on_things_that_do_not_exist_are_refused() {
    use automerge::legacy::{ElementId, Key, ObjectId, OpId};
    let ghost = OpId(1, ActorId::from(vec![9_u8; 16]));
    refused_bent("does not exist", |change| change.operations[0].obj = ObjectId::Id(ghost.clone()));
    refused_bent("does not exist", |change| {
        change.operations[0].key = Key::Seq(ElementId::Id(ghost.clone()))
    });
    refused_bent("does not fit", |change| change.operations[0].key = Key::Map("x".into()));
    refused_bent("does not fit", |change| change.operations[0].obj = ObjectId::Root);
}

#[test]
fn a_million_insertions_in_a_kilobyte_are_refused() {
    let page = page();
    let mut doc = client(&page);
    let title = doc.get(ROOT, "title").expect("readable").expect("the title").1;
    doc.splice_text(&title, 0, 0, &"a".repeat(1_000_000)).expect("spliced");
    doc.commit_with(CommitOptions::default().with_time(1));
    let bytes = doc.save_after(page.heads());
    let refusal = check(&page, &bytes).expect_err("refused").to_string();
    assert!(refusal.contains("number of operations"), "{refusal}");
}

/// A deflated chunk with a body that inflates to anything.
fn deflated(body: &[u8], claimed_checksum: [u8; 4]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(body).expect("deflated");
    let deflated = out.finish().expect("deflated");
    let mut bytes = chunk::MAGIC.to_vec();
    bytes.extend(claimed_checksum);
    bytes.push(2);
    write_leb128(&mut bytes, deflated.len() as u64);
    bytes.extend(deflated);
    bytes
}

#[test]
fn a_deflate_bomb_stops_at_the_limit() {
    refused(&deflated(&vec![0; 64 << 20], [0; 4]), "inflated");
    refused(&deflated(b"no change", [1, 2, 3, 4]), "checksum");
}

#[test]
fn an_honest_deflated_change_is_admitted() {
    let page = page();
    let change = honest(&mut client(&page));
    let raw = change.raw_bytes();
    let body = &raw[raw.len() - (raw.len() - 9 - leb_len(raw))..];
    let checksum = [raw[4], raw[5], raw[6], raw[7]];
    assert!(check(&page, &deflated(body, checksum)).is_ok());
}

fn leb_len(raw: &[u8]) -> usize {
    raw[9..].iter().position(|byte| byte & 0x80 == 0).expect("a length") + 1
}

#[test]
fn chunks_that_are_no_changes_are_refused() {
    let page = page();
    refused(&page.doc().save(), "unsupported");
    let mut bundle = page.doc().save();
    bundle[8] = 3;
    refused(&bundle, "unsupported");
    refused(b"", "nothing");
    refused(&[0x85, 0x6f, 0x4a, 0x83], "ends too early");
    refused(&[0xff; 40], "no chunk");
    let mut endless = chunk::MAGIC.to_vec();
    endless.extend([0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    refused(&endless, "number");
    let mut huge = chunk::MAGIC.to_vec();
    huge.extend([0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    refused(&huge, "too large");
}

#[test]
fn extra_bytes_behind_a_change_do_no_harm() {
    let mut page = page();
    let raw = honest(&mut client(&page)).raw_bytes().to_vec();
    let body = &raw[9 + leb_len(&raw)..];
    let mut longer = body.to_vec();
    longer.extend(b"appended");
    // Automerge keeps what a later version might write there, and so does the canonical form.
    let change = check(&page, &frame(&longer)).expect("extra bytes are part of the format");
    page.apply(vec![change]).expect("applied");
    stands(&mut page);
}

#[test]
fn random_mutations_with_a_true_checksum_never_poison_a_page() {
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    let mut rng = StdRng::seed_from_u64(20);
    let mut page = page();
    let mut admitted = 0;
    for _ in 0..3_000 {
        let raw = honest(&mut client(&page)).raw_bytes().to_vec();
        let mut body = raw[9 + leb_len(&raw)..].to_vec();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..body.len());
            body[at] = rng.random();
        }
        let Ok(change) = check(&page, &frame(&body)) else { continue };
        // What the gate lets through is tried on a copy first, as the room does after any trouble.
        let mut trial = page.copy();
        if trial.apply(vec![change]).and_then(|_| trial.save_verified()).is_ok() {
            (page, admitted) = (trial, admitted + 1);
        }
    }
    assert!(admitted > 0, "mutations of text and time are admitted");
    stands(&mut page);
}
