//! From gathered edits to one batch: checked, applied to the page in memory, not yet told to anybody.

use super::{Now, Room, commit::Pending, echo::{About, Item}, peer::Peer};
use crate::{
    close::Close,
    journal::Append,
    wire::json::{Edit, What},
};
use automerge::{ActorId, Change, ChangeHash, Patch};
use bytes::Bytes;
use documents::{
    error::Error,
    gate::{
        Refusal,
        change::{At, Gate, Verdict},
        chunk,
    },
    log::{Batch, Entry, Head, Source},
    op::Op,
    page::Page,
    patches,
    view::Block,
};
use kernel::{error::Explain, id::*};
use std::sync::Arc;

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
    pub user: UserId,
    /// The client's id of its message.
    pub id: Option<String>,
    /// Which door it came through.
    pub source: Source,
    /// What to do.
    pub what: Task,
}

/// The content of an edit that waits.
#[derive(Clone, Debug)]
pub enum Task {
    /// By block and position.
    Ops(Base, Vec<Op>),
    /// Uncompressed change chunks.
    Changes(Vec<Vec<u8>>),
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
    pub refusals: Vec<(Origin, Option<String>, Arc<Error>)>,
    /// Admitted changes that wait to be applied in one call, each with where it came from.
    staged: Vec<(Change, usize, UserId)>,
    gate: Gate,
    strangers: bool,
    was_title: String,
}

/// An edit that is told of its commit.
pub(super) struct Ack {
    pub origin: Origin,
    pub id: Option<String>,
    pub seq: i64,
    pub made: Vec<String>,
    pub is_duplicate: bool,
}

/// The page broke while working.
struct Broken;

impl Room {
    /// Takes a JSON edit into the queue.
    pub(super) fn gather_edit(&mut self, conn: ConnectionId, edit: Edit) {
        let limits = &self.settings.limits;
        let task = match edit.what {
            What::Ops(ops) => Ok(Task::Ops(edit.base.map_or(Base::Head, Base::Seq), ops)),
            What::Changes(bytes) => chunk::split(&bytes, limits.change_bytes, limits.batch).map(Task::Changes),
        };
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        match task {
            Ok(_) if !peer.may_edit() => peer.error(edit.id.as_deref(), "read_only", "you may read this page, not change it"),
            Ok(_) if peer.unacked >= self.settings.unacked => peer.error(edit.id.as_deref(), "rate_limited", "too many edits wait for their commit"),
            Ok(what) => {
                peer.unacked += 1;
                self.queue.push(Work { origin: Origin::Conn(conn), user: peer.user, id: edit.id, source: Source::Json, what });
            }
            Err(refusal) => peer.error(edit.id.as_deref(), refusal.code(), &refusal.to_string()),
        }
    }

    /// Takes changes of an Automerge client into the queue. A reader's are dropped: its client was told that this side
    /// takes none, and sends them again when that is lifted.
    pub(super) fn gather_changes(&mut self, conn: ConnectionId, id: Option<String>, chunks: Vec<Vec<u8>>) {
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        if !peer.may_edit() {
            return;
        }
        let limits = &self.settings.limits;
        let split: Result<Vec<Vec<Vec<u8>>>, Refusal> = chunks.iter().map(|bytes| chunk::split(bytes, limits.change_bytes, 100_000)).collect();
        match split {
            Ok(chunks) => {
                let what = Task::Changes(chunks.concat());
                self.queue.push(Work { origin: Origin::Conn(conn), user: peer.user, id, source: Source::Automerge, what });
            }
            Err(refusal) => refuse_client(peer, &refusal),
        }
    }

    /// Whether edits wait.
    pub fn has_work(&self) -> bool {
        !self.queue.is_empty()
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
        for work in &queue {
            if let Origin::Conn(conn) = work.origin
                && let Some(peer) = self.peers.get_mut(&conn)
            {
                peer.unacked = peer.unacked.saturating_sub(1);
            }
        }
        self.size += draft.entries.iter().map(|entry| entry.change.raw_bytes().len()).sum::<usize>();
        self.hand_over(draft, now)
    }

