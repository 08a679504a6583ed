//! What happens to a batch after the journal has answered: told to everybody, or made to fit what others wrote first.

use super::{
    Room,
    echo::{About, Item},
    work::{Ack, EditDone, Origin, Refused, Work, id_of_key},
};
use crate::{close::Close, journal::Append};
use automerge::ActorId;
use bytes::Bytes;
use documents::{
    error::Error,
    heads,
    log::{self, Batch, Head, Source},
    patches,
};
use entity::document_change;
use serde_json::json;
use std::sync::Arc;

/// A batch at the journal.
pub struct Pending {
    pub(super) batch: Arc<Batch>,
    pub(super) items: Vec<Item>,
    pub(super) acks: Vec<Ack>,
    /// What was refused, perhaps for what this batch changes: told when that is true.
    pub(super) refusals: Vec<Refused>,
    /// The edits it was made of.
    pub(super) works: Vec<Work>,
}

impl Room {
    /// The pending batch is durable: acknowledges it, and tells everybody.
    pub fn committed(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        let before = pending.batch.head.heads.clone();
        let mut at = pending.batch.head.clone();
        for entry in &pending.batch.entries {
            heads::advance(&mut at.heads, entry.change.deps(), entry.change.hash());
            at.seq += 1;
            self.history.know_heads(at.seq, at.heads.clone());
            if let Some(id) = &entry.message_id {
                self.history.know_message(id.clone(), at.seq);
            }
            if entry.binds_actor {
                self.actors.insert(
                    entry.change.actor_id().clone(),
                    entry.user.filter(|_| entry.source == Source::Automerge),
                );
            }
        }
        self.head = at;
        self.answer_acks(&pending);
        self.tell_all(pending.items, &before);
    }

    /// Another node was faster: its rows go in first, and the pending batch follows them. Gives the batch as it has to
    /// be tried again; `None` when it does not fit any more (the page broke, or the same message came through the other
    /// node too): then the batch is still pending, and the page has to be loaded again.
    pub fn behind(&mut self, rows: Vec<document_change::Model>) -> Option<Append> {
        let pending = self.pending.as_ref()?;
        let is_ours = |row: &document_change::Model| {
            let same = |entry: &log::Entry| {
                entry.change.hash().0[..] == row.change_hash[..] || row.message_id.is_some() && entry.message_id == row.message_id
            };
            pending.batch.entries.iter().any(same)
        };
        if rows.iter().any(is_ours) {
            return None;
        }
        let before = self.head.clone();
        let changes = rows.iter().map(log::change_of).collect::<Result<Vec<_>, _>>().ok()?;
        self.page.apply(changes).ok()?;
        let theirs = self.note_rows(&rows).ok()?;
        // What was put together counts from the wrong place now: it is told again as two differences, from our last
        // state to theirs and from theirs to the present.
        let to_theirs = self.diff_item(&before, &theirs, None)?;
        let (count, like) = self
            .pending
            .as_ref()
            .map(|p| (p.batch.entries.len() as i64, p.items.first().map(Item::about)))?;
        let ours = Head {
            epoch: theirs.epoch,
            seq: theirs.seq + count,
            heads: self.page.heads().to_vec(),
        };
        let mut to_ours = self.diff_item(&theirs, &ours, like.as_ref())?;
        let pending = self.pending.take()?;
        let (writers, passes) = (self.writers(&pending.works), self.passes(&pending.works));
        to_ours.changes = pending.items.iter().flat_map(|item| item.changes.clone()).collect();
        self.is_unsettled = self.page.is_unsettled();
        self.head = theirs;
        self.history.push(Arc::new(to_theirs));
        self.tell_rows(&rows, &before);
        // Only numbers of this batch move; those of messages that were in the log before stay.
        let shift = self.head.seq - before.seq;
        let moved = |ack: Ack| {
            if ack.seq > before.seq {
                Ack {
                    seq: ack.seq + shift,
                    ..ack
                }
            } else {
                ack
            }
        };
        let acks = pending.acks.into_iter().map(moved).collect();
        let batch = Arc::new(Batch {
            head: self.head.clone(),
            ..(*pending.batch).clone()
        });
        self.pending = Some(Pending {
            batch: batch.clone(),
            items: vec![to_ours],
            acks,
            refusals: pending.refusals,
            works: pending.works,
        });
        Some(Append {
            batch,
            writers,
            passes,
            title: Some(self.page.mirror().title.clone()),
            edited_by: None,
        })
    }

