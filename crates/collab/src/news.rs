//! What nodes tell one another. All of it is a hint: rows are read from the database, presence is only the latest.

use crate::presence::Here;
use bytes::Bytes;
use kernel::id::*;
use serde::{Deserialize, Serialize};

/// A message on the bus.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct News {
    /// The node that says it; it ignores its own.
    pub node: ConnectionId,
    /// What it says.
    pub what: Told,
}

/// What a node says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// A page's log has grown up to this number.
    Rows {
        /// The page.
        document: DocumentId,
        /// Its log.
        epoch: EpochId,
        /// The last row.
        seq: i64,
    },
    /// Presence of clients of that node.
    Presence {
        /// The page.
        document: DocumentId,
        /// The latest of those that changed.
        here: Vec<Here>,
        /// Those that left.
        left: Vec<String>,
    },
    /// A stock client's broadcast, for the stock clients of other nodes.
    Ephemeral {
        /// The page.
        document: DocumentId,
        /// The peer that sent it.
        sender: String,
        /// Its count.
        count: u64,
        /// Its session.
        session: String,
        /// The application's value, as CBOR.
        data: Vec<u8>,
    },
    /// A page's locks are others than before.
    Locks {
        /// The page.
        document: DocumentId,
    },
    /// A page was put in the trash or destroyed.
    Gone {
        /// The pages.
        documents: Vec<DocumentId>,
    },
}

impl News {
    /// As bytes for the bus.
    pub fn to_bytes(&self) -> Bytes {
        serde_json::to_vec(self).map(Bytes::from).unwrap_or_default()
    }

    /// From the bus; `None` for what another version says.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
