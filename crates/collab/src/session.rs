//! One connection from its first frame on: finds out what it speaks, tells it the verdict in its own protocol, lets it
//! into the room, and parses its frames under bounds. No socket inside: frames come in, the outbox goes out.

use crate::{
    close::{Close, close_for},
    outbox::{Out, Outbox},
    protocol::{Frame, Protocol},
    room::{Input, Join, JoinAs},
    rooms::Rooms,
    wire::{
        cbor::{self, RepoFrame},
        json::{self, Hello, Said},
        sync,
    },
};
use bytes::Bytes;
use futures::future::BoxFuture;
use kernel::{clock, id::*, role::Level};
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use workspaces::access::Who;

/// Who stands behind a token, until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Who it is.
    pub who: Who,
    /// When the token runs out, in milliseconds since 1970.
    pub expires_ms: i64,
}

/// Asks who a token belongs to: nobody, or one of [`Close::Unauthenticated`] and a reason to try again. The HTTP face
/// brings it, because tokens are its business.
pub type Authenticate = Arc<dyn Fn(String) -> BoxFuture<'static, Result<Bearer, Close>> + Send + Sync>;

/// How a connection came.
pub struct Arrival {
    /// The page its url names; `/ws` names none until the first message does.
    pub document: Option<DocumentId>,
    /// Whose the token is that came with the upgrade, or why that is not known.
    pub bearer: Result<Bearer, Close>,
    /// The protocol that was agreed on or asked for; else the first frame tells.
    pub protocol: Option<Result<Protocol, Close>>,
    /// Checks tokens that come later.
    pub authenticate: Authenticate,
}

enum Phase {
    /// Nothing was said yet.
    Silent,
    /// A stock client that has joined and not yet asked for the page.
    Joined { them: String, us: String },
    /// In the room.
    Live,
    /// On its way out.
    Closed,
}

/// A connection.
pub struct Session {
    rooms: Rooms,
    conn: ConnectionId,
    outbox: Arc<Outbox>,
    arrival: Arrival,
    protocol: Option<Protocol>,
    phase: Phase,
    came: Instant,
    warned: bool,
    is_enveloped: bool,
    bucket: Bucket,
    /// The stock client's peer ids: what its frames have to be signed with.
    them: String,
}

/// A token bucket.
struct Bucket {
    left: f64,
    at: Instant,
    refused: u32,
}

/// Frames above this many bytes are let into rooms a few at a time.
const LARGE: usize = 256 << 10;
/// Refusals in a row after which a client that does not slow down is closed.
const MAX_REFUSED: u32 = 1_000;

impl Session {
    /// A connection that was just accepted. Nothing is sent to it before it has spoken.
    pub fn new(rooms: Rooms, outbox: Arc<Outbox>, arrival: Arrival) -> Self {
        let bucket = Bucket {
            left: f64::from(rooms.settings().ops_burst),
            at: Instant::now(),
            refused: 0,
        };
        let protocol = arrival.protocol.and_then(Result::ok);
        Self {
            rooms,
            conn: ConnectionId::new(),
            outbox,
            arrival,
            protocol,
            phase: Phase::Silent,
            came: Instant::now(),
            warned: false,
            is_enveloped: false,
            bucket,
            them: String::new(),
        }
    }

    /// The most bytes its next frame may have.
    pub fn frame_limit(&self, is_text: bool) -> usize {
        let settings = self.rooms.settings();
        match self.phase {
            Phase::Live if is_text => settings.json_frame_bytes,
            Phase::Live => settings.binary_frame_bytes,
            Phase::Joined { .. } if self.arrival.bearer.is_ok() => settings.binary_frame_bytes,
            _ => settings.first_frame_bytes,
        }
    }

    /// Takes a frame.
    pub async fn on_frame(&mut self, frame: Frame) {
        if frame.len() > self.frame_limit(matches!(frame, Frame::Text(_))) {
            return self.close(Close::TooLarge);
        }
        // Stock clients ignore a frame of no bytes, and so do we.
        if frame.is_empty() {
            return;
        }
        let protocol = match (self.protocol, self.arrival.protocol) {
            (Some(protocol), _) => protocol,
            (None, Some(Err(why))) => return self.refuse(why),
            (None, _) => match Protocol::of_first_frame(&frame) {
                Ok(protocol) => *self.protocol.insert(protocol),
                Err(why) => return self.refuse(why),
            },
        };
        match (protocol, frame) {
            (Protocol::Json, Frame::Text(text)) | (Protocol::Raw, Frame::Text(text)) => self.on_json(&text).await,
            (Protocol::Repo, Frame::Binary(bytes)) => self.on_repo(bytes).await,
            (Protocol::Raw, Frame::Binary(bytes)) => self.on_raw(bytes).await,
            // A client that announced JSON may still send changes as a binary frame.
            (Protocol::Json, Frame::Binary(bytes)) if matches!(self.phase, Phase::Live) => self.on_raw(bytes).await,
            (Protocol::Json, Frame::Binary(_)) => self.close(Close::Protocol),
            // automerge-repo never sends text; it is ignored as its own server does.
            (Protocol::Repo, Frame::Text(_)) => {}
        }
    }

