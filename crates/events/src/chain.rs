//! The chain: each entry's hash covers the entry and the hash of the one before, so that nothing can be changed, left
//! out or put in between without every later hash being wrong.

use entity::event;
use kernel::id::*;
use sha2::{Digest, Sha256};

/// A hash in the chain.
pub type Hash = [u8; 32];

/// The hash that the first entry of a chain follows.
pub const START: Hash = [0; 32];

/// The chain of what belongs to no tenant.
pub const INSTANCE: WorkspaceId = WorkspaceId(uuid::Uuid::nil());

/// Names what is hashed, so that no hash of anything else can stand for an entry's.
const DOMAIN: &[u8] = b"sheaf event 1";

/// The chain an entry belongs to.
pub fn of(event: &event::Model) -> WorkspaceId {
    event.workspace_id.unwrap_or(INSTANCE)
}

/// SHA-256 over, each with its length in front (four bytes, big endian): the domain, the hash before, tenant, number
/// (eight bytes, big endian), id, kind, user, subject, payload as it is stored, and the microseconds since 1970 (eight
/// bytes, big endian). Ids are their 16 bytes; one that is missing is empty.
pub fn hash(before: &Hash, seq: i64, event: &event::Model) -> Hash {
    let mut hasher = Sha256::new();
    let mut put = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        hasher.update(length.to_be_bytes());
        hasher.update(bytes);
    };
    put(DOMAIN);
    put(before);
    put(of(event).0.as_bytes());
    put(&seq.to_be_bytes());
    put(event.id.0.as_bytes());
    put(event.kind.as_bytes());
    put(event.user_id.as_ref().map_or(&[], |id| id.0.as_bytes()));
    put(event.subject_id.as_ref().map_or(&[], |id| id.as_bytes()));
    put(event.payload.as_bytes());
    put(&event.created_at.timestamp_micros().to_be_bytes());
    hasher.finalize().into()
}

/// A stored hash; all zeros when it has not the length of one, which equals none that was ever made.
pub fn from_bytes(bytes: &[u8]) -> Hash {
    bytes.try_into().unwrap_or([0; 32])
}
