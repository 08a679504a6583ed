//! One connection in a room.

use super::unavailable;
use crate::{
    close::Close,
    outbox::{Out, Outbox},
    wire::{
        cbor,
        json::{self, Hello},
        sync::TheirHave,
    },
};
use automerge::ChangeHash;
use bytes::Bytes;
use documents::error::Error;
use kernel::{error::Explain, id::*, role::Level};
use serde_json::{Value, json};
use std::sync::Arc;
use workspaces::access::Who;

/// A connection that wants in.
pub struct Join {
    /// Its id, unique in the deployment.
    pub conn: ConnectionId,
    /// Who it is.
    pub who: Who,
    /// What they may do.
    pub level: Level,
    /// Where the workspace's counter of changes of access stood when that was proven.
    pub proven: i64,
    /// Where its frames go.
    pub outbox: Arc<Outbox>,
    /// When its token runs out, in milliseconds since 1970.
    pub token_exp: i64,
    /// What it speaks.
    pub as_what: JoinAs,
}

/// What a connection speaks when it joins.
pub enum JoinAs {
    /// JSON; the hello was said, or is implied.
    Json {
        /// What it said.
        hello: Box<Hello>,
        /// Whether its first frame was enveloped.
        is_enveloped: bool,
    },
    /// A stock client, which has got its `peer` already.
    Repo {
        /// The client's peer id.
        them: String,
        /// Ours, unique to the socket.
        us: String,
    },
    /// Automerge sync messages without frames around them.
    Sync,
    /// Automerge chunks.
    Chunks,
}

/// What a connection speaks.
pub enum Speaks {
    /// JSON.
    Json(SpeaksJson),
    /// Automerge's sync protocol, as a stock client or raw.
    Sync(SpeaksSync),
    /// Automerge chunks, with JSON control messages.
    Chunks,
}

/// A JSON client's choices and where it stands.
pub struct SpeaksJson {
    /// Its dialect.
    pub is_enveloped: bool,
    /// Whether its own edits are echoed.
    pub echo: bool,
    /// Whether echoes carry the Automerge changes.
    pub changes: bool,
    /// Whether it wants presence.
    pub presence: bool,
    /// The last number it was sent.
    pub sent: i64,
}

/// A sync peer's state: what we told it, and what it asks for.
#[derive(Default)]
pub struct SpeaksSync {
    /// Its peer id and ours, for a stock client.
    pub repo: Option<RepoIds>,
    /// The heads of our last message; none before the first.
    pub sent: Option<Vec<ChangeHash>>,
    /// A message of its that wants an answer.
    pub asks: Option<Asks>,
    /// Whether changes of its were left out because of a lock: it is asked for them again when that is gone.
    pub held_back: bool,
}

/// A stock client's addresses.
pub struct RepoIds {
    /// The client's peer id.
    pub them: String,
    /// Ours.
    pub us: String,
    /// What stands before the data of every sync frame to it.
    pub prefix: Bytes,
}

/// What a sync peer lacks, by its own account.
#[derive(Default)]
pub struct Asks {
    /// Its heads.
    pub heads: Vec<ChangeHash>,
    /// What it has.
    pub have: Vec<TheirHave>,
    /// What it names.
    pub need: Vec<ChangeHash>,
    /// Whether it takes a whole document.
    pub takes_documents: bool,
}

/// One connection.
pub struct Peer {
    /// Who it is.
    pub who: Who,
    /// What they may do.
    pub level: Level,
    /// As in [`Join`].
    pub proven: i64,
    /// Its name in this room.
    pub client_id: String,
    /// Where its frames go.
    pub outbox: Arc<Outbox>,
    /// What it speaks.
    pub speaks: Speaks,
    /// Edits that wait for their commit.
    pub unacked: usize,
    /// When the token it came with runs out, in milliseconds since 1970.
    pub token_exp: i64,
}

