//! Locks as a room knows them: who is kept out, what people are told, and the leases that connections here hold. What
//! counts is the database, which the journal asks in the transaction of every edit; the room only spares it the trouble.

use super::{
    Now, Room,
    peer::{Peer, Speaks, SpeaksSync},
    work::{Origin, Work},
};
use crate::{
    outbox::Out,
    wire::{cbor, json, sync},
};
use bytes::Bytes;
use documents::{
    error::Error,
    lock::{self, Held, Holder, Kind, MAX_LEASE, Pass, Stop},
};
use kernel::id::*;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use workspaces::access::Who;

/// A lease outlives its connection by this: whoever only lost the connection comes back and goes on.
const GRACE: Duration = Duration::from_secs(5);

/// What a room wants done with the locks in the database.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Take a lease, or go on with it.
    Take(TakeLease),
    /// Give one back.
    Give(GiveLease),
}

/// A connection that wants the page for its person.
#[derive(Clone, Debug)]
pub struct TakeLease {
    /// The connection.
    pub conn: ConnectionId,
    /// Whose it is.
    pub who: Who,
    /// The client's id of its message.
    pub id: Option<String>,
    /// For how long.
    pub ttl: Duration,
    /// What for.
    pub reason: Option<String>,
}

/// A lease that is over.
#[derive(Clone, Debug)]
pub struct GiveLease {
    /// Which.
    pub token: LockId,
    /// The connection that said so and the id of its message; nobody did when the connection is gone.
    pub told: Option<(ConnectionId, Option<String>)>,
}

/// The client that holds a lease.
struct Lessee {
    conn: ConnectionId,
    user: UserId,
    client_id: String,
    gone_at: Option<Instant>,
}

/// What a room knows.
#[derive(Default)]
pub(super) struct Locks {
    /// The locks that stand; leases first.
    pub held: Vec<Held>,
    lessees: HashMap<LockId, Lessee>,
    asks: Vec<Ask>,
}

impl Locks {
    /// A connection is gone: whatever lease it holds has the grace.
    pub fn lost(&mut self, conn: ConnectionId, at: Instant) {
        for lessee in self.lessees.values_mut().filter(|lessee| lessee.conn == conn) {
            lessee.gone_at = Some(at);
        }
    }

    /// A client is here again, under another connection.
    pub fn found_again(&mut self, conn: ConnectionId, peer: &Peer) {
        let is_same = |lessee: &&mut Lessee| lessee.user == peer.user() && lessee.client_id == peer.client_id;
        for lessee in self.lessees.values_mut().filter(is_same) {
            (lessee.conn, lessee.gone_at) = (conn, None);
        }
    }
}

/// The fields of `lock_state`, which `hello_ack` has as `lock`.
pub(super) fn state(held: Option<&Held>) -> Value {
    let Some(held) = held else {
        return json!({ "scope": "document", "locked": false });
    };
    let mut fields = json!({ "scope": "document", "locked": true, "lock": held.token });
    for (name, value) in held.told() {
        fields[name] = json!(value);
    }
    fields
}

impl Room {
    /// The locks that stand, as far as is known here.
    pub fn locks(&self) -> &[Held] {
        &self.locks.held
    }

    /// What is to be done with the locks in the database.
    pub fn asks(&mut self) -> Vec<Ask> {
        std::mem::take(&mut self.locks.asks)
    }

    /// The locks are these: everybody is told when they were others, and whoever was kept out is asked again.
    pub fn set_locks(&mut self, held: Vec<Held>) {
        if held == self.locks.held {
            return;
        }
        self.locks.lessees.retain(|token, _| held.iter().any(|held| held.token == *token));
        self.locks.held = held;
        let fields = state(self.locks.held.first());
        self.peers.values().for_each(|peer| peer.send("lock_state", None, fields.clone()));
        self.ask_for_what_was_held_back();
    }

    /// Tells a newcomer, if there is something to tell.
    pub(super) fn tell_locks_to(&self, conn: ConnectionId) {
        if let (Some(peer), Some(held)) = (self.peers.get(&conn), self.locks.held.first()) {
            peer.send("lock_state", None, state(Some(held)));
        }
    }

    /// Sync peers believe that what they have sent has come. Those whose changes were left out are told otherwise.
    fn ask_for_what_was_held_back(&mut self) {
        let held = &self.locks.held;
        let again = sync::write_again(self.page.heads());
        let as_data = cbor::data(&again);
        for peer in self.peers.values_mut() {
            let pass = Pass {
                user: peer.user(),
                lease: None,
            };
            let Speaks::Sync(state) = &mut peer.speaks else { continue };
            if !state.held_back || lock::stop(held, pass).is_some() {
                continue;
            }
            state.held_back = false;
            let frame = match &state.repo {
                Some(repo) => cbor::join(&repo.prefix, &as_data),
                None => Bytes::from(again.clone()),
            };
            peer.outbox.push(Out::Binary(frame));
        }
    }

    /// What edits come with, each once. What is in the log already needs to pass no lock.
    pub(super) fn passes(&self, works: &[Work]) -> Vec<Pass> {
        let mut all: Vec<Pass> = Vec::new();
        for pass in works.iter().filter(|work| !self.is_in_the_log(work)).map(Work::pass) {
            if !all.contains(&pass) {
                all.push(pass);
            }
        }
        all
    }

    fn is_in_the_log(&self, work: &Work) -> bool {
        work.key().is_some_and(|key| self.history.seq_of(&key).is_some())
    }

