//! From gathered edits to one batch: checked, applied to the page in memory, not yet told to anybody.

use super::{
    Now, Room,
    commit::Pending,
    echo::{About, Item},
    gather::refuse_client,
};
use crate::journal::Append;
use automerge::{Change, ChangeHash, Patch};
use bytes::Bytes;
use documents::{
    error::Error,
    gate::change::Gate,
    lock::Pass,
    log::{Batch, Entry, Head, Source},
    op::Op,
    page::{Edited, Page},
    patches,
    view::Block,
};
use kernel::id::*;
use std::sync::Arc;
use workspaces::access::{Who, fence::Writers};

/// An edit that was refused: where it came from, its id, and why.
pub(super) type Refused = (Origin, Option<String>, Arc<Error>);

/// Names an edit that somebody waits for.
pub type Ticket = u64;

/// What an edit from elsewhere than a socket became.
pub type Answer = Result<EditDone, Arc<Error>>;

/// An edit that is in the log.
#[derive(Clone, Debug)]
pub struct EditDone {
    /// Where the log stands with it.
    pub head: Head,
    /// Blocks it made, in the order of its operations.
    pub made: Vec<String>,
    /// The blocks that were asked for and those that were made, as they stand now with what hangs under them.
    pub blocks: Vec<Block>,
    /// Whether it was in the log before.
    pub is_duplicate: bool,
}

/// Where an edit came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A connection of this room.
    Conn(ConnectionId),
    /// Somebody with a ticket, who wants to see these blocks.
    Ticket(Ticket, Vec<String>),
}

/// The point of the page's history that an edit's positions refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// The head.
    Head,
    /// A number of the log.
    Seq(i64),
    /// Heads, as REST writes carry them.
    Heads(Vec<ChangeHash>),
}

/// An edit that waits to be applied.
#[derive(Clone, Debug)]
pub struct Work {
    /// Where it came from.
    pub origin: Origin,
    /// Who answers for it.
    pub who: Who,
    /// Where the workspace's counter of changes of access stood when their right to was proven.
    pub proven: i64,
    /// The client's id of its message.
    pub id: Option<String>,
    /// The lease of an operation that it is done under.
    pub lease: Option<LockId>,
    /// Which door it came through.
    pub source: Source,
    /// What to do.
    pub what: Task,
}

impl Work {
    /// Whose it is.
    pub fn user(&self) -> UserId {
        self.who.user()
    }

    /// What it comes with when a lock is in the way.
    pub(super) fn pass(&self) -> Pass {
        Pass {
            user: self.user(),
            lease: self.lease,
        }
    }

    /// What the message stands under in the log: clients choose ids for themselves, so equal ones of two people are two.
    pub(super) fn key(&self) -> Option<String> {
        self.id.as_ref().map(|id| format!("{}:{id}", self.user().0.simple()))
    }
}

/// The client's id in a key of the log.
pub(super) fn id_of_key(key: &str) -> String {
    key.split_once(':').map_or(key, |(_, id)| id).to_owned()
}

/// The content of an edit that waits.
#[derive(Clone, Debug)]
pub enum Task {
    /// By block and position.
    Ops(Base, Vec<Op>),
    /// Uncompressed change chunks.
    Changes(Vec<Vec<u8>>),
    /// Make the page say what it said in a state, where its author saw it; at the head when that is left out.
    Restore(Vec<ChangeHash>, Option<Vec<ChangeHash>>),
}

/// What has become of the queue.
pub enum Worked {
    /// There is nothing to commit.
    Nothing,
    /// A batch for the journal; the room waits for its outcome.
    Commit(Append),
    /// The page broke: load it again and work carefully. The queue is untouched.
    Broken,
}

/// A batch while it is being put together.
pub(super) struct Draft {
    pub entries: Vec<Entry>,
    pub items: Vec<Item>,
    pub acks: Vec<Ack>,
    pub refusals: Vec<Refused>,
    /// Admitted changes that wait to be applied in one call, each with where it came from.
    pub(super) staged: Vec<(Change, usize, UserId)>,
    pub(super) gate: Gate,
    pub(super) strangers: bool,
    was_title: String,
}

/// An edit that is told of its commit.
pub(super) struct Ack {
    pub origin: Origin,
    pub id: Option<String>,
    pub key: Option<String>,
    pub seq: i64,
    pub made: Vec<String>,
    pub is_duplicate: bool,
}

/// The page broke while working.
pub(super) struct Broken;

