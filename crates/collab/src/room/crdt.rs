//! Peers that speak Automerge's sync protocol.
//!
//! Automerge's own `receive_sync_message` and `generate_sync_message` cost milliseconds a peer on a long history and
//! trust what peers say, so neither is used. What a peer was told last is one list of heads. While that is the page's
//! last state, all such peers get the same message, encoded once. An acknowledgement (no changes, nothing asked) costs
//! a comparison.

use super::{
    Room,
    peer::{Asks, Peer, Speaks, SpeaksSync},
};
use crate::{
    outbox::Out,
    wire::{
        cbor,
        sync::{self, OurMessage, TheirMessage},
    },
};
use automerge::{Change, ChangeHash, ReadDoc};
use bytes::Bytes;
use kernel::id::*;
use std::collections::HashSet;

impl Room {
    /// A sync message: its changes are gathered as an edit, its questions noted.
    pub(super) fn on_sync(&mut self, conn: ConnectionId, message: TheirMessage) {
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        let Speaks::Sync(state) = &mut peer.speaks else { return };
        let is_first = state.sent.is_none();
        if is_first || message.is_reset || !message.need.is_empty() {
            // Asked for by name: told again from where it says it stands.
            state.asks = Some(Asks {
                heads: message.heads,
                have: message.have,
                need: message.need,
                takes_documents: message.takes_documents,
            });
        }
        if !message.changes.is_empty() {
            self.gather_changes(conn, None, message.changes);
        }
        self.answer_sync_peers(Some(conn));
    }

    /// Brings sync peers to the head: all of them, or one. Does nothing while a batch is in flight; the commit will.
    pub(super) fn answer_sync_peers(&mut self, only: Option<ConnectionId>) {
        if self.pending.is_some() {
            return;
        }
        let heads = self.page.heads();
        // An acknowledgement comes from every peer for every message: it must not cost a look at all the others.
        let due: Vec<ConnectionId> = match only {
            Some(conn) => self
                .peers
                .get(&conn)
                .filter(|peer| is_due(peer, heads))
                .map(|_| conn)
                .into_iter()
                .collect(),
            None => self
                .peers
                .iter()
                .filter(|(_, peer)| is_due(peer, heads))
                .map(|(conn, _)| *conn)
                .collect(),
        };
        if due.is_empty() {
            return;
        }
        let head: Vec<ChangeHash> = heads.to_vec();
        for conn in due {
            self.answer_one(conn, &head);
        }
    }

    fn answer_one(&mut self, conn: ConnectionId, head: &[ChangeHash]) {
        let Some(Peer {
            speaks: Speaks::Sync(state),
            level,
            ..
        }) = self.peers.get_mut(&conn)
        else {
            return;
        };
        let read_only = *level < kernel::role::Level::Edit;
        let (asks, sent) = (state.asks.take(), state.sent.clone());
        let (changes, as_document) = match (asks, sent) {
            (Some(asks), _) => self.what_it_lacks(&asks),
            (None, Some(sent)) => (raw(self.page.doc().get_changes(&sent)), false),
            (None, None) => return,
        };
        let message = sync::write(OurMessage {
            heads: head,
            changes,
            as_document,
            read_only,
        });
        self.send_sync(conn, &cbor::data(&message), &Bytes::from(message), head);
    }

    /// Sends one message to one peer, in its frame.
    fn send_sync(&mut self, conn: ConnectionId, as_data: &Bytes, plain: &Bytes, head: &[ChangeHash]) {
        let Some(Peer {
            speaks: Speaks::Sync(state),
            outbox,
            ..
        }) = self.peers.get_mut(&conn)
        else {
            return;
        };
        let frame = match &state.repo {
            Some(repo) => cbor::join(&repo.prefix, as_data),
            None => plain.clone(),
        };
        outbox.push(Out::Binary(frame));
        state.sent = Some(head.to_vec());
    }