    fn run(&mut self, queue: &[Work], draft: &mut Draft, carefully: bool, now: Now) -> Result<(), Broken> {
        for (i, work) in queue.iter().enumerate() {
            if let Some(seq) = work.id.as_deref().and_then(|id| self.history.seq_of(id)) {
                draft.acks.push(Ack { origin: work.origin.clone(), id: work.id.clone(), seq, made: Vec::new(), is_duplicate: true });
                continue;
            }
            if let Some(first) = draft.acks.iter().find(|ack| work.id.is_some() && ack.id == work.id) {
                // Sent again through another door before it was committed: both are told.
                if first.origin != work.origin {
                    let again = Ack { origin: work.origin.clone(), made: first.made.clone(), id: work.id.clone(), ..*first };
                    draft.acks.push(again);
                }
                continue;
            }
            if self.size > self.settings.limits.document_bytes {
                draft.refusals.push((work.origin.clone(), work.id.clone(), Arc::new(Error::TooLarge("the page is full".to_owned()))));
                continue;
            }
            match &work.what {
                Task::Ops(base, ops) => {
                    self.flush(queue, draft, now)?;
                    self.run_ops(work, (base, ops), draft, now)?;
                }
                Task::Changes(chunks) if carefully => self.run_changes_carefully(work, chunks, draft, now),
                Task::Changes(chunks) => self.stage(work, (i, chunks), draft),
            }
        }
        self.flush(queue, draft, now)?;
        if draft.strangers && !carefully && self.verifier.check(&self.page).is_err() {
            return Err(Broken);
        }
        Ok(())
    }

    fn run_ops(&mut self, work: &Work, what: (&Base, &[Op]), draft: &mut Draft, now: Now) -> Result<(), Broken> {
        let (base, ops) = what;
        let edited = self.heads_of(base, ops, draft).and_then(|heads| self.page.edit(ops, heads.as_deref(), &self.settings.limits, now.ms));
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
                draft.acks.push(Ack { origin: work.origin.clone(), id: work.id.clone(), seq, made: edited.made, is_duplicate: false });
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

    /// Whether an actor may be used by somebody: it is theirs, or new and not the product's own. Who first uses a new
    /// one in this batch has it.
    fn may_use(&self, actor: &ActorId, user: UserId, draft: &Draft) -> bool {
        if actor == self.page.actor() {
            return false;
        }
        if let Some(owner) = self.actors.get(actor) {
            return *owner == Some(user);
        }
        let staged = draft.staged.iter().find(|(change, ..)| change.actor_id() == actor).map(|(_, _, user)| Some(*user));
        let noted = || draft.entries.iter().find(|entry| entry.change.actor_id() == actor).map(|entry| entry.user);
        match staged.or_else(noted) {
            Some(owner) => owner == Some(user),
            None => self.page.seq_of(actor) == 0,
        }
    }

    /// Admits changes and keeps them for one call. A message is admitted whole or, from the first bad change on, not.
    fn stage(&mut self, work: &Work, what: (usize, &[Vec<u8>]), draft: &mut Draft) {
        let (index, chunks) = what;
        let mut gate = std::mem::take(&mut draft.gate);
        let before = (work.source == Source::Json).then(|| (gate.clone(), draft.staged.len()));
        let mut refused = None;
        for chunk in chunks {
            let at = At { page: &self.page, limits: &self.settings.limits };
            match gate.check(at, chunk, |actor| self.may_use(actor, work.user, draft)) {
                Ok(Verdict::Admitted(change)) => draft.staged.push((*change, index, work.user)),
                Ok(Verdict::Known) => {}
                Err(refusal) => {
                    refused = Some(refusal);
                    break;
                }
            }
        }
        match (refused, before) {
            // JSON batches are atomic.
            (Some(refusal), Some((old, staged))) => {
                gate = old;
                draft.staged.truncate(staged);
                draft.refusals.push((work.origin.clone(), work.id.clone(), Arc::new(Error::Refused(refusal))));
            }
            (Some(refusal), None) => draft.refusals.push((work.origin.clone(), work.id.clone(), Arc::new(Error::Refused(refusal)))),
            (None, _) => {
                let seq = self.head.seq + (draft.entries.len() + draft.staged.len()) as i64;
                draft.acks.push(Ack { origin: work.origin.clone(), id: work.id.clone(), seq, made: Vec::new(), is_duplicate: false });
            }
        }
        draft.gate = gate;
    }

    /// Applies what is staged in one call.
    fn flush(&mut self, queue: &[Work], draft: &mut Draft, now: Now) -> Result<(), Broken> {
        draft.gate = Gate::default();
        let staged = std::mem::take(&mut draft.staged);
        let Some((_, first, _)) = staged.first() else { return Ok(()) };
        let first = &queue[*first];
        let patches = self.page.apply(staged.iter().map(|(change, ..)| change.clone()).collect()).map_err(|_| Broken)?;
        draft.strangers = true;
        let changes = staged.into_iter().map(|(change, i, _)| (change, &queue[i])).collect();
        self.note(first, changes, &patches, (draft, now));
        Ok(())
    }

    /// Tries one message's changes on a copy, and keeps the copy only when it can be saved and loaded.
    fn run_changes_carefully(&mut self, work: &Work, chunks: &[Vec<u8>], draft: &mut Draft, now: Now) {
        let mut trial = self.page.copy();
        let mut admitted = Vec::new();
        let mut patches = Vec::new();
        let refused = chunks.iter().find_map(|bytes| {
            let at = At { page: &trial, limits: &self.settings.limits };
            let is_mine = |actor: &ActorId| admitted.iter().any(|c: &Change| c.actor_id() == actor) || self.may_use(actor, work.user, draft);
            match Gate::default().check(at, bytes, is_mine) {
                Ok(Verdict::Known) => None,
                Ok(Verdict::Admitted(change)) => match trial.apply(vec![(*change).clone()]) {
                    Ok(some) => {
                        patches.extend(some);
                        admitted.push(*change);
                        None
                    }
                    Err(_) => Some(Refusal::Poisonous),
                },
                Err(refusal) => Some(refusal),
            }
        });
        let refused = refused.or_else(|| trial.save_verified().is_err().then_some(Refusal::Poisonous));
        if let Some(refusal) = refused {
            draft.refusals.push((work.origin.clone(), work.id.clone(), Arc::new(Error::Refused(refusal))));
            return;
        }
        self.page = trial;
        if !admitted.is_empty() {
            let changes = admitted.into_iter().map(|change| (change, work)).collect();
            self.note(work, changes, &patches, (draft, now));
        }
        let seq = self.head.seq + draft.entries.len() as i64;
        draft.acks.push(Ack { origin: work.origin.clone(), id: work.id.clone(), seq, made: Vec::new(), is_duplicate: false });
    }

    /// Writes applied changes down as rows and as what clients will be told.
    fn note(&self, first: &Work, changes: Vec<(Change, &Work)>, patches: &[Patch], into: (&mut Draft, Now)) {
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
                client_id: conn(first).filter(|_| is_one).and_then(|conn| self.peers.get(&conn)).map(|peer| peer.client_id.clone()),
                user: Some(first.user).filter(|_| is_one),
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
            let is_known = self.actors.contains_key(change.actor_id()) || draft.entries.iter().any(|e| e.change.actor_id() == change.actor_id());
            // A message of several changes has its id on the last, whose number its acknowledgement names.
            let message_id = work.id.clone().filter(|_| is_last);
            // The change of a client's own actor, whichever protocol carried it: the actor is theirs from now on.
            let source = if matches!(work.what, Task::Changes(_)) { Source::Automerge } else { work.source };
            draft.entries.push(Entry { change, user: Some(work.user), message_id, source, binds_actor: !is_known });
        }
        draft.items.push(item);
    }

