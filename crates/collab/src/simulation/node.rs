//! A node of the simulation, and the log that all of them share.

use crate::{
    room::{Ask, Input, Now, Opened, Room, Worked},
    settings::Settings,
};
use documents::{
    error::Error,
    heads,
    limits::Limits,
    lock::{self, Held, Holder, Pass},
    log::{self, Batch, Entry, Head, Source},
    op::NewBlock,
    page::Page,
    snapshot::Stored,
};
use entity::document_change;
use kernel::{clock, id::*};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// The op log, as the database would keep it.
pub struct Log {
    pub document: DocumentId,
    pub head: Head,
    pub rows: Vec<document_change::Model>,
    pub actors: BTreeMap<Vec<u8>, Option<UserId>>,
    /// The locks on the page.
    pub locks: Vec<Held>,
}

impl Log {
    /// A page with two blocks.
    pub fn new() -> Self {
        let block = |id: &str, text: &str| NewBlock {
            id: Some(id.into()),
            kind: "paragraph".into(),
            text: text.into(),
            ..NewBlock::default()
        };
        let (_, change) = Page::create("Simulated", &[block("a", "first"), block("b", "second")], &Limits::default(), 1).expect("a page");
        let document = DocumentId::new();
        let head = Head {
            epoch: EpochId::new(),
            seq: 0,
            heads: Vec::new(),
        };
        let mut log = Self {
            document,
            head: head.clone(),
            rows: Vec::new(),
            actors: BTreeMap::new(),
            locks: Vec::new(),
        };
        let entry = Entry {
            change,
            user: None,
            message_id: None,
            source: Source::Server,
            binds_actor: true,
        };
        assert!(log.append(&Batch {
            document,
            head,
            entries: vec![entry]
        }));
        log
    }

    /// As the database does it: only from where the writer believes the log to stand, hashes and ids unique.
    pub fn append(&mut self, batch: &Batch) -> bool {
        if batch.head.seq != self.head.seq {
            return false;
        }
        for entry in &batch.entries {
            let hash = entry.change.hash().0.to_vec();
            let taken =
                |row: &document_change::Model| row.change_hash == hash || entry.message_id.is_some() && row.message_id == entry.message_id;
            assert!(!self.rows.iter().any(taken), "a row would violate a unique index");
            heads::advance(&mut self.head.heads, entry.change.deps(), entry.change.hash());
            self.head.seq += 1;
            if entry.binds_actor {
                let owner = entry.user.filter(|_| entry.source == Source::Automerge);
                self.actors.entry(entry.change.actor_id().to_bytes().to_vec()).or_insert(owner);
            }
            self.rows.push(document_change::Model {
                document_id: self.document,
                epoch: self.head.epoch,
                server_seq: self.head.seq,
                change_hash: hash,
                actor: entry.change.actor_id().to_bytes().to_vec(),
                user_id: entry.user,
                message_id: entry.message_id.clone(),
                source: entry.source.name().to_owned(),
                heads_after: heads::to_bytes(&self.head.heads),
                bytes: entry.change.raw_bytes().to_vec(),
                created_at: clock::now(),
            });
        }
        true
    }

    pub fn after(&self, seq: i64) -> Vec<document_change::Model> {
        self.rows.iter().filter(|row| row.server_seq > seq).cloned().collect()
    }

    pub fn heads_at(&self, seq: i64) -> Option<Vec<automerge::ChangeHash>> {
        self.rows
            .iter()
            .find(|row| row.server_seq == seq)
            .map(|row| heads::from_bytes(&row.heads_after))
    }

    pub fn stored(&self) -> Stored {
        Stored {
            head: self.head.clone(),
            snapshot: None,
            rows: self.rows.clone(),
        }
    }

    pub fn page(&self, rng: StdRng) -> Page {
        let changes = self.rows.iter().map(|row| log::change_of(row).expect("a change")).collect();
        Page::load_seeded(None, changes, rng).expect("the log gives a page")
    }

    /// Whether a lock keeps some of these out.
    fn keeps_out(&self, passes: &[Pass]) -> bool {
        passes.iter().any(|pass| lock::stop(&self.locks, *pass).is_some())
    }

    /// Takes a lease, or goes on with it.
    pub fn take(&mut self, holder: Holder) -> Result<Held, Error> {
        if let Some(other) = self.locks.iter().find(|held| held.holder != holder) {
            return Err(Error::Locked(Box::new(other.clone())));
        }
        let held = self.locks.pop().unwrap_or_else(|| Held {
            token: LockId::new(),
            kind: lock::Kind::Lease,
            holder,
            reason: None,
            created_at: clock::now(),
            expires_at: None,
        });
        self.locks.push(held.clone());
        Ok(held)
    }

    fn actors(&self) -> Vec<(Vec<u8>, Option<UserId>)> {
        self.actors.clone().into_iter().collect()
    }
}

/// How a node ended a piece of work.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Fine,
    Crashed,
}

/// A node: one room, or none after a crash.
pub struct Node {
    pub room: Room,
    rng: StdRng,
    start: Instant,
    elapsed_ms: u64,
}