    fn stop(&self, work: &Work) -> Option<Stop> {
        lock::stop(&self.locks.held, work.pass()).filter(|_| !self.is_in_the_log(work))
    }

    /// Whether edits wait that a lock keeps out, as far as is known here.
    pub fn has_locked_out(&self) -> bool {
        self.queue.iter().any(|work| self.stop(work).is_some())
    }

    /// Refuses the waiting edits that a lock keeps out. A sync peer's are left out without a word: it keeps them, and is
    /// asked for them when the lock is gone.
    pub fn refuse_the_locked_out(&mut self) {
        for work in std::mem::take(&mut self.queue) {
            let Some(stop) = self.stop(&work) else {
                self.queue.push(work);
                continue;
            };
            self.count_acked(&work.origin);
            if let Some(state) = self.sync_state_of(&work.origin) {
                state.held_back = true;
            } else {
                self.refuse(&work.origin, work.id.as_deref(), Arc::new(stop.into()));
            }
        }
    }

    fn sync_state_of(&mut self, origin: &Origin) -> Option<&mut SpeaksSync> {
        let Origin::Conn(conn) = origin else { return None };
        match &mut self.peers.get_mut(conn)?.speaks {
            Speaks::Sync(state) => Some(state),
            Speaks::Json(_) | Speaks::Chunks => None,
        }
    }

    /// A client wants the page for its person.
    pub(super) fn ask_for_lease(&mut self, conn: ConnectionId, lock: json::Lock) {
        let Some(peer) = self.peers.get(&conn) else { return };
        let id = lock.id.as_deref();
        if let Some(why) = unsupported(lock.scope.as_deref(), lock.mode.as_deref()) {
            return peer.error(id, "unsupported", why);
        }
        if !(1_000..=MAX_LEASE.as_millis() as u64).contains(&lock.ttl_ms) {
            return peer.error(id, "invalid_op", "ttl_ms is 1000 to 60000; renew the lock to have it longer");
        }
        if !peer.may_edit() {
            return peer.read_only(id);
        }
        self.locks.asks.push(Ask::Take(TakeLease {
            conn,
            who: peer.who,
            ttl: Duration::from_millis(lock.ttl_ms),
            reason: lock.reason,
            id: lock.id,
        }));
    }

    /// A client gives the page back.
    pub(super) fn give_lease_back(&mut self, conn: ConnectionId, unlock: &json::Unlock) {
        let Some(peer) = self.peers.get(&conn) else { return };
        let id = unlock.id.as_deref();
        if let Some(why) = unsupported(unlock.scope.as_deref(), None) {
            return peer.error(id, "unsupported", why);
        }
        let mine = Holder::Person(peer.user());
        match self.locks.held.iter().find(|held| held.kind == Kind::Lease && held.holder == mine) {
            Some(held) => self.locks.asks.push(Ask::Give(GiveLease {
                token: held.token,
                told: Some((conn, unlock.id.clone())),
            })),
            None => peer.error(id, "lock_lost", "you hold no lock of this page"),
        }
    }

    /// What became of a wish for a lease. The locks themselves are set before this.
    pub fn lease_taken(&mut self, take: &TakeLease, taken: Result<Held, Error>) {
        let Some(peer) = self.peers.get(&take.conn) else { return };
        match taken {
            Ok(held) => {
                peer.send("lock_state", take.id.as_deref(), state(Some(&held)));
                let lessee = Lessee {
                    conn: take.conn,
                    user: peer.user(),
                    client_id: peer.client_id.clone(),
                    gone_at: None,
                };
                self.locks.lessees.insert(held.token, lessee);
            }
            Err(error) => peer.refuse_edit(take.id.as_deref(), &error),
        }
    }

    /// A lease was given back. The locks themselves are set before this.
    pub fn lease_given(&mut self, give: &GiveLease) {
        self.locks.lessees.remove(&give.token);
        if let Some((conn, id)) = &give.told
            && let Some(peer) = self.peers.get(conn)
        {
            peer.send("lock_state", id.as_deref(), state(self.locks.held.first()));
        }
    }

    /// Time passes: locks end by themselves, and leases of connections that did not come back are given back.
    pub(super) fn end_locks(&mut self, now: Now) {
        if self.locks.held.iter().any(|held| held.is_over(now.ms)) {
            let stand = self.locks.held.iter().filter(|held| !held.is_over(now.ms)).cloned().collect();
            self.set_locks(stand);
        }
        let is_over = |lessee: &Lessee| lessee.gone_at.is_some_and(|at| now.at.duration_since(at) >= GRACE);
        let over: Vec<LockId> = self
            .locks
            .lessees
            .iter()
            .filter(|(_, lessee)| is_over(lessee))
            .map(|(token, _)| *token)
            .collect();
        for token in over {
            self.locks.lessees.remove(&token);
            self.locks.asks.push(Ask::Give(GiveLease { token, told: None }));
        }
    }
}

fn unsupported(scope: Option<&str>, mode: Option<&str>) -> Option<&'static str> {
    match (scope, mode) {
        (None | Some("document"), None | Some("exclusive")) => None,
        // Automerge clients change blocks without asking, so nothing could hold such a lock.
        (Some(scope), _) if scope.starts_with("block:") => Some("only whole pages are locked (scope \"document\")"),
        (None | Some("document"), _) => Some("mode is \"exclusive\""),
        (Some(_), _) => Some("scope is \"document\""),
    }
}
