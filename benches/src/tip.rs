//! The end of a page's history, as the server has told it: all that is needed to write an honest Automerge change.
//!
//! A document in memory would make this program slower than the server it measures. So an edit is put together by
//! hand: text at the beginning of a block stands on no other text, and a writer deletes only what it wrote itself. All
//! writers of a page share one tip, fed by one connection; what a writer has sent and the server has not yet told back
//! is the writer's own.

use anyhow::{Context, Result, bail};
use automerge::{
    ActorId, Automerge, Change, ChangeHash, ExpandedChange, ObjId, ROOT, ReadDoc,
    legacy::{ElementId, Key, ObjectId, Op, OpId, OpType},
};
use std::{
    collections::{HashSet, VecDeque},
    num::NonZeroU64,
};

/// How every chunk begins, and how long that and the checksum behind it are.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const HEAD: usize = 8;

/// Where a page stands.
#[derive(Default)]
pub struct Tip {
    heads: Vec<ChangeHash>,
    known: HashSet<ChangeHash>,
    max_op: u64,
    /// The texts of the page's blocks.
    texts: Vec<OpId>,
}

/// A writer's own part.
pub struct Pen {
    actor: ActorId,
    seq: u64,
    max_op: u64,
    /// Changes that the server has not told back.
    own: Vec<(ChangeHash, Vec<u8>)>,
    /// Changes that they build on.
    covered: Vec<ChangeHash>,
    /// What it wrote and did not delete: the first operation of each line, and how many there are.
    lines: VecDeque<(u64, u64)>,
}

impl Default for Pen {
    fn default() -> Self {
        let (own, covered, lines) = (Vec::new(), Vec::new(), VecDeque::new());
        Self {
            actor: ActorId::random(),
            seq: 0,
            max_op: 0,
            own,
            covered,
            lines,
        }
    }
}

impl Pen {
    /// Its own change, for the tip of a page whose server does not tell it back.
    pub fn own(&self, hash: &ChangeHash) -> Option<&[u8]> {
        self.own.iter().find(|(own, _)| own == hash).map(|(_, change)| change.as_slice())
    }

    fn next_op(&self) -> u64 {
        self.max_op + 1
    }

    /// Inserts at the beginning of a text, one operation for each character.
    fn insert(&mut self, text: &OpId, line: &str) -> Vec<Op> {
        let first = self.next_op();
        let mut after = ElementId::Head;
        let mut ops = Vec::new();
        for char in line.chars() {
            let action = OpType::Put(char.to_string().as_str().into());
            ops.push(Op {
                action,
                obj: ObjectId::Id(text.clone()),
                key: Key::Seq(after),
                pred: Vec::new().into(),
                insert: true,
            });
            self.max_op += 1;
            after = ElementId::Id(OpId::new(self.max_op, &self.actor));
        }
        self.lines.push_back((first, ops.len() as u64));
        ops
    }

    /// Deletes the older half of its lines once there are twice as many as it keeps; none when it keeps all.
    fn delete(&mut self, text: &OpId, keep: usize) -> Vec<Op> {
        if keep == 0 || self.lines.len() <= 2 * keep {
            return Vec::new();
        }
        let lines: Vec<(u64, u64)> = self.lines.drain(..keep).collect();
        let gone = lines
            .into_iter()
            .flat_map(|(first, len)| first..first + len)
            .map(|op| OpId::new(op, &self.actor));
        let op = |id: OpId| Op {
            action: OpType::Delete,
            obj: ObjectId::Id(text.clone()),
            key: Key::Seq(ElementId::Id(id.clone())),
            pred: vec![id].into(),
            insert: false,
        };
        let ops: Vec<Op> = gone.map(op).collect();
        self.max_op += ops.len() as u64;
        ops
    }
}

/// What to write where.
pub struct Edit<'a> {
    /// The block, by its place among the page's.
    pub block: usize,
    /// The text to insert at its beginning.
    pub text: &'a str,
    /// How many of its own lines the writer keeps when it deletes; 0 to delete nothing.
    pub keep: usize,
}

/// An edit that was made.
pub struct Made {
    /// Its change, which is the writer's only head.
    pub hash: ChangeHash,
    /// The change, uncompressed, so that its text can be found in it.
    pub change: Vec<u8>,
    /// The heads that the server has told.
    pub shared: Vec<ChangeHash>,
    /// What of the writer's changes the server has not told back, this one included.
    pub unconfirmed: Vec<ChangeHash>,
}

