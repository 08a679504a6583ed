//! The JSON protocol, `sheaf.json.v1`: what clients say, and frames for what they are told.
//!
//! Flat frames are `{"type": …, fields}`. A client whose first frame has an object `data` is answered in the enveloped
//! dialect `{"type", "id", "data": {fields}}`.

use documents::op::Op;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The longest id of a message.
const MAX_ID: usize = 64;

/// What a client wants to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Want {
    /// `json` (default), `automerge` or `none`.
    pub snapshot: Option<String>,
    /// The Automerge changes with every echo, as base64.
    #[serde(default)]
    pub changes: bool,
    /// Presence of others (default true).
    pub presence: Option<bool>,
    /// Its own edits echoed (flat default true, enveloped default false).
    pub echo: Option<bool>,
}

/// The first message, said or implied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Hello {
    /// The last number it saw.
    pub last_seen_server_seq: Option<i64>,
    /// The epoch it saw it in.
    pub epoch: Option<String>,
    /// Its own name for this client.
    pub client_id: Option<String>,
    /// `utf16` (default) or `codepoint`.
    pub units: Option<String>,
    /// What it wants to be sent.
    #[serde(default)]
    pub want: Want,
    /// A token, where it could not stand in the url.
    pub token: Option<String>,
}

/// An edit to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The client's id of the message, which makes it safe to send again.
    pub id: Option<String>,
    /// The number its positions refer to; the head when left out.
    pub base: Option<i64>,
    /// What to do.
    pub what: What,
}

/// The content of an edit.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// By block and position.
    Ops(Vec<Op>),
    /// As Automerge chunks.
    Changes(Vec<u8>),
}

/// A wish to have the page for oneself for a short time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Lock {
    /// The client's id of the message.
    pub id: Option<String>,
    /// `document`, which is also meant when it is left out.
    pub scope: Option<String>,
    /// `exclusive`, which is also meant when it is left out.
    pub mode: Option<String>,
    /// For how long.
    pub ttl_ms: u64,
    /// What it is for.
    pub reason: Option<String>,
}

/// The end of that wish.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Unlock {
    /// The client's id of the message.
    pub id: Option<String>,
    /// As in [`Lock`].
    pub scope: Option<String>,
}

/// A message from a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Who it is and where it stands.
    Hello(Box<Hello>),
    /// An edit.
    Edit(Edit),
    /// Wants the page for itself, or goes on wanting it.
    Lock(Lock),
    /// Gives it back.
    Unlock(Unlock),
    /// Presence: cursor, selection, typing, status; null clears it.
    Presence(Value),
    /// A fresh token.
    Auth(String),
    /// A receipt; needs no answer.
    Ack,
    /// Asks for a snapshot.
    Resync,
    /// Asks for a pong.
    Ping(Value),
}

impl Said {
    /// What it takes of what a connection may do a second: what costs a whole page or a query is as much as ten edits.
    pub fn price(&self) -> f64 {
        match self {
            Self::Edit(_) => 1.0,
            Self::Hello(_) | Self::Resync | Self::Auth(_) | Self::Lock(_) | Self::Unlock(_) => 10.0,
            Self::Presence(_) | Self::Ack | Self::Ping(_) => 0.0,
        }
    }

    /// The id that an edit came with.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Edit(edit) => edit.id.as_deref(),
            Self::Lock(lock) => lock.id.as_deref(),
            Self::Unlock(unlock) => unlock.id.as_deref(),
            _ => None,
        }
    }
}

/// A message that cannot be used: code, sentence, and the id it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// The stable word.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The id of the message.
    pub id: Option<String>,
}

/// A parsed frame, and whether it was enveloped.
pub struct Parsed {
    /// What it says.
    pub said: Result<Said, Bad>,
    /// Whether its fields stood in `data`.
    pub is_enveloped: bool,
}

/// Reads a frame.
pub fn read(text: &str) -> Parsed {
    let mut fields = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return bad("bad_frame", "a message is a JSON object"),
        Err(e) => return bad("bad_frame", &e.to_string()),
    };
    let is_enveloped = fields.get("data").is_some_and(Value::is_object);
    if let Some(Value::Object(data)) = fields.remove("data") {
        for (key, value) in data {
            if key != "type" && key != "id" {
                fields.insert(key, value);
            }
        }
    }
    let id = fields.get("id").and_then(Value::as_str).map(str::to_owned);
    let said = say(fields, id.clone()).map_err(|(code, message)| Bad { code, message, id });
    Parsed { said, is_enveloped }
}

fn bad(code: &'static str, message: &str) -> Parsed {
    Parsed {
        said: Err(Bad {
            code,
            message: message.to_owned(),
            id: None,
        }),
        is_enveloped: false,
    }
}

