//! Joining: the handshake's answer, then a replay of what was missed or the page whole, then live.

use super::{
    Room, echo, locks,
    peer::{Join, JoinAs, Peer, Speaks},
    permission,
};
use crate::{
    close::Close,
    outbox::Out,
    wire::json::{self, Hello},
};
use base64::Engine;
use documents::{heads, patches};
use kernel::{id::*, role::Level};
use serde_json::{Value, json};
use std::sync::Arc;

impl Room {
    /// Lets a connection in.
    pub(super) fn join(&mut self, join: Join) {
        let peer = Peer::new(&join, self.document);
        if join.level < Level::View {
            peer.forbid(self.document);
            return;
        }
        // A second connection under the same name takes the first one's place.
        let twin = self
            .peers
            .iter()
            .find(|(_, other)| other.client_id == peer.client_id && other.user() == peer.user())
            .map(|(conn, _)| *conn);
        if let Some(old) = twin.and_then(|conn| self.peers.remove(&conn)) {
            old.outbox.close(Close::Replaced);
        }
        let conn = join.conn;
        self.locks.found_again(conn, &peer);
        self.peers.insert(conn, peer);
        match join.as_what {
            JoinAs::Json { hello, .. } => self.hello(conn, &hello, join.token_exp),
            JoinAs::Chunks => {
                self.send_whole(conn);
                self.tell_locks_to(conn);
            }
            JoinAs::Repo { .. } => {}
            JoinAs::Sync => self.tell_locks_to(conn),
        }
    }

    /// Whether a returning client's place in the log is needed from the database before its hello can be answered.
    pub fn needs_heads_at(&self, hello: &Hello) -> Option<i64> {
        let seq = hello.last_seen_server_seq?;
        let known = self.history.echoes_after(seq, self.head.seq).is_some() || self.history.heads_at(seq).is_some();
        (!known && self.is_replayable(hello, seq)).then_some(seq)
    }

    /// Remembers heads that were read from the database.
    pub fn know_heads(&mut self, seq: i64, heads: Vec<automerge::ChangeHash>) {
        self.history.know_heads(seq, heads);
    }

    fn is_replayable(&self, hello: &Hello, seq: i64) -> bool {
        let same_epoch = hello.epoch.as_ref().is_none_or(|epoch| *epoch == self.head.epoch.to_string());
        same_epoch && (0..=self.head.seq).contains(&seq) && self.head.seq - seq <= self.settings.replay_rows
    }

    fn hello(&mut self, conn: ConnectionId, hello: &Hello, token_exp: i64) {
        if hello.units.as_deref().is_some_and(|units| units != "utf16")
            && let Some(peer) = self.peers.get(&conn)
        {
            peer.error(None, "unsupported", "positions are counted in UTF-16 units (units: \"utf16\")");
        }
        let replay = hello.last_seen_server_seq.filter(|seq| self.is_replayable(hello, *seq));
        let missed = replay.and_then(|seq| self.missed_since(seq, self.dialect(conn)));
        let ack = self.hello_ack(conn, (hello, missed.is_some()), token_exp);
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        peer.send("hello_ack", None, ack);
        match missed {
            Some(frames) => {
                if let Speaks::Json(json) = &mut peer.speaks {
                    json.sent = self.head.seq;
                }
                frames.into_iter().for_each(|frame| peer.outbox.push(Out::Text(frame)));
            }
            None => match hello.want.snapshot.as_deref() {
                Some("none") => self.skip_snapshot(conn),
                Some("automerge") => self.send_automerge(conn),
                _ => self.send_snapshot(conn, self.why_snapshot(hello)),
            },
        }
        self.send_everybody(conn);
    }

