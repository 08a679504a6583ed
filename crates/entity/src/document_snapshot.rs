//! Verified saves of pages; a shortcut past the start of the log.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `document_snapshots`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_snapshots")]
pub struct Model {
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// The incarnation of the log.
    #[sea_orm(primary_key, auto_increment = false)]
    pub epoch: EpochId,
    /// The last row the save contains.
    #[sea_orm(primary_key, auto_increment = false)]
    pub server_seq: i64,
    /// The heads the save was checked against.
    pub heads: Vec<u8>,
    /// An Automerge document chunk.
    pub bytes: Vec<u8>,
    /// When it was made.
    pub created_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
