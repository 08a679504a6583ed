//! The page as the writers of a run know it, for the protocols whose clients write Automerge changes themselves.
//!
//! All writers of a page share one replica, fed by one connection with what the server has sent; each edit is made on
//! a fork of it that has the writer's own unconfirmed changes too. So every change builds on what the server has told,
//! as an honest client's does, and a thousand writers do not apply every change a thousand times.

use anyhow::{Context, Result};
use automerge::{
    ActorId, Automerge, ChangeHash, ObjId, ROOT, ReadDoc,
    transaction::{CommitOptions, Transactable},
};

use crate::{marker, sync::Standing};

/// A page, as far as the server has told it.
#[derive(Default)]
pub struct Replica {
    doc: Automerge,
    pending: Vec<u8>,
    texts: Vec<ObjId>,
}

/// A writer's own part.
pub struct Pen {
    actor: ActorId,
    own: Vec<(ChangeHash, Vec<u8>)>,
}

impl Default for Pen {
    fn default() -> Self {
        Self {
            actor: ActorId::random(),
            own: Vec::new(),
        }
    }
}

impl Pen {
    /// Its own changes up to one that the server has.
    pub fn confirmed(&self, last: &ChangeHash) -> impl Iterator<Item = &[u8]> {
        let count = self.own.iter().position(|(hash, _)| hash == last).map_or(0, |at| at + 1);
        self.own[..count].iter().map(|(_, change)| change.as_slice())
    }
}

/// An edit that was made.
pub struct Made {
    /// The change with the marker.
    pub hash: ChangeHash,
    /// The new changes, one after the other.
    pub chunks: Vec<u8>,
    /// The same as a sync message would tell it.
    pub standing: Standing,
}

/// What to write where.
pub struct Edit<'a> {
    /// The block, by its place among the page's.
    pub block: usize,
    /// The text to insert at its beginning.
    pub text: &'a str,
    /// How many markers the block keeps when it is cut; 0 to keep all.
    pub keep: usize,
}

impl Replica {
    /// Takes chunks that the server has sent. They are applied when somebody writes.
    pub fn feed(&mut self, chunks: &[u8]) {
        self.pending.extend_from_slice(chunks);
    }

    /// Makes an edit: inserts at the beginning of a block, after cutting its end when it has grown to twice its size.
    pub fn write(&mut self, pen: &mut Pen, edit: &Edit<'_>, blocks: &[String]) -> Result<Made> {
        self.catch_up(blocks)?;
        pen.own.retain(|(hash, _)| self.doc.get_change_by_hash(hash).is_none());
        let mut fork = self.doc.fork().with_actor(pen.actor.clone());
        let unconfirmed: Vec<u8> = pen.own.iter().flat_map(|(_, change)| change.iter().copied()).collect();
        fork.load_incremental(&unconfirmed).context("own changes do not apply")?;
        let text = self.texts.get(edit.block).context("the page has no such block")?;
        let cut = cut(fork.length(text), edit.keep);
        let mut new = Vec::new();
        if let Some((from, len)) = cut {
            new.push(commit(&mut fork, text, (from, len, ""))?);
        }
        new.push(commit(&mut fork, text, (0, 0, edit.text))?);
        let hash = new.last().map(|(hash, _)| *hash).context("nothing was written")?;
        pen.own.extend(new.iter().cloned());
        let standing = Standing {
            heads: fork.get_heads(),
            shared: self.doc.get_heads(),
            unconfirmed: pen.own.iter().map(|(hash, _)| *hash).collect(),
            new: new.iter().map(|(_, change)| change.clone()).collect(),
        };
        Ok(Made {
            hash,
            chunks: new.into_iter().flat_map(|(_, change)| change).collect(),
            standing,
        })
    }

    fn catch_up(&mut self, blocks: &[String]) -> Result<()> {
        if !self.pending.is_empty() {
            self.doc
                .load_incremental(&self.pending)
                .context("what the server sent does not apply")?;
            self.pending.clear();
        }
        if self.texts.is_empty() {
            self.texts = blocks
                .iter()
                .map(|id| text_of(&self.doc, id))
                .collect::<Option<_>>()
                .context("a block has no text")?;
        }
        Ok(())
    }
}