type Refused = (&'static str, String);

fn parse<T: for<'de> Deserialize<'de>>(fields: Map<String, Value>) -> Result<T, Refused> {
    serde_json::from_value(Value::Object(fields)).map_err(|e| ("invalid_op", e.to_string()))
}

fn say(mut fields: Map<String, Value>, id: Option<String>) -> Result<Said, Refused> {
    if id
        .as_ref()
        .is_some_and(|id| id.is_empty() || id.len() > MAX_ID || id.chars().any(char::is_control))
    {
        return Err(("invalid_op", format!("an id has 1 to {MAX_ID} characters")));
    }
    let kind = fields.get("type").and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
    match kind.as_str() {
        "hello" => Ok(Said::Hello(Box::new(parse(fields)?))),
        "op" => {
            let ops = fields.remove("ops").unwrap_or(Value::Null);
            let base = base(&fields);
            Ok(Said::Edit(Edit {
                id,
                base,
                what: what(ops)?,
            }))
        }
        "operation" => operation(fields, id),
        "insert" | "delete" | "replace" | "format" => {
            let base = base(&fields);
            fields.remove("id");
            fields.remove("base");
            fields.remove("type");
            fields.insert("op".to_owned(), Value::String(kind));
            Ok(Said::Edit(Edit {
                id,
                base,
                what: What::Ops(vec![parse(fields)?]),
            }))
        }
        "presence" => {
            fields.remove("type");
            Ok(Said::Presence(Value::Object(fields)))
        }
        "cursor" | "typing" | "selection" | "status" => {
            let value = fields.remove("value").or_else(|| fields.remove(kind.as_str())).unwrap_or_else(|| {
                fields.remove("type");
                Value::Object(std::mem::take(&mut fields))
            });
            Ok(Said::Presence(json!({ kind: value })))
        }
        "auth" => fields
            .get("token")
            .and_then(Value::as_str)
            .map(|t| Said::Auth(t.to_owned()))
            .ok_or(("invalid_op", "auth needs a token".to_owned())),
        "lock" => parse(fields).map(Said::Lock),
        "unlock" => parse(fields).map(Said::Unlock),
        "ack" => Ok(Said::Ack),
        "resync" => Ok(Said::Resync),
        "ping" => Ok(Said::Ping(fields.remove("t").unwrap_or(Value::Null))),
        "" => Err(("bad_frame", "a message has a type".to_owned())),
        other => Err((
            "unknown_type",
            format!("there is no message of type {:?}", other.chars().take(40).collect::<String>()),
        )),
    }
}

fn base(fields: &Map<String, Value>) -> Option<i64> {
    fields.get("base").and_then(Value::as_i64)
}

/// A list of edits, or one edit of Automerge changes.
fn what(ops: Value) -> Result<What, Refused> {
    use base64::Engine;
    if let Value::Array(items) = &ops
        && let [only] = items.as_slice()
        && only.get("op").and_then(Value::as_str) == Some("changes")
    {
        let payload = only.get("payload").and_then(Value::as_str).unwrap_or_default();
        let bytes = base64::engine::general_purpose::STANDARD.decode(payload);
        return bytes.map(What::Changes).map_err(|_| ("invalid_op", "payload is base64".to_owned()));
    }
    serde_json::from_value(ops)
        .map(What::Ops)
        .map_err(|e| ("invalid_op", e.to_string()))
}

/// The older dialect's edit: hexadecimal Automerge changes, or a list of edits.
fn operation(mut fields: Map<String, Value>, id: Option<String>) -> Result<Said, Refused> {
    let base = fields.get("version").and_then(Value::as_i64).or_else(|| base(&fields));
    let Some(Value::Object(mut operation)) = fields.remove("operation") else {
        return Err(("invalid_op", "operation needs data.operation".to_owned()));
    };
    let what = match operation.get("type").and_then(Value::as_str) {
        Some("update") => {
            let payload = operation.get("payload").and_then(Value::as_str).unwrap_or_default();
            What::Changes(hex::decode(payload).map_err(|_| ("invalid_op", "payload is hexadecimal".to_owned()))?)
        }
        Some("ops") => what(operation.remove("ops").unwrap_or(Value::Null))?,
        _ => return Err(("unsupported", "operation.type is update or ops".to_owned())),
    };
    // The version of an update says nothing: its changes carry their own ground.
    let base = if matches!(what, What::Changes(_)) { None } else { base };
    Ok(Said::Edit(Edit { id, base, what }))
}

/// A frame for a client in its dialect. `id` stays outside the envelope.
pub fn frame(kind: &str, id: Option<&str>, fields: Value, is_enveloped: bool) -> bytestring::ByteString {
    let mut out = Map::new();
    out.insert("type".to_owned(), json!(kind));
    if let Some(id) = id {
        out.insert("id".to_owned(), json!(id));
    }
    match fields {
        fields if is_enveloped => {
            out.insert("data".to_owned(), fields);
        }
        Value::Object(fields) => out.extend(fields),
        _ => {}
    }
    Value::Object(out).to_string().into()
}