impl Peer {
    /// The connection as it joins.
    pub fn new(join: &Join, document: DocumentId) -> Self {
        let (client_id, speaks) = match &join.as_what {
            JoinAs::Json { hello, is_enveloped } => {
                let client = hello
                    .client_id
                    .clone()
                    .filter(|id| (1..=64).contains(&id.len()))
                    .unwrap_or_else(|| join.conn.to_string());
                let speaks = SpeaksJson {
                    is_enveloped: *is_enveloped,
                    echo: hello.want.echo.unwrap_or(!is_enveloped),
                    changes: hello.want.changes || *is_enveloped,
                    presence: hello.want.presence.unwrap_or(true),
                    sent: 0,
                };
                (client, Speaks::Json(speaks))
            }
            JoinAs::Repo { them, us } => {
                let prefix = cbor::sync_prefix(us, them, &documents::url::encode(document));
                let repo = Some(RepoIds {
                    them: them.clone(),
                    us: us.clone(),
                    prefix,
                });
                (
                    them.clone(),
                    Speaks::Sync(SpeaksSync {
                        repo,
                        ..SpeaksSync::default()
                    }),
                )
            }
            JoinAs::Sync => (join.conn.to_string(), Speaks::Sync(SpeaksSync::default())),
            JoinAs::Chunks => (join.conn.to_string(), Speaks::Chunks),
        };
        Self {
            who: join.who,
            level: join.level,
            proven: join.proven,
            client_id,
            outbox: join.outbox.clone(),
            speaks,
            unacked: 0,
            token_exp: join.token_exp,
        }
    }

    /// Whose acts are this connection's.
    pub fn user(&self) -> UserId {
        self.who.user()
    }

    /// Whether it speaks JSON.
    pub fn is_json(&self) -> bool {
        matches!(self.speaks, Speaks::Json(_))
    }

    /// Whether it is a sync peer that was not told anything yet.
    pub fn is_new(&self) -> bool {
        matches!(&self.speaks, Speaks::Sync(state) if state.sent.is_none())
    }

    /// Whether it may change the page.
    pub fn may_edit(&self) -> bool {
        self.level >= Level::Edit
    }

    /// Sends a JSON message to whoever reads text: JSON clients in their dialect, raw ones flat. Stock clients would
    /// not understand it.
    pub fn send(&self, kind: &str, id: Option<&str>, fields: Value) {
        let is_enveloped = match &self.speaks {
            Speaks::Json(json) => json.is_enveloped,
            Speaks::Sync(SpeaksSync { repo: Some(_), .. }) => return,
            Speaks::Sync(_) | Speaks::Chunks => false,
        };
        self.outbox.push(Out::Text(json::frame(kind, id, fields, is_enveloped)));
    }

    /// Refuses an edit of somebody who may only read.
    pub fn read_only(&self, id: Option<&str>) {
        self.error(id, "read_only", "you may read this page, not change it");
    }

    /// Refuses one message.
    pub fn error(&self, id: Option<&str>, code: &str, message: &str) {
        if let Speaks::Sync(SpeaksSync { repo: Some(repo), .. }) = &self.speaks {
            self.outbox
                .push(Out::Binary(cbor::error(&repo.us, &repo.them, &format!("{code}: {message}"))));
            return;
        }
        self.send("error", id, json!({ "code": code, "message": message }));
    }

    /// Refuses one edit, with what the client can act on.
    pub fn refuse_edit(&self, id: Option<&str>, error: &Error) {
        let told = error.more();
        if told.is_empty() || matches!(&self.speaks, Speaks::Sync(SpeaksSync { repo: Some(_), .. })) {
            return self.error(id, error.code(), &error.to_string());
        }
        let mut fields = json!({ "code": error.code(), "message": error.to_string() });
        for (name, value) in told {
            fields[name] = json!(value);
        }
        if let Some(wait) = error.retry_after() {
            fields["retry_after_ms"] = json!(wait.as_millis() as u64);
        }
        self.send("error", id, fields);
    }

    /// Closes it because it lost the page.
    pub fn forbid(&self, document: DocumentId) {
        self.refuse(document, Close::Forbidden);
    }

    /// Closes it because the page is gone.
    pub fn gone(&self, document: DocumentId) {
        self.refuse(document, Close::NotFound);
    }

    /// Closes it, and says why in its own protocol.
    pub(super) fn refuse(&self, document: DocumentId, why: Close) {
        if let Speaks::Sync(SpeaksSync { repo: Some(repo), .. }) = &self.speaks {
            self.outbox.push(unavailable(&repo.us, &repo.them, document));
        }
        self.error(None, why.reason(), "the page is not there for you any more");
        self.outbox.close(why);
    }
}