impl Tip {
    /// Takes chunks that the server has sent: the page whole at first, then changes.
    pub fn feed(&mut self, mut chunks: &[u8], blocks: &[String]) -> Result<()> {
        while !chunks.is_empty() {
            let (kind, len) = chunk(chunks)?;
            let (chunk, rest) = chunks.split_at_checked(len).context("a chunk ends too early")?;
            match kind {
                0 => self.load(chunk, blocks)?,
                1 | 2 => self.note(&Change::try_from(chunk).context("a change does not decode")?),
                other => bail!("a chunk of type {other} is not understood here"),
            }
            chunks = rest;
        }
        Ok(())
    }

    fn load(&mut self, chunk: &[u8], blocks: &[String]) -> Result<()> {
        let doc = Automerge::load(chunk).context("the page does not load")?;
        doc.get_changes(&[]).iter().for_each(|change| self.note(change));
        self.texts = blocks
            .iter()
            .map(|id| text_of(&doc, id))
            .collect::<Option<_>>()
            .context("a block has no text")?;
        Ok(())
    }

    fn note(&mut self, change: &Change) {
        if self.known.insert(change.hash()) {
            self.heads.retain(|head| !change.deps().contains(head));
            self.heads.push(change.hash());
            self.max_op = self.max_op.max(change.max_op());
        }
    }

    /// Makes an edit on top of what the server has told and of what the writer has sent already.
    pub fn write(&self, pen: &mut Pen, edit: &Edit<'_>) -> Result<Made> {
        let text = self
            .texts
            .get(edit.block)
            .context("the page did not come whole, or has no such block")?;
        pen.own.retain(|(hash, _)| !self.known.contains(hash));
        if pen.own.is_empty() {
            pen.covered.clear();
        }
        let news: Vec<ChangeHash> = self.heads.iter().filter(|head| !pen.covered.contains(head)).copied().collect();
        let mut deps: Vec<ChangeHash> = pen
            .own
            .last()
            .map(|(hash, _)| *hash)
            .into_iter()
            .chain(news.iter().copied())
            .collect();
        deps.sort_unstable();
        pen.seq += 1;
        pen.max_op = pen.max_op.max(self.max_op);
        let start_op = NonZeroU64::new(pen.next_op()).context("operations count from 1")?;
        let mut operations = pen.insert(text, edit.text);
        operations.extend(pen.delete(text, edit.keep));
        let (actor_id, seq) = (pen.actor.clone(), pen.seq);
        let nothing = (None, None, Vec::new(), None);
        let (hash, message, extra_bytes, author) = nothing;
        let written = ExpandedChange {
            operations,
            actor_id,
            hash,
            seq,
            start_op,
            time: 0,
            message,
            deps,
            extra_bytes,
            author,
        };
        let change = Change::from(written);
        let (hash, bytes) = (change.hash(), change.raw_bytes().to_vec());
        pen.covered.extend(news);
        pen.covered.push(hash);
        pen.own.push((hash, bytes.clone()));
        let mut shared = self.heads.clone();
        shared.sort_unstable();
        let unconfirmed = pen.own.iter().map(|(hash, _)| *hash).collect();
        Ok(Made {
            hash,
            change: bytes,
            shared,
            unconfirmed,
        })
    }
}

/// The type of the chunk that the bytes begin with, and its length.
fn chunk(bytes: &[u8]) -> Result<(u8, usize)> {
    if !bytes.starts_with(&MAGIC) || bytes.len() <= HEAD {
        bail!("no chunk begins here");
    }
    let (mut len, mut at) = (0_usize, HEAD + 1);
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(at).context("a chunk ends in its length")?;
        len |= usize::from(byte & 0x7f) << shift;
        at += 1;
        if byte & 0x80 == 0 {
            return Ok((bytes[HEAD], at + len));
        }
    }
    bail!("a chunk is too long")
}

fn text_of(doc: &Automerge, block: &str) -> Option<OpId> {
    let (_, blocks) = doc.get(ROOT, "blocks").ok()??;
    let (_, block) = doc.get(blocks, block).ok()??;
    match doc.get(block, "text").ok()?? {
        (_, ObjId::Id(counter, actor, _)) => Some(OpId(counter, actor)),
        (_, ObjId::Root) => None,
    }
}

#[cfg(test)]
mod tests;
