//! automerge-repo's frames and Automerge's sync messages, as a stock client sends them.
//!
//! Frames are flat CBOR maps. Of what is delivered, only the heads are read, which stand first in a sync message; the
//! acknowledgement is written by hand, since both are done once per delivered frame.

use crate::tip::Made;
use anyhow::{Context, Result};
use automerge::{
    Automerge, ChangeHash,
    sync::{BloomFilter, Have, Message, MessageVersion, State, SyncDoc},
};
use minicbor::{Decoder, Encoder};

/// Bytes of a change's hash.
const HASH: usize = 32;

/// A frame from the server, with what a client looks at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Frame<'a> {
    /// `peer`, `sync`, `doc-unavailable`, `error`, …
    pub kind: &'a str,
    /// The server's peer id.
    pub sender: &'a str,
    /// The sync message.
    pub data: &'a [u8],
    /// What went wrong.
    pub message: &'a str,
}

/// Reads a frame; `None` when it is no such map.
pub fn read(bytes: &[u8]) -> Option<Frame<'_>> {
    let mut decoder = Decoder::new(bytes);
    let mut frame = Frame::default();
    for _ in 0..decoder.map().ok()?? {
        match decoder.str().ok()? {
            "type" => frame.kind = decoder.str().ok()?,
            "senderId" => frame.sender = decoder.str().ok()?,
            "data" => frame.data = decoder.bytes().ok()?,
            "message" => frame.message = decoder.str().ok()?,
            _ => decoder.skip().ok()?,
        }
    }
    Some(frame)
}

type Written = std::result::Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>>;

/// The first frame: who we are. Like a browser tab without storage.
pub fn join(us: &str) -> Result<Vec<u8>> {
    let write = || -> Written {
        let mut e = Encoder::new(Vec::new());
        e.map(4)?.str("type")?.str("join")?.str("senderId")?.str(us)?;
        e.str("peerMetadata")?.map(1)?.str("isEphemeral")?.bool(true)?;
        e.str("supportedProtocolVersions")?.array(1)?.str("1")?;
        Ok(e.into_writer())
    };
    write().context("a join does not encode")
}

/// Everything of a `request` or `sync` up to the bytes of its data, which stay the same for a connection.
pub fn prefix(kind: &str, us: &str, them: &str, document: &str) -> Result<Vec<u8>> {
    let write = || -> Written {
        let mut e = Encoder::new(Vec::new());
        e.map(5)?
            .str("type")?
            .str(kind)?
            .str("senderId")?
            .str(us)?
            .str("targetId")?
            .str(them)?;
        e.str("documentId")?.str(document)?.str("data")?;
        Ok(e.into_writer())
    };
    write().context("a frame does not encode")
}