    /// Sends committed changes to every peer that stands where the page stood before, in one encoding.
    pub(super) fn broadcast_sync(&mut self, before: &[ChangeHash], changes: &[Bytes]) {
        let head: Vec<ChangeHash> = self.page.heads().to_vec();
        let in_step = |peer: &Peer| matches!(&peer.speaks, Speaks::Sync(SpeaksSync { sent: Some(sent), asks: None, .. }) if sent == before);
        let writers: Vec<ConnectionId> = self
            .peers
            .iter()
            .filter(|(_, p)| in_step(p) && p.may_edit() && !p.outbox.is_lagging())
            .map(|(c, _)| *c)
            .collect();
        if !writers.is_empty() {
            let changes = changes.iter().map(|change| change.to_vec()).collect();
            let plain = Bytes::from(sync::write(OurMessage {
                heads: &head,
                changes,
                as_document: false,
                read_only: false,
            }));
            let as_data = cbor::data(&plain);
            for conn in writers {
                self.send_sync(conn, &as_data, &plain, &head);
            }
        }
        self.answer_sync_peers(None);
    }

    /// The changes a peer lacks by its own account: single ones, or the whole page where that is less and it takes it.
    fn what_it_lacks(&mut self, asks: &Asks) -> (Vec<Vec<u8>>, bool) {
        let known: Vec<ChangeHash> = asks.heads.iter().filter(|head| self.page.has(head)).copied().collect();
        let wants_all = asks.heads.is_empty();
        if wants_all && asks.takes_documents {
            return (vec![self.whole().to_vec()], true);
        }
        let mut hashes = self.missing_hashes(asks, &known);
        let total = self.page.doc().get_changes_meta(&[]).len();
        if asks.takes_documents && hashes.len() > 10 && hashes.len() > total / 3 {
            return (vec![self.whole().to_vec()], true);
        }
        let told: HashSet<ChangeHash> = hashes.iter().copied().collect();
        hashes.extend(asks.need.iter().filter(|hash| !told.contains(hash)).copied());
        let changes = hashes.iter().filter_map(|hash| self.page.doc().get_change_by_hash(hash)).collect();
        (raw(changes), false)
    }

    /// In the order of the history: whatever stands behind what both sides have, and is not in the peer's filters.
    fn missing_hashes(&self, asks: &Asks, known: &[ChangeHash]) -> Vec<ChangeHash> {
        let shared: Vec<ChangeHash> = asks
            .have
            .iter()
            .flat_map(|have| &have.last_sync)
            .chain(known)
            .filter(|hash| self.page.has(hash))
            .copied()
            .collect();
        let mut missing: HashSet<ChangeHash> = HashSet::new();
        let mut out = Vec::new();
        for meta in self.page.doc().get_changes_meta(&shared) {
            let is_filtered = asks.have.iter().any(|have| have.bloom.contains(&meta.hash));
            // What builds on a missing change is missing too, whatever a filter says by chance.
            if !is_filtered || meta.deps.iter().any(|dep| missing.contains(dep)) {
                missing.insert(meta.hash);
                out.push(meta.hash);
            }
        }
        out
    }

    /// The whole page as a document chunk, saved once per state.
    pub(super) fn whole(&mut self) -> Bytes {
        if let Some((seq, bytes)) = &self.whole
            && *seq == self.head.seq
        {
            return bytes.clone();
        }
        let bytes = Bytes::from(self.page.doc().save());
        self.whole = Some((self.head.seq, bytes.clone()));
        bytes
    }
}

/// Whether a peer has something to be told, and is listening.
fn is_due(peer: &Peer, head: &[ChangeHash]) -> bool {
    let Speaks::Sync(state) = &peer.speaks else { return false };
    let stands_behind = state.sent.as_ref().is_some_and(|sent| sent != head);
    (state.asks.is_some() || stands_behind) && !peer.outbox.is_lagging()
}

fn raw(changes: Vec<Change>) -> Vec<Vec<u8>> {
    changes.iter().map(|change| change.raw_bytes().to_vec()).collect()
}
