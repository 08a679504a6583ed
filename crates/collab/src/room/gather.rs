//! What comes in at the sockets becomes waiting edits, or is refused at once.

use super::{
    Room,
    peer::Peer,
    work::{Base, Origin, Task, Work},
};
use crate::{
    close::Close,
    wire::json::{Edit, What},
};
use documents::{
    gate::{Refusal, chunk},
    log::Source,
};
use kernel::id::*;

impl Room {
    /// Takes a JSON edit into the queue.
    pub(super) fn gather_edit(&mut self, conn: ConnectionId, edit: Edit) {
        let limits = &self.settings.limits;
        let task = match edit.what {
            What::Ops(ops) if ops.len() > limits.batch => Err(Refusal::TooLarge("so many edits in one batch")),
            What::Ops(ops) => Ok(Task::Ops(edit.base.map_or(Base::Head, Base::Seq), ops)),
            What::Changes(bytes) => chunk::split(&bytes, limits.change_bytes, limits.batch).map(Task::Changes),
        };
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        match task {
            Ok(_) if !peer.may_edit() => peer.read_only(edit.id.as_deref()),
            Ok(_) if peer.unacked >= self.settings.unacked => {
                peer.error(edit.id.as_deref(), "rate_limited", "too many edits wait for their commit")
            }
            Ok(what) => {
                peer.unacked += 1;
                self.queue.push(Work {
                    origin: Origin::Conn(conn),
                    who: peer.who,
                    proven: peer.proven,
                    lease: None,
                    id: edit.id,
                    source: Source::Json,
                    what,
                });
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
        let split: Result<Vec<Vec<Vec<u8>>>, Refusal> = chunks
            .iter()
            .map(|bytes| chunk::split(bytes, limits.change_bytes, 100_000))
            .collect();
        match split {
            Ok(chunks) => {
                let what = Task::Changes(chunks.concat());
                self.queue.push(Work {
                    origin: Origin::Conn(conn),
                    who: peer.who,
                    proven: peer.proven,
                    lease: None,
                    id,
                    source: Source::Automerge,
                    what,
                });
            }
            Err(refusal) => refuse_client(peer, &refusal),
        }
    }
}

/// A refused change costs an Automerge client its connection: everything it makes later builds on it. What only lacks
/// its ground is told and may come again.
pub(super) fn refuse_client(peer: &Peer, refusal: &Refusal) {
    peer.error(None, refusal.code(), &refusal.to_string());
    match refusal {
        Refusal::MissingDependencies => {}
        Refusal::TooLarge(_) => peer.outbox.close(Close::TooLarge),
        Refusal::Unsupported(_) => peer.outbox.close(Close::Protocol),
        Refusal::Malformed(_) | Refusal::Invalid(_) | Refusal::ForeignActor | Refusal::Poisonous => peer.outbox.close(Close::Malformed),
    }
}
