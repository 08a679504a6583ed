//! What people here may do, and what becomes of their edits when that changes.

use super::{
    Room,
    commit::Pending,
    permission,
    work::{Origin, Work},
};
use crate::close::Close;
use documents::error::Error;
use kernel::{id::ConnectionId, role::Level};
use serde_json::json;
use std::{collections::HashMap, sync::Arc};
use workspaces::access::{AccessError, Who};

/// Somebody's level, or why their connections end.
pub type Right = Result<Level, Close>;

/// What people may do, as it was found out after the workspace's counter of changes of access had come to `version`.
pub struct Rights {
    /// Where the counter stood before it was asked.
    pub version: i64,
    /// What was found.
    pub of: HashMap<Who, Right>,
}

impl Room {
    /// Everybody whose rights matter: who is here, and whose edits wait.
    pub fn everybody(&self) -> Vec<Who> {
        let here = self.peers.values().map(|peer| peer.who);
        let mut all: Vec<Who> = here.chain(self.queue.iter().map(|work| work.who)).collect();
        let mut seen = std::collections::HashSet::new();
        all.retain(|who| seen.insert(*who));
        all
    }

    /// Whether somebody came in by a right that is older than what is known here.
    pub fn has_old_rights(&self) -> bool {
        self.peers.values().any(|peer| peer.proven < self.rights_version)
    }

    /// What people may do has changed: readers lose the page at once, writers become readers or the other way round, and
    /// what waits of those who may not edit any more is refused.
    pub(super) fn set_rights(&mut self, rights: &Rights) {
        self.rights_version = self.rights_version.max(rights.version);
        for peer in self.peers.values_mut() {
            let Some(right) = rights.of.get(&peer.who) else { continue };
            peer.proven = rights.version;
            let level = right.unwrap_or(Level::None);
            if level == peer.level {
                continue;
            }
            peer.level = level;
            match right {
                Err(why) => peer.refuse(self.document, *why),
                Ok(level) if *level < Level::View => peer.forbid(self.document),
                Ok(level) => {
                    peer.send("permission", None, json!({ "permission": permission(*level), "reason": "changed" }));
                    // A stock client learns it by a sync state of its own; the simplest sound one is a new connection.
                    if !peer.is_json() {
                        peer.outbox.close(Close::Draining);
                    }
                }
            }
        }
        self.refuse_the_revoked(rights);
    }

    fn refuse_the_revoked(&mut self, rights: &Rights) {
        let (kept, refused): (Vec<Work>, Vec<Work>) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition(|work| !matches!(rights.of.get(&work.who), Some(right) if right.unwrap_or(Level::None) < Level::Edit));
        self.queue = kept;
        for work in &mut self.queue {
            if rights.of.contains_key(&work.who) {
                work.proven = rights.version;
            }
        }
        for work in refused {
            self.count_acked(&work.origin);
            match &work.origin {
                Origin::Ticket(..) => self.refuse(&work.origin, None, Arc::new(Error::Access(AccessError::Forbidden))),
                Origin::Conn(conn) => {
                    if let Some(peer) = self.peers.get(conn) {
                        peer.read_only(work.id.as_deref());
                    }
                }
            }
        }
    }

    /// The connection is the same person's still, with another token.
    pub(super) fn renewed(&mut self, conn: ConnectionId, who: Who) {
        if let Some(peer) = self.peers.get_mut(&conn)
            && peer.who.user() == who.user()
        {
            peer.who = who;
            // Older than all that is known, so it is asked what they may do with that.
            peer.proven = -1;
        }
    }

    /// One of a connection's edits waits no longer.
    pub(super) fn count_acked(&mut self, origin: &Origin) {
        if let Origin::Conn(conn) = origin
            && let Some(peer) = self.peers.get_mut(conn)
        {
            peer.unacked = peer.unacked.saturating_sub(1);
        }
    }

    /// Puts the edits of a batch that was not committed back into the queue, in front of those that came since.
    pub fn requeue(&mut self, pending: Pending) {
        let mut works = pending.works;
        for work in &works {
            if let Origin::Conn(conn) = &work.origin
                && let Some(peer) = self.peers.get_mut(conn)
            {
                peer.unacked += 1;
            }
        }
        works.append(&mut self.queue);
        self.queue = works;
    }
}