/// What to delete from a text of this length: position and length. Whole markers only.
pub fn cut(len: usize, keep: usize) -> Option<(usize, usize)> {
    let kept = keep * marker::LEN;
    (keep > 0 && len >= 2 * kept).then_some((kept, kept))
}

fn text_of(doc: &Automerge, block: &str) -> Option<ObjId> {
    let (_, blocks) = doc.get(ROOT, "blocks").ok()??;
    let (_, block) = doc.get(blocks, block).ok()??;
    let (_, text) = doc.get(block, "text").ok()??;
    Some(text)
}

fn commit(doc: &mut Automerge, text: &ObjId, splice: (usize, usize, &str)) -> Result<(ChangeHash, Vec<u8>)> {
    let (at, delete, insert) = splice;
    let mut tx = doc.transaction();
    tx.splice_text(text, at, delete as isize, insert)
        .context("the text cannot be edited")?;
    let (hash, _) = tx.commit_with(CommitOptions::default().with_time(0));
    let hash = hash.context("an edit changed nothing")?;
    let change = doc.get_change_by_hash(&hash).context("a change is not there")?;
    Ok((hash, change.raw_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use automerge::ObjType;

    const BLOCKS: [&str; 2] = ["one", "two"];

    fn page() -> Vec<u8> {
        let mut doc = Automerge::new();
        let mut tx = doc.transaction();
        let blocks = tx.put_object(ROOT, "blocks", ObjType::Map).expect("a map");
        for id in BLOCKS {
            let block = tx.put_object(&blocks, id, ObjType::Map).expect("a map");
            tx.put_object(&block, "text", ObjType::Text).expect("a text");
        }
        tx.commit();
        doc.save()
    }

    fn text(server: &Automerge, block: usize) -> String {
        server.text(text_of(server, BLOCKS[block]).expect("a text")).expect("readable")
    }

    #[test]
    fn writers_that_hear_nothing_of_each_other_send_changes_that_fit_the_server() {
        let blocks = BLOCKS.map(str::to_owned);
        let page = page();
        let mut server = Automerge::load(&page).expect("loads");
        let mut replica = Replica::default();
        replica.feed(&page);
        let mut pens = [Pen::default(), Pen::default()];
        for round in 0..3 {
            for (i, pen) in pens.iter_mut().enumerate() {
                let marker = marker::Marker {
                    writer: i as u32,
                    number: round,
                    sent: 1,
                }
                .text();
                let made = replica
                    .write(
                        pen,
                        &Edit {
                            block: 0,
                            text: &marker,
                            keep: 1,
                        },
                        &blocks,
                    )
                    .expect("written");
                assert!(made.standing.unconfirmed.len() > round as usize, "nothing was confirmed yet");
                server.load_incremental(&made.chunks).expect("applies");
                assert!(server.get_change_by_hash(&made.hash).is_some(), "nothing was missing");
                assert_eq!(server.get_missing_deps(&[]), []);
                let mut found = Vec::new();
                marker::find(&made.chunks, |marker| found.push(marker.number));
                assert_eq!(found, [round], "the text stands in the change as it is");
            }
        }
        replica.feed(&server.save());
        let made = replica
            .write(
                &mut pens[0],
                &Edit {
                    block: 0,
                    text: "x",
                    keep: 1,
                },
                &blocks,
            )
            .expect("written");
        assert_eq!(made.standing.shared, server.get_heads());
        server.load_incremental(&made.chunks).expect("applies");
        assert!(text(&server, 0).len() < 6 * marker::LEN, "what was too much was cut");
        assert_eq!(text(&server, 1), "");
    }

    #[test]
    fn only_whole_markers_are_cut() {
        assert_eq!(cut(1_000_000, 0), None);
        assert_eq!(cut(4 * marker::LEN - 1, 2), None);
        assert_eq!(cut(4 * marker::LEN, 2), Some((2 * marker::LEN, 2 * marker::LEN)));
    }
}
