//! automerge-repo's frames (protocol version "1"): one flat CBOR map each.
//!
//! Read with a pull parser over the frame itself, so nothing is allocated that the sender did not send.

use bytes::Bytes;
use minicbor::{Decoder, Encoder, data::Type};

/// A frame from a stock client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepoFrame {
    /// The first one: who it is.
    Join {
        /// The client's own peer id.
        sender: String,
    },
    /// A sync message about a page; `request` also asks to be told when there is none.
    Sync {
        /// Who sent it.
        sender: String,
        /// The page's short id.
        document: String,
        /// Automerge's sync message.
        data: Bytes,
    },
    /// Presence and whatever else the application broadcasts.
    Ephemeral {
        /// Who sent it.
        sender: String,
        /// The page's short id.
        document: String,
        /// Grows with every message of a session.
        count: u64,
        /// The sender's session.
        session: String,
        /// The application's value, as CBOR.
        data: Bytes,
    },
    /// Anything that needs no answer: leave, gossip about remote heads, unknown types.
    Other,
}

#[derive(Default)]
struct Fields {
    kind: String,
    sender: String,
    document: String,
    session: String,
    count: u64,
    data: Bytes,
}

/// How long an id may be; stock ones have 36 characters and less.
const MAX_ID: usize = 256;

fn text(decoder: &mut Decoder<'_>) -> Option<String> {
    match decoder.datatype().ok()? {
        Type::String => decoder.str().ok().filter(|s| s.len() <= MAX_ID).map(str::to_owned),
        _ => None,
    }
}

/// Reads a frame; `None` when it is no such map.
pub fn read(frame: &Bytes) -> Option<RepoFrame> {
    let mut decoder = Decoder::new(frame);
    let entries = decoder.map().ok()??;
    let mut fields = Fields::default();
    for _ in 0..entries.min(64) {
        let key = decoder.str().ok()?.to_owned();
        match key.as_str() {
            "type" => fields.kind = text(&mut decoder)?,
            "senderId" => fields.sender = text(&mut decoder)?,
            "documentId" => fields.document = text(&mut decoder)?,
            "sessionId" => fields.session = text(&mut decoder)?,
            // cbor-x writes large numbers as floats.
            "count" => {
                fields.count = match decoder.datatype().ok()? {
                    Type::F64 => decoder.f64().ok().filter(|n| (0.0..9e15).contains(n)).map(|n| n as u64)?,
                    Type::F32 => decoder.f32().ok().filter(|n| (0.0..9e15).contains(n)).map(|n| n as u64)?,
                    _ => decoder.u64().ok()?,
                }
            }
            "data" => fields.data = frame.slice_ref(decoder.bytes().ok()?),
            _ => decoder.skip().ok()?,
        }
    }
    Some(fields.into_frame())
}

impl Fields {
    fn into_frame(self) -> RepoFrame {
        let Self {
            kind,
            sender,
            document,
            session,
            count,
            data,
        } = self;
        match kind.as_str() {
            "join" => RepoFrame::Join { sender },
            "request" | "sync" => RepoFrame::Sync { sender, document, data },
            "ephemeral" => RepoFrame::Ephemeral {
                sender,
                document,
                count,
                session,
                data,
            },
            _ => RepoFrame::Other,
        }
    }
}

/// Writing into a vector cannot fail; the result says so for the type checker.
type Written = Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>>;

fn frame(written: Written) -> Bytes {
    written.map(Bytes::from).unwrap_or_default()
}

/// The answer to a join. `sender` is unique per socket: a Repo with two sockets would otherwise lose one. The storage
/// id is one for the deployment, and durable, so that clients keep their sync state.
pub fn peer(sender: &str, target: &str, storage: &str) -> Bytes {
    let write = || -> Written {
        let mut e = Encoder::new(Vec::new());
        e.map(5)?
            .str("type")?
            .str("peer")?
            .str("senderId")?
            .str(sender)?
            .str("targetId")?
            .str(target)?;
        e.str("selectedProtocolVersion")?.str("1")?;
        e.str("peerMetadata")?
            .map(2)?
            .str("storageId")?
            .str(storage)?
            .str("isEphemeral")?
            .bool(false)?;
        Ok(e.into_writer())
    };
    frame(write())
}

/// Everything of a sync frame that stays the same for one connection: all up to the data.
pub fn sync_prefix(sender: &str, target: &str, document: &str) -> Bytes {
    let write = || -> Written {
        let mut e = Encoder::new(Vec::new());
        e.map(5)?
            .str("type")?
            .str("sync")?
            .str("senderId")?
            .str(sender)?
            .str("targetId")?
            .str(target)?;
        e.str("documentId")?.str(document)?.str("data")?;
        Ok(e.into_writer())
    };
    frame(write())
}