    /// Time passes: handshakes run out, silent listeners are let in, tokens expire.
    pub async fn on_tick(&mut self) {
        let settings = self.rooms.settings().clone();
        match self.phase {
            Phase::Silent | Phase::Joined { .. } if self.came.elapsed() > settings.handshake => self.close(Close::Handshake),
            Phase::Silent if self.came.elapsed() > settings.listen_after && self.protocol.is_none_or(|p| p == Protocol::Json) => {
                self.protocol = Some(Protocol::Json);
                self.join_json(Hello::default(), false).await;
            }
            Phase::Silent if self.protocol == Some(Protocol::Raw) && self.came.elapsed() > Duration::from_millis(200) => {
                self.enter(JoinAs::Chunks).await;
            }
            Phase::Live => self.check_token(),
            _ => {}
        }
    }

    fn check_token(&mut self) {
        let Ok(bearer) = self.arrival.bearer else { return };
        let left = bearer.expires_ms - clock::now_ms();
        if left < -30_000 {
            self.say("error", None, json!({ "code": "token_expired", "message": "the token ran out" }));
            self.close(Close::Unauthenticated);
        } else if left < 60_000 && !self.warned {
            self.warned = true;
            self.say("auth_expiring", None, json!({ "in_ms": left.max(0) }));
        }
    }

    /// The connection is gone.
    pub async fn on_gone(&mut self) {
        if let (Phase::Live, Some(document)) = (&self.phase, self.arrival.document) {
            drop(self.rooms.send(document, Input::Leave(self.conn)).await);
        }
        self.phase = Phase::Closed;
    }

    /// A message to a client that reads text.
    fn say(&self, kind: &str, id: Option<&str>, fields: serde_json::Value) {
        if self.protocol != Some(Protocol::Repo) {
            self.outbox.push(Out::Text(json::frame(kind, id, fields, self.is_enveloped)));
        }
    }

    fn close(&mut self, why: Close) {
        self.phase = Phase::Closed;
        self.outbox.close(why);
    }

    /// Says why in the client's own protocol, then closes.
    fn refuse(&mut self, why: Close) {
        self.say(
            "error",
            None,
            json!({ "code": why.reason(), "message": refusal(why), "fatal": true }),
        );
        self.close(why);
    }

    /// The page and the level, or why not.
    async fn verdict(&self) -> Result<(DocumentId, Bearer, (Level, i64)), Close> {
        let bearer = self.arrival.bearer?;
        if bearer.expires_ms <= clock::now_ms() {
            return Err(Close::Unauthenticated);
        }
        let document = self.arrival.document.ok_or(Close::NotFound)?;
        if self.rooms.is_draining() {
            return Err(Close::Draining);
        }
        let found = self.rooms.level(bearer.who, document).await.map_err(|e| close_for(&e))?;
        match found {
            // Whoever may not see it learns no more than that there is nothing.
            None | Some((Level::None, _)) => Err(Close::NotFound),
            Some(found) => {
                if bearer.who.is_person() {
                    self.rooms.viewed(bearer.who.user(), document).await.map_err(|e| close_for(&e))?;
                    self.rooms.opened(bearer.who, document);
                }
                Ok((document, bearer, found))
            }
        }
    }

    /// Lets the connection into its room.
    async fn enter(&mut self, as_what: JoinAs) {
        let (document, bearer, (level, proven)) = match self.verdict().await {
            Ok(verdict) => verdict,
            Err(why) => return self.turn_away(&as_what, why),
        };
        let join = Join {
            conn: self.conn,
            who: bearer.who,
            level,
            proven,
            outbox: self.outbox.clone(),
            token_exp: bearer.expires_ms,
            as_what,
        };
        match self.rooms.send(document, Input::Join(Box::new(join))).await {
            Ok(()) => self.phase = Phase::Live,
            Err(_) => self.refuse(Close::Draining),
        }
    }

