//! Locks: who keeps a page from being changed by others.
//!
//! A **lock** is a person's, lasts as long as they say ("final, do not edit"), and stands in the log of facts. A **lease**
//! is short, renewed by whoever holds it, and ends by itself when they do not: a large operation of the product takes one
//! for its time, or a client. A page has at most one of each, and an edit has to pass both.
//!
//! Taking either holds the row of the page's log, as every append to it does, and an append looks for locks when it has
//! that row. So of an edit and a lock one is first, on whichever nodes they are made, and an edit that comes second is not
//! there.

use crate::error::Error;
use entity::document_lock;
use kernel::{clock::Time, id::*};
use std::time::Duration;

mod expiry;
mod stand;
mod take;

pub use expiry::expire;
pub use stand::{check, held, held_on};
pub use take::{NewLease, NewLock, lease, lock, release, renew, unlock};

/// The longest a lease lasts without being renewed.
pub const MAX_LEASE: Duration = Duration::from_secs(60);
/// The longest reason, in characters.
pub const MAX_REASON: usize = 500;

/// How long it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person's, for as long as they say.
    Lock,
    /// Short, and renewed.
    Lease,
}

impl Kind {
    /// The name that stands in the table and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Lease => "lease",
        }
    }
}

/// Whose edits pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This person's.
    Person(UserId),
    /// Those of an operation of the product alone, which it does for this person.
    Server(UserId),
}

impl Holder {
    /// Who took it, or for whom it was taken.
    pub fn owner(self) -> UserId {
        match self {
            Self::Person(user) | Self::Server(user) => user,
        }
    }

    /// The name that stands in the table and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Server(_) => "server",
        }
    }
}

/// A lock that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Names it; a later one is another.
    pub token: LockId,
    /// How long it is meant.
    pub kind: Kind,
    /// Whose edits pass.
    pub holder: Holder,
    /// What it is for.
    pub reason: Option<String>,
    /// When it was taken.
    pub created_at: Time,
    /// When it ends by itself.
    pub expires_at: Option<Time>,
}

/// What an edit comes with: whose it is, and the lease it is done under, if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Whose it is.
    pub user: UserId,
    /// Under which lease of an operation.
    pub lease: Option<LockId>,
}

impl Held {
    fn of(row: document_lock::Model) -> Self {
        Self {
            token: row.token,
            kind: if row.kind == Kind::Lock.name() { Kind::Lock } else { Kind::Lease },
            holder: if row.holder == "server" {
                Holder::Server(row.owner_id)
            } else {
                Holder::Person(row.owner_id)
            },
            reason: row.reason,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }

    /// Whether it keeps this edit out.
    pub fn stops(&self, pass: Pass) -> bool {
        match (self.kind, self.holder) {
            // What the product does for somebody passes their own lock.
            (Kind::Lock, holder) => holder.owner() != pass.user,
            (Kind::Lease, Holder::Person(user)) => user != pass.user,
            (Kind::Lease, Holder::Server(_)) => pass.lease != Some(self.token),
        }
    }

    /// Whether its time is over, at so many milliseconds since 1970.
    pub fn is_over(&self, now_ms: i64) -> bool {
        self.expires_at.is_some_and(|end| end.timestamp_millis() <= now_ms)
    }

    /// How long it still lasts.
    pub fn left(&self, now: Time) -> Option<Duration> {
        self.expires_at.map(|end| (end - now).to_std().unwrap_or_default())
    }

    /// What somebody is told who is kept out.
    pub fn told(&self) -> Vec<(&'static str, String)> {
        let mut out = vec![
            ("holder", self.holder.name().to_owned()),
            ("owner_id", self.holder.owner().to_string()),
            ("kind", self.kind.name().to_owned()),
        ];
        out.extend(self.reason.clone().map(|reason| ("reason", reason)));
        out.extend(
            self.expires_at
                .map(|end| ("expires_at", end.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string())),
        );
        out
    }
}

/// What keeps an edit out: a lock that stands in its way, or that the one it is done under is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// This one.
    Held(Held),
    /// Its own is gone.
    Lost,
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Held(held) => Self::Locked(Box::new(held)),
            Stop::Lost => Self::LockLost,
        }
    }
}

/// Whether these locks keep an edit out.
pub fn stop(held: &[Held], pass: Pass) -> Option<Stop> {
    let stands = |token: &LockId| held.iter().any(|held| held.token == *token);
    if pass.lease.is_some_and(|token| !stands(&token)) {
        return Some(Stop::Lost);
    }
    held.iter().find(|held| held.stops(pass)).cloned().map(Stop::Held)
}

#[cfg(test)]
mod tests;