/// A byte string as it stands behind [`sync_prefix`]; encoded once for all connections.
pub fn data(bytes: &[u8]) -> Bytes {
    let write = || -> Written {
        let mut e = Encoder::new(Vec::with_capacity(bytes.len() + 9));
        e.bytes(bytes)?;
        Ok(e.into_writer())
    };
    frame(write())
}

/// Two parts as one frame.
pub fn join(prefix: &Bytes, data: &Bytes) -> Bytes {
    let mut out = Vec::with_capacity(prefix.len() + data.len());
    out.extend_from_slice(prefix);
    out.extend_from_slice(data);
    Bytes::from(out)
}

/// Tells a client that a page is not there, or not for it: its `find()` rejects at once.
pub fn unavailable(sender: &str, target: &str, document: &str) -> Bytes {
    let write = || -> Written {
        let mut e = Encoder::new(Vec::new());
        e.map(4)?
            .str("type")?
            .str("doc-unavailable")?
            .str("senderId")?
            .str(sender)?
            .str("targetId")?
            .str(target)?;
        e.str("documentId")?.str(document)?;
        Ok(e.into_writer())
    };
    frame(write())
}

/// An error that the client logs.
pub fn error(sender: &str, target: &str, message: &str) -> Bytes {
    let write = || -> Written {
        let mut e = Encoder::new(Vec::new());
        e.map(4)?
            .str("type")?
            .str("error")?
            .str("senderId")?
            .str(sender)?
            .str("targetId")?
            .str(target)?;
        e.str("message")?.str(message)?;
        Ok(e.into_writer())
    };
    frame(write())
}

/// An ephemeral message for one client.
pub struct Ephemeral<'a> {
    /// The peer it comes from.
    pub sender: &'a str,
    /// The peer it goes to.
    pub target: &'a str,
    /// The page's short id.
    pub document: &'a str,
    /// The sender's count and session.
    pub count: u64,
    /// See `count`.
    pub session: &'a str,
    /// The application's value, as CBOR.
    pub data: &'a [u8],
}

/// Writes an ephemeral message.
pub fn ephemeral(message: &Ephemeral<'_>) -> Bytes {
    let write = || -> Written {
        let mut e = Encoder::new(Vec::new());
        e.map(7)?
            .str("type")?
            .str("ephemeral")?
            .str("senderId")?
            .str(message.sender)?
            .str("targetId")?
            .str(message.target)?;
        e.str("documentId")?
            .str(message.document)?
            .str("count")?
            .u64(message.count)?
            .str("sessionId")?
            .str(message.session)?;
        e.str("data")?.bytes(message.data)?;
        Ok(e.into_writer())
    };
    frame(write())
}

/// How deep an application's value is read.
const MAX_DEPTH: usize = 16;
/// How many values are read of it.
const MAX_VALUES: usize = 2_000;

/// An application's CBOR value as JSON; `None` when it is malformed, or too deep or large to be presence.
pub fn to_json(data: &[u8]) -> Option<serde_json::Value> {
    value(&mut Decoder::new(data), MAX_DEPTH, &mut MAX_VALUES.clone())
}

fn value(decoder: &mut Decoder<'_>, depth: usize, left: &mut usize) -> Option<serde_json::Value> {
    use serde_json::{Value, json};
    *left = left.checked_sub(1)?;
    let depth = depth.checked_sub(1)?;
    Some(match decoder.datatype().ok()? {
        Type::Bool => json!(decoder.bool().ok()?),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => json!(decoder.u64().ok()?),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => json!(decoder.i64().ok()?),
        Type::F16 | Type::F32 | Type::F64 => json!(decoder.f64().ok()?),
        Type::String => json!(decoder.str().ok()?),
        Type::Bytes => json!(hex::encode(decoder.bytes().ok()?)),
        Type::Array => {
            let count = decoder.array().ok()??;
            let items: Option<Vec<Value>> = (0..count).map(|_| value(decoder, depth, left)).collect();
            Value::Array(items?)
        }
        Type::Map => {
            let count = decoder.map().ok()??;
            let mut out = serde_json::Map::new();
            for _ in 0..count {
                let key = decoder.str().ok()?.to_owned();
                out.insert(key, value(decoder, depth, left)?);
            }
            Value::Object(out)
        }
        _ => {
            decoder.skip().ok()?;
            Value::Null
        }
    })
}