    fn turn_away(&mut self, as_what: &JoinAs, why: Close) {
        if let JoinAs::Repo { them, us } = as_what {
            if let Some(document) = self.arrival.document {
                self.outbox.push(crate::room::unavailable(us, them, document));
            }
            self.outbox.push(Out::Binary(cbor::error(us, them, refusal(why))));
        }
        self.refuse(why);
    }

    async fn join_json(&mut self, hello: Hello, is_enveloped: bool) {
        self.is_enveloped = is_enveloped;
        if let Some(token) = &hello.token {
            match (self.arrival.authenticate)(token.clone()).await {
                Ok(bearer) => self.arrival.bearer = Ok(bearer),
                // A bad one leaves the one that it came with.
                Err(Close::Unauthenticated) => {}
                Err(why) => return self.refuse(why),
            }
        }
        self.enter(JoinAs::Json {
            hello: Box::new(hello),
            is_enveloped,
        })
        .await;
    }

    async fn on_json(&mut self, text: &str) {
        let parsed = json::read(text);
        if matches!(self.phase, Phase::Silent) {
            if self.arrival.document.is_none() {
                self.arrival.document = named_document(text);
            }
            let (hello, first) = match parsed.said {
                Ok(Said::Hello(hello)) => (*hello, None),
                // A client may authenticate with its first message, and then say hello or nothing.
                Ok(Said::Auth(token)) => (
                    Hello {
                        token: Some(token),
                        ..Hello::default()
                    },
                    None,
                ),
                said => (Hello::default(), Some(said)),
            };
            self.join_json(hello, parsed.is_enveloped).await;
            return match first {
                Some(said) if matches!(self.phase, Phase::Live) => self.on_said(said).await,
                _ => {}
            };
        }
        self.on_said(parsed.said).await;
    }

    async fn on_said(&mut self, said: Result<Said, json::Bad>) {
        let Some(document) = self.arrival.document.filter(|_| matches!(self.phase, Phase::Live)) else {
            return;
        };
        match said {
            Err(bad) => {
                self.bucket.refused += 1;
                self.say("error", bad.id.as_deref(), json!({ "code": bad.code, "message": bad.message }));
                if self.bucket.refused > MAX_REFUSED {
                    self.refuse(Close::Malformed);
                }
            }
            Ok(said) if !self.may_go_on(said.price()) => {
                let fields = json!({ "code": "rate_limited", "message": "too much a second", "retry_after_ms": 1000 });
                self.say("error", said.id(), fields);
                if self.bucket.refused > MAX_REFUSED {
                    self.refuse(Close::RateLimited);
                }
            }
            Ok(Said::Auth(token)) => self.renew(token).await,
            Ok(said) => self.forward(document, Input::Said(self.conn, said)).await,
        }
    }

    async fn forward(&mut self, document: DocumentId, input: Input) {
        self.forward_sized(document, input, 0).await;
    }

    async fn forward_sized(&mut self, document: DocumentId, input: Input, bytes: usize) {
        let sent = if bytes > LARGE {
            self.rooms.send_large(document, input).await
        } else {
            self.rooms.send(document, input).await
        };
        if sent.is_err() {
            self.close(Close::Draining);
        }
    }

    async fn renew(&mut self, token: String) {
        match (self.arrival.authenticate)(token).await {
            // The same person: a connection does not change hands.
            Ok(bearer) if Ok(bearer.who.user()) == self.arrival.bearer.map(|b| b.who.user()) => {
                self.arrival.bearer = Ok(bearer);
                if let Some(document) = self.arrival.document.filter(|_| matches!(self.phase, Phase::Live)) {
                    self.forward(document, Input::Renewed(self.conn, bearer.who)).await;
                }
                self.warned = false;
                self.say("auth_ok", None, json!({ "exp": bearer.expires_ms / 1000 }));
            }
            _ => self.say(
                "error",
                None,
                json!({ "code": "unauthenticated", "message": "the token is not valid for this connection" }),
            ),
        }
    }

    /// Whether another edit fits into the rate.
    fn may_go_on(&mut self, price: f64) -> bool {
        let settings = self.rooms.settings();
        let since = self.bucket.at.elapsed().as_secs_f64();
        self.bucket.at = Instant::now();
        self.bucket.left = (self.bucket.left + since * f64::from(settings.ops_per_sec)).min(f64::from(settings.ops_burst));
        if price > 0.0 && self.bucket.left < 1.0 {
            self.bucket.refused += 1;
            return false;
        }
        self.bucket.left -= price;
        self.bucket.refused = 0;
        true
    }

