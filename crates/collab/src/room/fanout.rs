//! Telling everybody what was committed: encoded once for all who speak alike, and never waiting for anyone.

use super::{
    Room,
    echo::{self, Item},
    peer::{Peer, Speaks, SpeaksJson},
};
use crate::outbox::Out;
use automerge::ChangeHash;
use bytes::Bytes;
use bytestring::ByteString;
use documents::log::Head;
use entity::document_change;
use kernel::id::ConnectionId;
use std::{collections::HashMap, sync::Arc};

impl Room {
    /// Tells everybody about items that were committed together, `before` being the heads they began at.
    pub(super) fn tell_all(&mut self, items: Vec<Item>, before: &[ChangeHash]) {
        if items.is_empty() {
            return;
        }
        let items: Vec<Arc<Item>> = items.into_iter().map(Arc::new).collect();
        self.tell_json(&items);
        let changes: Vec<Bytes> = items.iter().flat_map(|item| item.changes.iter().cloned()).collect();
        self.tell_chunks(&items, &changes);
        for item in items {
            self.history.push(item);
        }
        self.broadcast_sync(before, &changes);
    }

    fn tell_json(&mut self, items: &[Arc<Item>]) {
        let (from, to) = (
            items.first().map_or(0, |item| item.from_seq),
            items.last().map_or(0, |item| item.to_seq),
        );
        let mut encoded: HashMap<(bool, bool), ByteString> = HashMap::new();
        for (conn, peer) in &mut self.peers {
            let Speaks::Json(json) = &mut peer.speaks else { continue };
            // Held back, or not caught up yet: it gets everything at once later.
            if json.sent != from || peer.outbox.is_lagging() {
                continue;
            }
            json.sent = to;
            if let Some(frame) = frame_for(items, (*conn, json), &mut encoded) {
                peer.outbox.push(Out::Text(frame));
            }
        }
    }

    fn tell_chunks(&self, items: &[Arc<Item>], changes: &[Bytes]) {
        let is_listening = |peer: &&Peer| matches!(peer.speaks, Speaks::Chunks);
        if changes.is_empty() || !self.peers.values().any(|peer| is_listening(&peer)) {
            return;
        }
        let all = Bytes::from(changes.concat());
        for (conn, peer) in self.peers.iter().filter(|(_, peer)| is_listening(peer)) {
            // Its own changes need no echo; the acknowledgement names them.
            if items.iter().all(|item| item.about.conn == Some(*conn)) {
                continue;
            }
            peer.outbox.push(Out::Binary(all.clone()));
        }
    }

    /// Tells about rows of another node that came in before a pending batch: the echo is in the history already.
    pub(super) fn tell_rows(&mut self, rows: &[document_change::Model], before: &Head) {
        self.catch_up_from_history(before.seq);
        let changes: Vec<Bytes> = rows.iter().map(|row| Bytes::copy_from_slice(&row.bytes)).collect();
        self.tell_chunks(&[], &changes);
    }

    /// Sends the newest echo of the history to JSON peers that stand where it begins.
    fn catch_up_from_history(&mut self, from: i64) {
        let head = self.head.seq;
        if let Some(items) = self.history.echoes_after(from, head) {
            self.tell_json(&items);
        }
    }

    /// A stock client's broadcast: to the other stock clients here and on other nodes, and into everybody's presence.
    pub(super) fn on_ephemeral(&mut self, conn: ConnectionId, what: (u64, String, Bytes), now: super::Now) {
        let (count, session, data) = what;
        let Some(peer) = self.peers.get(&conn) else { return };
        let (sender, user) = (peer.client_id.clone(), peer.user());
        if data.len() > self.settings.presence_bytes {
            return;
        }
        self.relay_ephemeral(Some(conn), &sender, (count, &session, &data));
        let state = presence_state(&data);
        self.presence.update(&sender, user, serde_json::json!({ "state": state }), now.at);
        self.tell.ephemeral.push((sender, count, session, data));
    }

    /// Hands a broadcast to the stock clients of this room, but for the one it came from.
    pub(super) fn relay_ephemeral(&self, from: Option<ConnectionId>, sender: &str, what: (u64, &str, &[u8])) {
        let (count, session, data) = what;
        let document = documents::url::encode(self.document);
        for peer in self
            .peers
            .iter()
            .filter(|(conn, peer)| Some(**conn) != from && !peer.outbox.is_lagging())
            .map(|(_, peer)| peer)
        {
            if let Speaks::Sync(super::peer::SpeaksSync { repo: Some(repo), .. }) = &peer.speaks {
                let message = crate::wire::cbor::Ephemeral {
                    sender,
                    target: &repo.them,
                    document: &document,
                    count,
                    session,
                    data,
                };
                peer.outbox.push(Out::Binary(crate::wire::cbor::ephemeral(&message)));
            }
        }
    }
}

fn frame_for(items: &[Arc<Item>], to: (ConnectionId, &SpeaksJson), encoded: &mut HashMap<(bool, bool), ByteString>) -> Option<ByteString> {
    let (conn, json) = to;
    let is_own = |item: &Arc<Item>| item.about.conn == Some(conn);
    if !json.echo && items.iter().any(is_own) {
        let others: Vec<&Item> = items.iter().filter(|item| !is_own(item)).map(Arc::as_ref).collect();
        return (!others.is_empty()).then(|| echo::frame(&others, json.is_enveloped, json.changes));
    }
    let all = || echo::frame(&items.iter().map(Arc::as_ref).collect::<Vec<_>>(), json.is_enveloped, json.changes);
    Some(encoded.entry((json.is_enveloped, json.changes)).or_insert_with(all).clone())
}

/// What a broadcast says, for JSON clients: the application's value where it is plain data.
fn presence_state(data: &[u8]) -> serde_json::Value {
    crate::wire::cbor::to_json(data).unwrap_or(serde_json::Value::Null)
}
