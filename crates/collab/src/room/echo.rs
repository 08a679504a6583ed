//! What clients are told about committed rows, encoded once for all who speak alike.

use base64::Engine;
use bytes::Bytes;
use documents::{log::Source, mirror::Touched};
use kernel::id::*;
use serde_json::{Value, json};

/// Who made something, when and how.
#[derive(Clone, Debug)]
pub struct About {
    /// The connection it came from, when all came from one.
    pub conn: Option<ConnectionId>,
    /// The client's id of its message.
    pub id: Option<String>,
    /// The client's name in the room.
    pub client_id: Option<String>,
    /// Who answers for it.
    pub user: Option<UserId>,
    /// Which door it came through.
    pub source: Source,
    /// When it was made, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Default for About {
    fn default() -> Self {
        Self {
            conn: None,
            id: None,
            client_id: None,
            user: None,
            source: Source::Server,
            at_ms: 0,
        }
    }
}

/// One or more rows that were committed together.
pub struct Item {
    /// The number before them.
    pub from_seq: i64,
    /// The last of them.
    pub to_seq: i64,
    /// Who made them.
    pub about: About,
    /// What they did, in present coordinates.
    pub ops: Vec<Value>,
    /// The changes themselves.
    pub changes: Vec<Bytes>,
    /// What they touched.
    pub touched: Touched,
}

impl Item {
    /// Who made it.
    pub fn about(&self) -> About {
        self.about.clone()
    }

    /// About how much it weighs in memory.
    pub fn size(&self) -> usize {
        200 + self.ops.len() * 120 + self.changes.iter().map(Bytes::len).sum::<usize>()
    }

    /// The fields of an `op_echo`, without the changes.
    pub fn fields(&self) -> Value {
        let mut fields = json!({ "server_seq": self.to_seq, "source": self.about.source.name(), "ops": self.ops, "ts": self.about.at_ms });
        if self.to_seq - self.from_seq > 1 {
            fields["from_seq"] = json!(self.from_seq);
        }
        if let Some(client) = &self.about.client_id {
            fields["client_id"] = json!(client);
        }
        if let Some(user) = self.about.user {
            fields["user_id"] = json!(user);
        }
        fields
    }

    fn joined(&self) -> Vec<u8> {
        self.changes.concat()
    }

    /// As a message in one dialect.
    pub fn to_message(&self, is_enveloped: bool, changes: bool) -> Value {
        if is_enveloped {
            let mut data = self.fields();
            data["version"] = json!(self.to_seq);
            data["operation"] = json!({ "type": "update", "payload": hex::encode(self.joined()), "client_id": self.about.client_id });
            return json!({ "type": "operation", "id": self.about.id, "data": data });
        }
        let mut message = self.fields();
        message["type"] = json!("op_echo");
        if let Some(id) = &self.about.id {
            message["id"] = json!(id);
        }
        if changes {
            message["changes"] = json!(base64::engine::general_purpose::STANDARD.encode(self.joined()));
        }
        message
    }
}

/// Several messages as one frame; one message as itself.
pub fn frame(items: &[&Item], is_enveloped: bool, changes: bool) -> bytestring::ByteString {
    let mut messages: Vec<Value> = items.iter().map(|item| item.to_message(is_enveloped, changes)).collect();
    let whole = match (messages.len(), is_enveloped) {
        (1, _) => messages.remove(0),
        (_, false) => json!({ "type": "batch", "items": messages }),
        (_, true) => json!({ "type": "batch", "data": { "items": messages } }),
    };
    whole.to_string().into()
}