    /// The echo of everything between two heads.
    fn diff_item(&mut self, from: &Head, to: &Head, like: Option<&About>) -> Option<Item> {
        let patches = self.page.diff(&from.heads, &to.heads).ok()?;
        Some(Item {
            from_seq: from.seq,
            to_seq: to.seq,
            about: like.cloned().unwrap_or_default(),
            ops: patches::diff_to_ops(&patches, self.page.mirror()),
            changes: Vec::new(),
            touched: patches::touched(&patches),
        })
    }

    /// Takes note of rows of other nodes whose changes are in the page. Gives where the log stands after them.
    fn note_rows(&mut self, rows: &[document_change::Model]) -> Result<Head, Error> {
        let mut at = self.head.clone();
        for row in rows {
            if row.server_seq != at.seq + 1 || row.epoch != at.epoch {
                return Err(Error::Corrupt("the rows do not follow".to_owned()));
            }
            at.seq = row.server_seq;
            at.heads = heads::from_bytes(&row.heads_after);
            self.history.know_heads(at.seq, at.heads.clone());
            if let Some(id) = &row.message_id {
                self.history.know_message(id.clone(), at.seq);
            }
            let owner = row.user_id.filter(|_| row.source == Source::Automerge.name());
            self.actors.entry(ActorId::from(row.actor.clone())).or_insert(owner);
        }
        self.size += rows.iter().map(|row| row.bytes.len()).sum::<usize>();
        Ok(at)
    }

    /// Rows of other nodes while nothing is pending: applied and told.
    ///
    /// # Errors
    /// When they do not follow or the page broke: load it again.
    pub fn news(&mut self, rows: Vec<document_change::Model>) -> Result<(), Error> {
        let rows: Vec<_> = rows.into_iter().filter(|row| row.server_seq > self.head.seq).collect();
        let Some(first) = rows.first() else { return Ok(()) };
        let (user, at_ms) = (first.user_id, first.created_at.timestamp_millis());
        let before = self.head.clone();
        let changes = rows.iter().map(log::change_of).collect::<Result<Vec<_>, _>>()?;
        let patches = self.page.apply(changes)?;
        let head = self.note_rows(&rows)?;
        let is_one = rows.len() == 1;
        let item = Item {
            from_seq: before.seq,
            to_seq: head.seq,
            about: About {
                conn: None,
                id: rows
                    .first()
                    .and_then(|row| row.message_id.as_deref().map(id_of_key))
                    .filter(|_| is_one),
                client_id: None,
                user: user.filter(|_| is_one),
                source: source_of(&rows),
                at_ms,
            },
            ops: patches::to_ops(&patches, self.page.mirror()),
            changes: rows.iter().map(|row| Bytes::copy_from_slice(&row.bytes)).collect(),
            touched: patches::touched(&patches),
        };
        self.head = head;
        self.tell_all(vec![item], &before.heads);
        Ok(())
    }

