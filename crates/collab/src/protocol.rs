//! Which protocol a connection speaks: by the subprotocol it offered, else `?protocol=`, else its first frame.

use crate::close::Close;
use bytes::Bytes;
use bytestring::ByteString;

/// A protocol of the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Text frames, `{"type": …}`.
    Json,
    /// automerge-repo: CBOR maps in binary frames.
    Repo,
    /// Automerge's own sync messages or change chunks in binary frames, JSON for the rest.
    Raw,
}

/// A frame from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Text.
    Text(ByteString),
    /// Binary.
    Binary(Bytes),
}

impl Frame {
    /// Its size in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The subprotocols we know, by the names that stand in `Sec-WebSocket-Protocol`.
pub const SUBPROTOCOLS: [(&str, Protocol); 4] = [
    ("sheaf.json.v1", Protocol::Json),
    ("collab.json.v1", Protocol::Json),
    ("automerge-repo.v1", Protocol::Repo),
    ("collab.automerge.v1", Protocol::Raw),
];

impl Protocol {
    /// The protocol of a subprotocol's name.
    pub fn of_subprotocol(name: &str) -> Option<Self> {
        SUBPROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, protocol)| *protocol)
    }

    /// The protocol that `?protocol=` names.
    ///
    /// # Errors
    /// [`Close::Protocol`] for one that we do not speak.
    pub fn of_query(name: &str) -> Result<Self, Close> {
        match name {
            "json" => Ok(Self::Json),
            "automerge-repo" => Ok(Self::Repo),
            "automerge" => Ok(Self::Raw),
            _ => Err(Close::Protocol),
        }
    }

    /// The protocol that the first frame shows.
    ///
    /// # Errors
    /// [`Close::Protocol`] for one that others speak (y-websocket, Hocuspocus, ShareDB, Subduction),
    /// [`Close::Malformed`] for none.
    pub fn of_first_frame(frame: &Frame) -> Result<Self, Close> {
        match frame {
            Frame::Text(text) => match serde_json::from_str::<serde_json::Value>(text) {
                Ok(value) if value.get("type").is_some_and(serde_json::Value::is_string) => Ok(Self::Json),
                Ok(value) if value.get("a").is_some() => Err(Close::Protocol),
                _ => Err(Close::Malformed),
            },
            Frame::Binary(bytes) => match bytes.as_ref() {
                [0x85, 0x6f, 0x4a, 0x83, ..] | [0x42 | 0x43, ..] => Ok(Self::Raw),
                [0xA0..=0xBB, ..] => Ok(Self::Repo),
                [0x00..=0x03 | 0x24, ..] | [0x53, 0x55, ..] => Err(Close::Protocol),
                _ => Err(Close::Malformed),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_frame_tells_the_protocol() {
        let text = |s: &str| Protocol::of_first_frame(&Frame::Text(s.into()));
        let binary = |b: &'static [u8]| Protocol::of_first_frame(&Frame::Binary(Bytes::from_static(b)));
        assert_eq!(text(r#"{"type":"insert","pos":0,"text":"Hello"}"#), Ok(Protocol::Json));
        assert_eq!(text(r#"{"a":"hs","id":null}"#), Err(Close::Protocol));
        assert_eq!(text("hello?"), Err(Close::Malformed));
        assert_eq!(binary(b"\xb9\x00\x04dtype"), Ok(Protocol::Repo));
        assert_eq!(binary(b"\x42\x00\x00"), Ok(Protocol::Raw));
        assert_eq!(binary(b"\x85\x6f\x4a\x83"), Ok(Protocol::Raw));
        assert_eq!(binary(b"\x00\x00\x01\x00"), Err(Close::Protocol));
        assert_eq!(binary(b"SU"), Err(Close::Protocol));
        assert_eq!(binary(b""), Err(Close::Malformed));
    }
}