/// A whole frame: the prefix and a sync message behind it.
pub fn with_data(prefix: &[u8], data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(prefix.len() + data.len() + 5);
    out.extend_from_slice(prefix);
    match u16::try_from(data.len()) {
        Ok(len @ ..24) => out.push(0x40 | len as u8),
        Ok(len @ 24..256) => out.extend_from_slice(&[0x58, len as u8]),
        Ok(len) => {
            out.push(0x59);
            out.extend_from_slice(&len.to_be_bytes());
        }
        Err(_) => {
            out.push(0x5a);
            out.extend_from_slice(&(data.len() as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(data);
    out
}

/// The first sync message of somebody who has nothing.
pub fn first_message() -> Result<Vec<u8>> {
    let message = Automerge::new().generate_sync_message(&mut State::new());
    Ok(message.context("a fresh sync state has nothing to say")?.encode())
}

/// The heads of a sync message, their bytes one after the other.
pub fn heads(message: &[u8]) -> Option<&[u8]> {
    let [0x42 | 0x43, rest @ ..] = message else { return None };
    let (mut count, mut at) = (0_usize, 0);
    loop {
        let byte = *rest.get(at)?;
        count |= usize::from(byte & 0x7f) << (7 * at);
        at += 1;
        if byte & 0x80 == 0 {
            return rest.get(at..)?.get(..count * HASH);
        }
        if at > 2 {
            return None;
        }
    }
}

/// Whether a hash is among heads.
pub fn has_head(heads: &[u8], hash: &ChangeHash) -> bool {
    heads.chunks_exact(HASH).any(|head| head == hash.0)
}

/// The message that says: I have everything up to these heads, and nothing to send.
pub fn acknowledgement(heads: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * heads.len() + 12);
    let list = |out: &mut Vec<u8>| {
        write_leb128(out, heads.len() / HASH);
        out.extend_from_slice(heads);
    };
    out.push(0x42);
    list(&mut out);
    out.extend_from_slice(&[0, 1]); // needs nothing; one have:
    list(&mut out);
    out.extend_from_slice(&[0, 0]); // no filter, no changes
    out
}

fn write_leb128(out: &mut Vec<u8>, mut value: usize) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The message that brings a writer's change.
pub fn edit(made: Made) -> Vec<u8> {
    let Made {
        hash,
        change,
        shared,
        unconfirmed,
    } = made;
    let have = vec![Have {
        last_sync: shared,
        bloom: BloomFilter::from_hashes(unconfirmed.iter()),
    }];
    Message {
        heads: vec![hash],
        need: Vec::new(),
        have,
        changes: vec![change].into(),
        flags: None,
        version: MessageVersion::V1,
    }
    .encode()
}

/// All changes of a message, one after the other, for somebody who keeps the page.
pub fn changes(message: &[u8]) -> Result<Vec<u8>> {
    let message = Message::decode(message).context("a sync message does not decode")?;
    Ok(message.changes.iter().collect::<Vec<_>>().concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_is_what_automerge_itself_would_write() {
        for count in [0, 1, 3, 200] {
            let hashes: Vec<ChangeHash> = (0..count).map(|i| ChangeHash([i as u8; 32])).collect();
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
            let ours = acknowledgement(&bytes);
            let have = vec![Have {
                last_sync: hashes.clone(),
                bloom: BloomFilter::default(),
            }];
            let message = Message {
                heads: hashes.clone(),
                need: Vec::new(),
                have,
                changes: automerge::sync::ChunkList::empty(),
                flags: None,
                version: MessageVersion::V1,
            };
            assert_eq!(ours, message.clone().encode());
            assert_eq!(heads(&ours), Some(&bytes[..]));
            assert!(hashes.iter().all(|hash| has_head(&bytes, hash)));
        }
        assert!(!has_head(&[1; 64], &ChangeHash([2; 32])));
    }

    #[test]
    fn broken_messages_have_no_heads() {
        assert_eq!(heads(b""), None);
        assert_eq!(heads(&[0x42]), None);
        assert_eq!(heads(&[0x42, 1, 9]), None);
        assert_eq!(heads(&[0x42, 0x80, 0x80, 0x80, 1]), None);
        assert_eq!(heads(&[0x85, 0]), None);
    }

    #[test]
    fn a_frame_reads_as_it_was_written_whatever_its_length() {
        let prefix = prefix("sync", "us", "them", "page").expect("encodes");
        for len in [0, 23, 24, 255, 256, 65_535, 65_536] {
            let data = vec![1; len];
            let frame = with_data(&prefix, &data);
            assert_eq!(
                read(&frame),
                Some(Frame {
                    kind: "sync",
                    sender: "us",
                    data: &data,
                    message: ""
                })
            );
        }
        assert_eq!(read(&join("me").expect("encodes")).map(|frame| frame.kind), Some("join"));
        assert_eq!(read(b"{}"), None);
    }

    #[test]
    fn a_first_message_has_nothing() {
        assert_eq!(heads(&first_message().expect("a message")), Some(&[][..]));
    }
}