    fn why_snapshot(&self, hello: &Hello) -> &'static str {
        match (hello.last_seen_server_seq, &hello.epoch) {
            (None, _) => "initial",
            (Some(_), Some(epoch)) if *epoch != self.head.epoch.to_string() => "epoch",
            (Some(_), _) => "too_far_behind",
        }
    }

    fn hello_ack(&self, conn: ConnectionId, hello: (&Hello, bool), token_exp: i64) -> Value {
        let (hello, has_replay) = hello;
        let peer = self.peers.get(&conn);
        let mut ack = json!({
            "session_id": conn,
            "client_id": peer.map(|p| &p.client_id),
            "server_seq": self.head.seq,
            "epoch": self.head.epoch,
            "permission": peer.map(|p| permission(p.level)),
            "token_exp": token_exp / 1000,
            "limits": {
                "max_frame": self.settings.json_frame_bytes,
                "max_ops": self.settings.limits.batch,
                "ops_per_s": self.settings.ops_per_sec,
                "presence_hz": self.settings.presence_hz,
                "window": self.settings.unacked,
                "block_text_bytes": self.settings.limits.block_text_bytes,
            },
        });
        match (hello.last_seen_server_seq, has_replay) {
            (Some(seq), true) => ack["replay_from"] = json!(seq),
            (Some(_), false) => ack["resync"] = json!(true),
            (None, _) => {}
        }
        if let Some(held) = self.locks.held.first() {
            ack["lock"] = locks::state(Some(held));
        }
        ack
    }

    /// The frames that bring a JSON client from a number to the head; `None` when that cannot be told.
    fn missed_since(&mut self, seq: i64, dialect: (bool, bool)) -> Option<Vec<bytestring::ByteString>> {
        let (is_enveloped, changes) = dialect;
        if seq == self.head.seq {
            return Some(Vec::new());
        }
        if let Some(items) = self.history.echoes_after(seq, self.head.seq) {
            let frames = items.chunks(50).map(|some| {
                let some: Vec<&echo::Item> = some.iter().map(Arc::as_ref).collect();
                echo::frame(&some, is_enveloped, changes)
            });
            let frames: Vec<_> = frames.collect();
            let bytes: usize = frames.iter().map(|frame| frame.len()).sum();
            return (bytes <= self.settings.replay_bytes).then_some(frames);
        }
        let from = self.history.heads_at(seq)?.clone();
        let to = self.page.heads().to_vec();
        let ops = patches::diff_to_ops(&self.page.diff(&from, &to).ok()?, self.page.mirror());
        let fields = json!({ "from_seq": seq, "server_seq": self.head.seq, "source": "server", "ops": ops });
        let frame = json::frame("op_echo", None, fields, is_enveloped);
        (frame.len() <= self.settings.replay_bytes).then(|| vec![frame])
    }

    /// Whether a JSON client speaks the enveloped dialect, and whether it wants the changes.
    fn dialect(&self, conn: ConnectionId) -> (bool, bool) {
        match self.peers.get(&conn).map(|peer| &peer.speaks) {
            Some(Speaks::Json(json)) => (json.is_enveloped, json.changes),
            _ => (false, false),
        }
    }

    /// A second hello on a live connection: the client asks where things stand.
    pub(super) fn hello_again(&mut self, conn: ConnectionId, hello: &Hello) {
        let token_exp = self.peers.get(&conn).map_or(0, |peer| peer.token_exp);
        self.hello(conn, hello, token_exp);
    }

    fn skip_snapshot(&mut self, conn: ConnectionId) {
        if let Some(Peer {
            speaks: Speaks::Json(json),
            ..
        }) = self.peers.get_mut(&conn)
        {
            json.sent = self.head.seq;
        }
    }

    /// The page whole, as JSON.
    pub(super) fn send_snapshot(&mut self, conn: ConnectionId, reason: &str) {
        let kind = if matches!(reason, "initial" | "requested") {
            "snapshot"
        } else {
            "resync"
        };
        let fields = json!({
            "server_seq": self.head.seq,
            "epoch": self.head.epoch,
            "heads": heads::to_strings(self.page.heads()),
            "doc": patches::snapshot(self.page.mirror()),
            "reason": reason,
        });
        self.skip_snapshot(conn);
        if let Some(peer) = self.peers.get(&conn) {
            peer.send(kind, None, fields);
        }
    }

    /// The page whole, as an Automerge document in base64.
    fn send_automerge(&mut self, conn: ConnectionId) {
        let whole = self.whole();
        let fields = json!({
            "server_seq": self.head.seq,
            "epoch": self.head.epoch,
            "heads": heads::to_strings(self.page.heads()),
            "automerge": base64::engine::general_purpose::STANDARD.encode(&whole),
            "reason": "initial",
        });
        self.skip_snapshot(conn);
        if let Some(peer) = self.peers.get(&conn) {
            peer.send("snapshot", None, fields);
        }
    }

    /// The page whole, as one binary frame.
    fn send_whole(&mut self, conn: ConnectionId) {
        let whole = self.whole();
        if let Some(peer) = self.peers.get(&conn) {
            peer.outbox.push(Out::Binary(whole));
            peer.send(
                "ack",
                None,
                json!({ "server_seq": self.head.seq, "heads": heads::to_strings(self.page.heads()) }),
            );
        }
    }

    /// Everybody's presence, for a newcomer.
    fn send_everybody(&self, conn: ConnectionId) {
        let all = self.presence.all();
        if let Some(peer) = self.peers.get(&conn)
            && matches!(&peer.speaks, Speaks::Json(json) if json.presence)
            && !all.is_empty()
        {
            peer.send("presence", None, json!({ "peers": all, "full": true }));
        }
    }

    /// Whoever was held back and has read enough by now gets what was missed.
    pub(super) fn catch_up_the_slow(&mut self) {
        let head = self.head.seq;
        let behind = |peer: &Peer| matches!(&peer.speaks, Speaks::Json(json) if json.sent < head) && !peer.outbox.is_lagging();
        let slow: Vec<(ConnectionId, i64)> = self
            .peers
            .iter()
            .filter(|(_, peer)| behind(peer))
            .map(|(conn, peer)| (*conn, if let Speaks::Json(json) = &peer.speaks { json.sent } else { head }))
            .collect();
        for (conn, sent) in slow {
            let dialect = self.dialect(conn);
            match self.missed_since(sent, dialect) {
                Some(frames) => {
                    self.skip_snapshot(conn);
                    if let Some(peer) = self.peers.get(&conn) {
                        frames.into_iter().for_each(|frame| peer.outbox.push(Out::Text(frame)));
                    }
                }
                None => self.send_snapshot(conn, "lagging"),
            }
        }
        self.answer_sync_peers(None);
    }
}