    /// What was put together becomes the pending batch; without rows, its answers are given at once.
    fn hand_over(&mut self, draft: Draft, now: Now) -> Worked {
        let Draft { entries, items, acks, refusals, was_title, .. } = draft;
        for (origin, id, error) in refusals {
            self.refuse(&origin, id.as_deref(), error);
        }
        let before = self.head.clone();
        let batch = Arc::new(Batch { document: self.document, head: before, entries });
        let pending = Pending { batch: batch.clone(), items, acks };
        if batch.entries.is_empty() {
            self.answer_acks(&pending);
            self.answer_sync_peers(None);
            return Worked::Nothing;
        }
        let user = batch.entries.last().and_then(|entry| entry.user);
        let is_due = self.edited_at.is_none_or(|at| now.at.duration_since(at) >= EDITED_EVERY);
        if is_due {
            self.edited_at = Some(now.at);
        }
        let title = (self.page.mirror().title != was_title).then(|| self.page.mirror().title.clone());
        self.pending = Some(pending);
        Worked::Commit(Append { batch, title, edited_by: is_due.then_some((self.workspace, user)) })
    }

    fn refuse(&mut self, origin: &Origin, id: Option<&str>, error: Arc<Error>) {
        match origin {
            Origin::Ticket(ticket, _) => self.answers.push((*ticket, Err(error))),
            Origin::Conn(conn) => {
                let Some(peer) = self.peers.get(conn) else { return };
                match error.as_ref() {
                    Error::Refused(refusal) if !peer.is_json() => refuse_client(peer, refusal),
                    error => peer.error(id, error.code(), &error.to_string()),
                }
            }
        }
    }
}

/// How often a page that is being edited says so in the event log.
const EDITED_EVERY: std::time::Duration = std::time::Duration::from_secs(300);

/// A refused change costs an Automerge client its connection: everything it makes later builds on it. What only lacks
/// its ground is told and may come again.
fn refuse_client(peer: &Peer, refusal: &Refusal) {
    peer.error(None, refusal.code(), &refusal.to_string());
    match refusal {
        Refusal::MissingDependencies => {}
        Refusal::TooLarge(_) => peer.outbox.close(Close::TooLarge),
        Refusal::Unsupported(_) => peer.outbox.close(Close::Protocol),
        Refusal::Malformed(_) | Refusal::Invalid(_) | Refusal::ForeignActor | Refusal::Poisonous => peer.outbox.close(Close::Malformed),
    }
}