    /// The outcome is not known and the page was loaded again: whoever is in the log is acknowledged, the others are
    /// asked to send again. `found` names the messages that are in the log.
    pub fn recovered(&mut self, pending: Pending, found: &[(String, i64)]) {
        for (key, seq) in found {
            self.history.know_message(key.clone(), *seq);
        }
        for (origin, id, error) in &pending.refusals {
            self.refuse(origin, id.as_deref(), error.clone());
        }
        for ack in &pending.acks {
            let seq = ack
                .key
                .as_ref()
                .and_then(|id| found.iter().find(|(f, _)| f == id))
                .map(|(_, seq)| *seq);
            match (&ack.origin, seq) {
                (Origin::Conn(conn), Some(seq)) => {
                    if let Some(peer) = self.peers.get(conn) {
                        peer.send("ack", ack.id.as_deref(), json!({ "server_seq": seq, "version": seq }));
                    }
                }
                (Origin::Conn(conn), None) => {
                    let Some(peer) = self.peers.get(conn) else { continue };
                    if peer.is_json() {
                        let fields = json!({ "code": "unavailable", "message": "the edit was not committed; send it again", "retry_after_ms": 1000 });
                        peer.send("error", ack.id.as_deref(), fields);
                    } else if pending
                        .batch
                        .entries
                        .iter()
                        .any(|e| e.user == Some(peer.user()) && !self.page.has(&e.change.hash()))
                    {
                        // It comes back and sends what is missing.
                        peer.outbox.close(Close::Internal);
                    }
                }
                // In the log, by this commit or an earlier one that its sender never heard of.
                (Origin::Ticket(ticket, _), Some(_)) => {
                    let done = EditDone {
                        head: self.head.clone(),
                        made: Vec::new(),
                        blocks: Vec::new(),
                        is_duplicate: true,
                    };
                    self.answers.push((*ticket, Ok(done)));
                }
                (Origin::Ticket(ticket, _), None) => self
                    .answers
                    .push((*ticket, Err(Arc::new(Error::Broken("the commit failed".to_owned()))))),
            }
        }
        self.catch_up_the_slow();
    }

    /// Takes the pending batch out, before a reload.
    pub fn take_pending(&mut self) -> Option<Pending> {
        self.pending.take()
    }

    /// Acknowledges the edits of a batch that stands.
    pub(super) fn answer_acks(&mut self, pending: &Pending) {
        for (origin, id, error) in &pending.refusals {
            self.refuse(origin, id.as_deref(), error.clone());
        }
        for ack in &pending.acks {
            match &ack.origin {
                Origin::Conn(conn) => {
                    let Some(peer) = self.peers.get(conn) else { continue };
                    let mut fields = json!({ "server_seq": ack.seq, "version": ack.seq });
                    if ack.is_duplicate {
                        fields["duplicate"] = json!(true);
                    }
                    if !ack.made.is_empty() {
                        fields["made"] = json!(ack.made);
                    }
                    if matches!(peer.speaks, super::Speaks::Chunks) {
                        fields["heads"] = json!(heads::to_strings(self.page.heads()));
                    }
                    if peer.is_json() || matches!(peer.speaks, super::Speaks::Chunks) {
                        peer.send("ack", ack.id.as_deref(), fields);
                    }
                }
                Origin::Ticket(ticket, wanted) => {
                    let mirror = self.page.mirror();
                    let ids = wanted.iter().chain(ack.made.iter().filter(|id| !wanted.contains(id)));
                    let blocks = ids.filter_map(|id| mirror.block_with_children(id)).collect();
                    let done = EditDone {
                        head: self.head.clone(),
                        made: ack.made.clone(),
                        blocks,
                        is_duplicate: ack.is_duplicate,
                    };
                    self.answers.push((*ticket, Ok(done)));
                }
            }
        }
    }
}

impl Pending {
    /// What the messages in it stand under in the log.
    pub fn message_ids(&self) -> Vec<String> {
        self.acks.iter().filter_map(|ack| ack.key.clone()).collect()
    }
}

fn source_of(rows: &[document_change::Model]) -> Source {
    match rows.first().map(|row| row.source.as_str()) {
        Some("rest") => Source::Rest,
        Some("json") => Source::Json,
        Some("automerge") => Source::Automerge,
        _ => Source::Server,
    }
}