impl Room {
    /// Whether edits wait.
    pub fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.is_unsettled
    }

    /// Whether strangers' changes wait. A client that comes from another node brings what it got there too: a node that
    /// has not heard of it yet has to read on first, or it would take others' changes for the client's own.
    pub fn has_changes_waiting(&self) -> bool {
        self.queue.iter().any(|work| matches!(work.what, Task::Changes(_)))
    }

    /// Numbers that waiting edits refer to and that have to be looked up in the log first.
    pub fn unknown_bases(&self) -> Vec<i64> {
        let base = |work: &Work| match &work.what {
            Task::Ops(Base::Seq(seq), _) if (0..self.head.seq).contains(seq) && self.history.heads_at(*seq).is_none() => Some(*seq),
            _ => None,
        };
        self.queue.iter().filter_map(base).collect()
    }

    /// Turns the queue into a batch. `carefully` tries every stranger's change on a copy first; it is used after the
    /// page broke, to find the one that did it.
    pub fn work(&mut self, carefully: bool, now: Now) -> Worked {
        let queue = std::mem::take(&mut self.queue);
        let mut draft = Draft {
            entries: Vec::new(),
            items: Vec::new(),
            acks: Vec::new(),
            refusals: Vec::new(),
            staged: Vec::new(),
            gate: Gate::default(),
            strangers: false,
            was_title: self.page.mirror().title.clone(),
        };
        if self.run(&queue, &mut draft, carefully, now).is_err() {
            self.queue = queue;
            return Worked::Broken;
        }
        self.is_unsettled = false;
        for work in &queue {
            self.count_acked(&work.origin);
        }
        self.size += draft.entries.iter().map(|entry| entry.change.raw_bytes().len()).sum::<usize>();
        self.hand_over(queue, draft, now)
    }

    fn run(&mut self, queue: &[Work], draft: &mut Draft, carefully: bool, now: Now) -> Result<(), Broken> {
        for (i, work) in queue.iter().enumerate() {
            if let Some(seq) = work.key().and_then(|key| self.history.seq_of(&key)) {
                draft.acks.push(Ack {
                    origin: work.origin.clone(),
                    id: work.id.clone(),
                    key: work.key(),
                    seq,
                    made: Vec::new(),
                    is_duplicate: true,
                });
                continue;
            }
            if let Some(first) = draft.acks.iter().find(|ack| work.id.is_some() && ack.key == work.key()) {
                // Sent again before it was committed, by the same door or another: each is told, once it is.
                let again = Ack {
                    origin: work.origin.clone(),
                    id: work.id.clone(),
                    key: first.key.clone(),
                    made: first.made.clone(),
                    is_duplicate: true,
                    ..*first
                };
                draft.acks.push(again);
                continue;
            }
            if self.size > self.settings.limits.document_bytes {
                draft.refusals.push((
                    work.origin.clone(),
                    work.id.clone(),
                    Arc::new(Error::TooLarge("the page is full".to_owned())),
                ));
                continue;
            }
            match &work.what {
                Task::Ops(base, ops) => {
                    self.flush(queue, draft, now)?;
                    let edited = self
                        .heads_of(base, ops, draft)
                        .and_then(|heads| self.page.edit(ops, heads.as_deref(), &self.settings.limits, now.ms));
                    self.take_edited(work, edited, draft, now)?;
                }
                Task::Restore(to, base) => {
                    self.flush(queue, draft, now)?;
                    let edited = self.page.restore(to, base.as_deref(), now.ms);
                    self.take_edited(work, edited, draft, now)?;
                }
                Task::Changes(chunks) if carefully => self.run_changes_carefully(work, chunks, draft, now),
                Task::Changes(chunks) => self.stage(work, (i, chunks), draft),
            }
        }
        self.flush(queue, draft, now)?;
        if draft.strangers && !carefully && self.verifier.check(&self.page).is_err() {
            return Err(Broken);
        }
        self.settle(draft, now)
    }

    /// Writes down what an edit came to.
    fn take_edited(&mut self, work: &Work, edited: Result<Edited, Error>, draft: &mut Draft, now: Now) -> Result<(), Broken> {
        match edited {
            Err(Error::Broken(_)) => Err(Broken),
            Err(error) => {
                draft.refusals.push((work.origin.clone(), work.id.clone(), Arc::new(error)));
                Ok(())
            }
            Ok(edited) => {
                if let Some(change) = edited.change {
                    self.note(work, vec![(change, work)], &edited.patches, (draft, now));
                }
                let seq = self.head.seq + draft.entries.len() as i64;
                draft.acks.push(Ack {
                    origin: work.origin.clone(),
                    id: work.id.clone(),
                    key: work.key(),
                    seq,
                    made: edited.made,
                    is_duplicate: false,
                });
                Ok(())
            }
        }
    }

    /// The heads to apply an edit at; `None` for the head itself, also when nothing it points into was touched since.
    fn heads_of(&self, base: &Base, ops: &[Op], draft: &Draft) -> Result<Option<Vec<ChangeHash>>, Error> {
        let seq = match base {
            Base::Head => return Ok(None),
            Base::Heads(heads) => return Ok(Some(heads.clone())),
            Base::Seq(seq) if *seq == self.head.seq && draft.entries.is_empty() => return Ok(None),
            Base::Seq(seq) if (0..=self.head.seq).contains(seq) => *seq,
            Base::Seq(_) => return Err(Error::BaseUnknown),
        };
        if let Some(mut touched) = self.history.touched_after(seq, self.head.seq) {
            for item in &draft.items {
                touched.everything |= item.touched.everything;
                touched.title |= item.touched.title;
                touched.blocks.extend(item.touched.blocks.iter().cloned());
            }
            if Page::positions_hold(ops, &touched) {
                return Ok(None);
            }
        }
        if seq == self.head.seq {
            return Ok(Some(self.head.heads.clone()));
        }
        self.history.heads_at(seq).cloned().map(Some).ok_or(Error::BaseUnknown)
    }

    /// Writes applied changes down as rows and as what clients will be told.
    pub(super) fn note(&self, first: &Work, changes: Vec<(Change, &Work)>, patches: &[Patch], into: (&mut Draft, Now)) {
        let (draft, now) = into;
        let from_seq = self.head.seq + draft.entries.len() as i64;
        let conn = |work: &Work| match work.origin {
            Origin::Conn(conn) => Some(conn),
            Origin::Ticket(..) => None,
        };
        let is_one = changes.iter().all(|(_, work)| conn(work) == conn(first) && work.id == first.id);
        let mut item = Item {
            from_seq,
            to_seq: from_seq,
            about: About {
                conn: conn(first).filter(|_| is_one),
                id: first.id.clone().filter(|_| is_one),
                client_id: conn(first)
                    .filter(|_| is_one)
                    .and_then(|conn| self.peers.get(&conn))
                    .map(|peer| peer.client_id.clone()),
                user: Some(first.user()).filter(|_| is_one),
                source: first.source,
                at_ms: now.ms,
            },
            ops: patches::to_ops(patches, self.page.mirror()),
            changes: Vec::with_capacity(changes.len()),
            touched: patches::touched(patches),
        };
        let last_of = |i: usize, work: &Work| changes.get(i + 1).is_none_or(|(_, next)| !std::ptr::eq(*next, work));
        let ids: Vec<bool> = changes.iter().enumerate().map(|(i, (_, work))| last_of(i, work)).collect();
        for ((change, work), is_last) in changes.into_iter().zip(ids) {
            item.to_seq += 1;
            item.changes.push(Bytes::copy_from_slice(change.raw_bytes()));
            let is_known =
                self.actors.contains_key(change.actor_id()) || draft.entries.iter().any(|e| e.change.actor_id() == change.actor_id());
            // A message of several changes has its id on the last, whose number its acknowledgement names.
            let message_id = work.key().filter(|_| is_last);
            // The change of a client's own actor, whichever protocol carried it: the actor is theirs from now on.
            let source = if matches!(work.what, Task::Changes(_)) {
                Source::Automerge
            } else {
                work.source
            };
            draft.entries.push(Entry {
                change,
                user: Some(work.user()),
                message_id,
                source,
                binds_actor: !is_known,
            });
        }
        draft.items.push(item);
    }

    /// What was put together becomes the pending batch; without rows, its answers are given at once.
    fn hand_over(&mut self, works: Vec<Work>, draft: Draft, now: Now) -> Worked {
        let Draft {
            entries,
            items,
            acks,
            refusals,
            was_title,
            ..
        } = draft;
        let before = self.head.clone();
        let batch = Arc::new(Batch {
            document: self.document,
            head: before,
            entries,
        });
        let pending = Pending {
            batch: batch.clone(),
            items,
            acks,
            refusals,
            works,
        };
        if batch.entries.is_empty() {
            self.answer_acks(&pending);
            self.answer_sync_peers(None);
            return Worked::Nothing;
        }
        let user = batch.entries.iter().rev().find_map(|entry| entry.user);
        let is_due = user.is_some() && self.edited_at.is_none_or(|at| now.at.duration_since(at) >= EDITED_EVERY);
        if is_due {
            self.edited_at = Some(now.at);
        }
        let title = (self.page.mirror().title != was_title).then(|| self.page.mirror().title.clone());
        let (writers, passes) = (self.writers(&pending.works), self.passes(&pending.works));
        self.pending = Some(pending);
        Worked::Commit(Append {
            batch,
            writers,
            passes,
            title,
            edited_by: is_due.then_some((self.workspace, user)),
        })
    }

    /// Those who made these edits, and the oldest proof that they may.
    pub(super) fn writers(&self, works: &[Work]) -> Writers {
        let mut writers = Writers {
            document: self.document,
            workspace: self.workspace,
            version: works.iter().map(|work| work.proven).min().unwrap_or_default(),
            who: Vec::new(),
        };
        for work in works {
            if !writers.who.contains(&work.who) {
                writers.who.push(work.who);
            }
        }
        writers
    }

    pub(super) fn refuse(&mut self, origin: &Origin, id: Option<&str>, error: Arc<Error>) {
        match origin {
            Origin::Ticket(ticket, _) => self.answers.push((*ticket, Err(error))),
            Origin::Conn(conn) => {
                let Some(peer) = self.peers.get(conn) else { return };
                match error.as_ref() {
                    Error::Refused(refusal) if !peer.is_json() => refuse_client(peer, refusal),
                    error => peer.refuse_edit(id, error),
                }
            }
        }
    }
}

/// How often a page that is being edited says so in the event log.
const EDITED_EVERY: std::time::Duration = std::time::Duration::from_secs(300);