impl Node {
    pub fn open(log: &Log, mut rng: StdRng) -> Self {
        let page = log.page(StdRng::from_rng(&mut rng));
        let opened = Opened {
            document: log.document,
            workspace: WorkspaceId::new(),
            page,
            stored: log.stored(),
            actors: log.actors(),
        };
        let settings = Settings {
            ops_per_sec: 1_000_000,
            ops_burst: 1_000_000,
            replay_rows: 40,
            ..Settings::default()
        };
        Self {
            room: Room::new(opened, Arc::new(settings)),
            rng,
            start: Instant::now(),
            elapsed_ms: 0,
        }
    }

    fn now(&mut self) -> Now {
        self.elapsed_ms += 7;
        Now {
            at: self.start + Duration::from_millis(self.elapsed_ms),
            ms: self.elapsed_ms as i64,
        }
    }

    /// Takes inputs and commits what comes of them, as the shell does.
    pub fn handle(&mut self, log: &mut Log, inputs: Vec<Input>, crash: bool) -> Ended {
        for input in inputs {
            if let Input::Join(join) = &input
                && let crate::room::JoinAs::Json { hello, .. } = &join.as_what
                && let Some(seq) = self.room.needs_heads_at(hello)
                && let Some(heads) = log.heads_at(seq)
            {
                self.room.know_heads(seq, heads);
            }
            let now = self.now();
            self.room.take(input, now);
        }
        if self.room.has_changes_waiting() {
            self.room.news(log.after(self.room.head().seq)).expect("the rows follow");
        }
        while self.room.has_work() {
            if self.work(log, crash) == Ended::Crashed {
                return Ended::Crashed;
            }
        }
        let now = self.now();
        self.room.tick(now);
        self.answer_asks(log);
        Ended::Fine
    }

    fn answer_asks(&mut self, log: &mut Log) {
        for ask in self.room.asks() {
            match ask {
                Ask::Take(take) => {
                    let taken = log.take(Holder::Person(take.who.user()));
                    self.look_at_locks(log);
                    self.room.lease_taken(&take, taken);
                }
                Ask::Give(give) => {
                    log.locks.retain(|held| held.token != give.token);
                    self.look_at_locks(log);
                    self.room.lease_given(&give);
                }
            }
        }
    }

    /// Late news: others hold the page, or nobody does any more.
    pub fn look_at_locks(&mut self, log: &Log) {
        self.room.set_locks(log.locks.clone());
    }

    fn work(&mut self, log: &mut Log, crash: bool) -> Ended {
        if self.room.has_locked_out() {
            self.look_at_locks(log);
            self.room.refuse_the_locked_out();
        }
        for seq in self.room.unknown_bases() {
            if let Some(heads) = log.heads_at(seq) {
                self.room.know_heads(seq, heads);
            }
        }
        let now = self.now();
        match self.room.work(false, now) {
            Worked::Nothing => Ended::Fine,
            Worked::Broken => panic!("honest clients broke the page"),
            Worked::Commit(append) => self.commit(log, append, crash),
        }
    }

    fn commit(&mut self, log: &mut Log, mut append: crate::journal::Append, crash: bool) -> Ended {
        if crash && self.rng.random() {
            return Ended::Crashed;
        }
        loop {
            if append.batch.head.seq == log.head.seq && log.keeps_out(&append.passes) {
                self.sort_out_the_locked(log);
                return Ended::Fine;
            }
            if log.append(&append.batch) {
                break;
            }
            match self.room.behind(log.after(self.room.head().seq)) {
                Some(again) => append = again,
                // The same message came through the other node: the log says so.
                None => {
                    self.recover(log);
                    return Ended::Fine;
                }
            }
        }
        if crash {
            return Ended::Crashed;
        }
        if self.rng.random_range(0..10) == 0 {
            // It is committed, but the answer was lost.
            self.recover(log);
        } else {
            self.room.committed();
        }
        Ended::Fine
    }

    /// As the shell does it when a lock keeps something of the batch out.
    fn sort_out_the_locked(&mut self, log: &Log) {
        let pending = self.room.take_pending().expect("a batch");
        let page = log.page(StdRng::from_rng(&mut self.rng));
        self.room.reload(page, log.stored(), log.actors());
        self.room.requeue(pending);
        self.look_at_locks(log);
        self.room.refuse_the_locked_out();
    }

    /// As the shell does it when the outcome of a commit is not known.
    fn recover(&mut self, log: &Log) {
        let pending = self.room.take_pending().expect("a batch");
        let ids = pending.message_ids();
        let row = |id: String| {
            log.rows
                .iter()
                .find(|row| row.message_id.as_ref() == Some(&id))
                .map(|row| (id, row.server_seq))
        };
        let found: Vec<(String, i64)> = ids.into_iter().filter_map(row).collect();
        let page = log.page(StdRng::from_rng(&mut self.rng));
        self.room.reload(page, log.stored(), log.actors());
        self.room.recovered(pending, &found);
    }

    /// Late news: the node reads on.
    pub fn read_on(&mut self, log: &Log) {
        self.room.news(log.after(self.room.head().seq)).expect("the rows follow");
        let now = self.now();
        self.room.tick(now);
    }
}
