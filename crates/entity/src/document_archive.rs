//! Who made the changes that were folded out of the op log: their content lies in the snapshots, the rest here.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `document_archives`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_archives")]
pub struct Model {
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// The incarnation of the log.
    #[sea_orm(primary_key, auto_increment = false)]
    pub epoch: EpochId,
    /// The first row it stands for.
    #[sea_orm(primary_key, auto_increment = false)]
    pub from_seq: i64,
    /// The last one.
    pub to_seq: i64,
    /// How many they are.
    pub changes: i64,
    /// What `documents::compaction::archive` writes.
    pub bytes: Vec<u8>,
    /// When they were folded.
    pub created_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
