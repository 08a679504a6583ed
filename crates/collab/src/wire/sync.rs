//! Automerge's sync messages: read here under bounds, never by Automerge, whose reader and Bloom filter trust the
//! sender (ten bytes panic it, fifteen abort the process).
//!
//! Layout: `42` or `43`, heads, need, have (each a counted list), changes (counted, length-prefixed), then optional
//! flags. A `have` is a list of heads the sender knows both sides share, and a Bloom filter of what it has beyond.

use automerge::{
    ChangeHash,
    sync::{Have, Message, MessageFlags, MessageVersion},
};
use documents::gate::{
    Refusal,
    chunk::{leb128, take},
};

/// Heads, needs and haves of one message.
const MAX_HASHES: u64 = 10_000;
const MAX_HAVES: u64 = 16;
/// Automerge writes 10 bits an entry and 7 probes; nobody needs much more.
const MAX_PROBES: u64 = 32;
const MAX_BITS: u64 = 64;

/// A Bloom filter over change hashes, as a peer sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bloom {
    probes: u32,
    bits: Vec<u8>,
}

impl Bloom {
    fn read(input: &[u8]) -> Result<Self, Refusal> {
        if input.is_empty() {
            return Ok(Self::default());
        }
        let (entries, rest) = leb128(input, 100_000_000)?;
        let (bits_per_entry, rest) = leb128(rest, MAX_BITS)?;
        let (probes, rest) = leb128(rest, MAX_PROBES)?;
        if entries == 0 || bits_per_entry == 0 || probes == 0 {
            return Err(Refusal::Malformed("an empty Bloom filter"));
        }
        let (bits, _) = take(rest, (entries * bits_per_entry).div_ceil(8))?;
        // 2^28 bytes and more would overflow the 32-bit probes.
        if bits.len() >= 1 << 26 {
            return Err(Refusal::TooLarge("a Bloom filter"));
        }
        Ok(Self {
            probes: probes as u32,
            bits: bits.to_vec(),
        })
    }

    /// Whether the peer probably has this change. Triple hashing over the first 12 bytes, as Automerge does it.
    pub fn contains(&self, hash: &ChangeHash) -> bool {
        if self.bits.is_empty() {
            return false;
        }
        let modulo = 8 * self.bits.len() as u32;
        let word = |i: usize| u32::from_le_bytes([hash.0[i], hash.0[i + 1], hash.0[i + 2], hash.0[i + 3]]) % modulo;
        let (mut x, mut y, z) = (word(0), word(4), word(8));
        (0..self.probes).all(|probe| {
            if probe > 0 {
                x = (x + y) % modulo;
                y = (y + z) % modulo;
            }
            self.bits[(x / 8) as usize] & (1 << (x % 8)) != 0
        })
    }
}

/// What a peer says it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TheirHave {
    /// Heads it believes both sides share.
    pub last_sync: Vec<ChangeHash>,
    /// What it has beyond.
    pub bloom: Bloom,
}

/// A sync message from a peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TheirMessage {
    /// Its heads.
    pub heads: Vec<ChangeHash>,
    /// Changes it asks for by name.
    pub need: Vec<ChangeHash>,
    /// What it has.
    pub have: Vec<TheirHave>,
    /// Chunks, not looked into yet.
    pub changes: Vec<Vec<u8>>,
    /// Whether it understands whole documents (every peer that sends flags does).
    pub takes_documents: bool,
    /// Whether it lost track and wants everything it lacks again.
    pub is_reset: bool,
}

fn hashes(input: &[u8]) -> Result<(Vec<ChangeHash>, &[u8]), Refusal> {
    let (count, rest) = leb128(input, MAX_HASHES)?;
    let (bytes, rest) = take(rest, count * 32)?;
    Ok((documents::heads::from_bytes(bytes), rest))
}

/// Reads a message. `max_changes` bounds the number of chunks.
///
/// # Errors
/// When it is not such a message, or beyond the bounds.
pub fn read(input: &[u8], max_changes: u64) -> Result<TheirMessage, Refusal> {
    let rest = match input {
        [0x42 | 0x43, rest @ ..] => rest,
        _ => return Err(Refusal::Malformed("no sync message")),
    };
    let (heads, rest) = hashes(rest)?;
    let (need, rest) = hashes(rest)?;
    let (count, mut rest) = leb128(rest, MAX_HAVES)?;
    let mut have = Vec::new();
    for _ in 0..count {
        let (last_sync, after) = hashes(rest)?;
        let (length, after) = leb128(after, u64::from(u32::MAX))?;
        let (bloom, after) = take(after, length)?;
        have.push(TheirHave {
            last_sync,
            bloom: Bloom::read(bloom)?,
        });
        rest = after;
    }
    let (count, mut rest) = leb128(rest, max_changes)?;
    let mut changes = Vec::new();
    for _ in 0..count {
        let (length, after) = leb128(rest, u64::from(u32::MAX))?;
        let (chunk, after) = take(after, length)?;
        changes.push(chunk.to_vec());
        rest = after;
    }
    let flags = match rest {
        [] => None,
        flags => Some(leb128(flags, 64).and_then(|(n, rest)| take(rest, n))?.0),
    };
    // Only bytes with the high bit set are bit fields; the first bit asks for everything again.
    let asks_again = flags.is_some_and(|flags| flags.iter().any(|f| f & 0x80 != 0 && f & MessageFlags::SYNC_RESET != 0));
    // A peer that cannot follow our `have` answers with an empty one.
    let lost = changes.is_empty() && have.len() == 1 && have[0] == TheirHave::default();
    Ok(TheirMessage {
        heads,
        need,
        have,
        changes,
        takes_documents: flags.is_some(),
        is_reset: asks_again || lost,
    })
}

/// A message to a peer.
pub struct OurMessage<'a> {
    /// Our heads. Told also as what both sides share: a peer that has them all answers with just what is newer, one
    /// that has not says so, so no Bloom filter of ours is ever needed, and nothing it sends lacks its ground.
    pub heads: &'a [ChangeHash],
    /// Changes, or one whole document.
    pub changes: Vec<Vec<u8>>,
    /// Whether `changes` is one whole document or a run of changes, for peers that take it.
    pub as_document: bool,
    /// Whether this side takes no changes from the peer.
    pub read_only: bool,
}

/// Writes a message that makes the peer send again whatever is newer than `heads`: it says that nothing of what the peer
/// believes to have sent has come. Automerge's flag for that would also make it send whole documents, which the gate could
/// not bound; having no heads at all means the same to every peer.
pub fn write_again(heads: &[ChangeHash]) -> Vec<u8> {
    Message {
        have: vec![Have {
            last_sync: heads.to_vec(),
            bloom: Default::default(),
        }],
        heads: Vec::new(),
        need: Vec::new(),
        changes: Vec::<Vec<u8>>::new().into(),
        flags: None,
        version: MessageVersion::V1,
    }
    .encode()
}

/// Writes a message. Without flags the peer sends single changes and no documents, which the gate could not bound.
pub fn write(message: OurMessage<'_>) -> Vec<u8> {
    let mut heads = message.heads.to_vec();
    heads.sort();
    let flags = message.read_only.then(|| {
        let mut flags = MessageFlags::new();
        flags.set(MessageFlags::READ_ONLY);
        flags
    });
    Message {
        have: vec![Have {
            last_sync: heads.clone(),
            bloom: Default::default(),
        }],
        heads,
        need: Vec::new(),
        changes: message.changes.into(),
        flags,
        version: if message.as_document {
            MessageVersion::V2
        } else {
            MessageVersion::V1
        },
    }
    .encode()
}
