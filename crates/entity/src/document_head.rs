//! Where each page's op log stands. Its row is the lock that makes `server_seq` dense.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `document_heads`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_heads")]
pub struct Model {
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// The incarnation of the log.
    pub epoch: EpochId,
    /// The last number given; 0 before the first change.
    pub server_seq: i64,
    /// The change hashes that nothing follows, 32 bytes each, sorted.
    pub heads: Vec<u8>,
    /// The number at which the newest verified snapshot stands; 0 for none.
    pub snapshot_seq: i64,
    /// The rows up to this number are folded: they lie in snapshots and archives alone. 0 for none.
    pub floor_seq: i64,
    /// When the log last grew.
    pub updated_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
