//! What is put together by hand is what Automerge itself would take, and adds up.

use super::*;
use crate::marker::{self, Marker};
use automerge::{ObjType, transaction::Transactable};

const BLOCKS: [&str; 2] = ["one", "two"];

fn page() -> Automerge {
    let mut doc = Automerge::new();
    let mut tx = doc.transaction();
    let blocks = tx.put_object(ROOT, "blocks", ObjType::Map).expect("a map");
    for id in BLOCKS {
        let block = tx.put_object(&blocks, id, ObjType::Map).expect("a map");
        tx.put_object(&block, "text", ObjType::Text).expect("a text");
    }
    tx.commit();
    doc
}

fn text(doc: &Automerge, block: &str) -> String {
    let OpId(counter, actor) = text_of(doc, block).expect("a text");
    doc.text(ObjId::Id(counter, actor, 0)).expect("readable")
}

fn tip_of(doc: &Automerge) -> Tip {
    let mut tip = Tip::default();
    tip.feed(&doc.save(), &BLOCKS.map(str::to_owned)).expect("the page loads");
    tip
}

/// A server that refuses a change whose ground it does not have, and tells what it takes to the tip, now or later.
struct Server {
    doc: Automerge,
    told: Vec<u8>,
}

impl Server {
    fn take(&mut self, made: &Made) {
        self.doc.load_incremental(&made.change).expect("it applies");
        assert!(self.doc.get_change_by_hash(&made.hash).is_some(), "nothing was missing");
        self.told.extend_from_slice(&made.change);
    }

    fn tell(&mut self, tip: &mut Tip) {
        tip.feed(&std::mem::take(&mut self.told), &[]).expect("changes decode");
        let mut heads = tip.heads.clone();
        heads.sort_unstable();
        assert_eq!(heads, self.doc.get_heads());
    }
}

fn line(writer: u32, number: u32) -> String {
    Marker { writer, number, sent: 1 }.text()
}

#[test]
fn writers_who_hear_late_of_each_other_send_what_fits_and_delete_what_they_wrote() {
    let mut server = Server {
        doc: page(),
        told: Vec::new(),
    };
    let mut tip = tip_of(&server.doc);
    let mut pens = [Pen::default(), Pen::default(), Pen::default()];
    for number in 0..30 {
        for (writer, pen) in pens.iter_mut().enumerate() {
            let line = line(writer as u32, number);
            let made = tip
                .write(
                    pen,
                    &Edit {
                        block: writer % 2,
                        text: &line,
                        keep: 3,
                    },
                )
                .expect("written");
            server.take(&made);
            let mut found = Vec::new();
            marker::find(&made.change, |marker| found.push((marker.writer, marker.number)));
            assert_eq!(found, [(writer as u32, number)], "the text stands in the change as it is");
        }
        if number % 4 == 3 {
            server.tell(&mut tip);
        }
    }
    let reloaded = Automerge::load(&server.doc.save()).expect("it loads again");
    for block in BLOCKS {
        assert_eq!(text(&reloaded, block), text(&server.doc, block));
    }
    let kept: VecDeque<u64> = pens[1].lines.iter().map(|(_, len)| *len).collect();
    assert!((3..=6).contains(&kept.len()) && kept.iter().all(|len| *len == marker::LEN as u64));
    let expected: String = (30 - kept.len() as u32..30).rev().map(|number| line(1, number)).collect();
    assert_eq!(text(&server.doc, BLOCKS[1]), expected);
}

#[test]
fn an_edit_is_byte_for_byte_what_automerge_would_have_written() {
    let mut doc = page();
    let (tip, mut pen) = (tip_of(&doc), Pen::default());
    let line = line(4, 2);
    let made = tip
        .write(
            &mut pen,
            &Edit {
                block: 0,
                text: &line,
                keep: 0,
            },
        )
        .expect("written");
    doc.set_actor(pen.actor.clone());
    let OpId(counter, actor) = text_of(&doc, BLOCKS[0]).expect("a text");
    let mut tx = doc.transaction();
    tx.splice_text(ObjId::Id(counter, actor, 0), 0, 0, &line).expect("inserted");
    let (hash, _) = tx.commit_with(automerge::transaction::CommitOptions::default().with_time(0));
    assert_eq!(hash, Some(made.hash));
    assert_eq!((made.unconfirmed, pen.own(&made.hash)), (vec![made.hash], Some(&made.change[..])));
}

#[test]
fn chunks_are_split_where_they_end_and_nowhere_else() {
    let doc = page();
    let changes: Vec<u8> = doc.get_changes(&[]).iter().flat_map(|change| change.raw_bytes().to_vec()).collect();
    let mut tip = Tip::default();
    tip.feed(&[changes.clone(), changes.clone()].concat(), &[]).expect("the same twice");
    assert_eq!(tip.heads, doc.get_heads());
    for broken in [
        &changes[1..],
        &changes[..changes.len() - 1],
        &changes[..9],
        b"\x85\x6f\x4a\x83 sum\x03\x00".as_slice(),
    ] {
        assert!(Tip::default().feed(broken, &[]).is_err());
    }
    let nothing = Tip::default().write(
        &mut Pen::default(),
        &Edit {
            block: 0,
            text: "x",
            keep: 0,
        },
    );
    assert!(nothing.is_err(), "nobody writes before the page is there");
}