    async fn on_repo(&mut self, bytes: Bytes) {
        let Some(frame) = cbor::read(&bytes) else {
            return self.close(Close::Malformed);
        };
        match (frame, std::mem::replace(&mut self.phase, Phase::Closed)) {
            (RepoFrame::Join { sender }, Phase::Silent) => {
                // Answered at once: a stock client gives up on a page whose server needs more than a second for this.
                let us = format!("sheaf-{}", self.conn);
                self.outbox.push(Out::Binary(cbor::peer(&us, &sender, self.rooms.storage_id())));
                self.them.clone_from(&sender);
                self.phase = Phase::Joined { them: sender, us };
            }
            (RepoFrame::Sync { sender, document, data }, Phase::Joined { them, us }) => {
                self.phase = Phase::Joined {
                    them: them.clone(),
                    us: us.clone(),
                };
                if sender == them && self.is_our_page(&document, &us, &them) {
                    self.enter(JoinAs::Repo { them, us }).await;
                    self.on_sync(&data).await;
                }
            }
            (frame, Phase::Live) => {
                self.phase = Phase::Live;
                self.on_live_repo(frame).await;
            }
            (_, phase @ (Phase::Joined { .. } | Phase::Closed)) => self.phase = phase,
            (_, Phase::Silent) => self.close(Close::Malformed),
        }
    }

    /// Whether a frame is about this socket's page. For any other the client is told that there is none here.
    fn is_our_page(&mut self, document: &str, us: &str, them: &str) -> bool {
        let named = documents::url::decode(document);
        if self.arrival.document.is_none() {
            self.arrival.document = named;
        }
        let is_ours = named.is_some() && named == self.arrival.document;
        if !is_ours {
            self.outbox.push(Out::Binary(cbor::unavailable(us, them, document)));
        }
        is_ours
    }

    async fn on_live_repo(&mut self, frame: RepoFrame) {
        let us = format!("sheaf-{}", self.conn);
        let them = self.them.clone();
        match frame {
            RepoFrame::Sync { sender, document, data } if sender == them && self.is_our_page(&document, &us, &them) => {
                self.on_sync(&data).await;
            }
            // Stock clients gossip other peers' broadcasts back: those are not theirs to send.
            RepoFrame::Ephemeral {
                sender,
                document,
                count,
                session,
                data,
            } if sender == them => {
                if documents::url::decode(&document) == self.arrival.document
                    && let Some(document) = self.arrival.document
                {
                    self.forward(document, Input::Ephemeral(self.conn, count, session, data)).await;
                }
            }
            _ => {}
        }
    }

    async fn on_sync(&mut self, data: &[u8]) {
        let Some(document) = self.arrival.document.filter(|_| matches!(self.phase, Phase::Live)) else {
            return;
        };
        match sync::read(data, 100_000) {
            Ok(message) => self.forward_sized(document, Input::Sync(self.conn, message), data.len()).await,
            Err(_) => self.refuse(Close::Malformed),
        }
    }

    async fn on_raw(&mut self, bytes: Bytes) {
        let is_sync = matches!(bytes.first(), Some(0x42 | 0x43));
        if matches!(self.phase, Phase::Silent) {
            self.enter(if is_sync { JoinAs::Sync } else { JoinAs::Chunks }).await;
        }
        let Some(document) = self.arrival.document.filter(|_| matches!(self.phase, Phase::Live)) else {
            return;
        };
        if is_sync {
            self.on_sync(&bytes).await;
        } else {
            self.forward_sized(document, Input::Chunks(self.conn, vec![bytes.to_vec()]), bytes.len())
                .await;
        }
    }
}

fn named_document(text: &str) -> Option<DocumentId> {
    let message: serde_json::Value = serde_json::from_str(text).ok()?;
    let named = message.get("document_id").or_else(|| message.get("data")?.get("document_id"))?;
    documents::url::decode(named.as_str()?)
}

fn refusal(why: Close) -> &'static str {
    match why {
        Close::Unauthenticated => "a valid token is needed",
        Close::NotFound => "there is no such page for you",
        Close::Protocol => "this page does not speak that protocol",
        Close::Draining => "this node is going away; try again",
        Close::Malformed => "the frame makes no sense",
        Close::RateLimited => "too much, too fast",
        _ => "the connection is closed",
    }
}
