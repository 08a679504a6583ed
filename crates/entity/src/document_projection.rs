//! The content of pages as JSON, for readers who need no document in memory. Can be rebuilt from the log.

use kernel::id::*;
use sea_orm::entity::prelude::*;

/// One row of `document_projections`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_projections")]
pub struct Model {
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// The incarnation of the log it was read from.
    pub epoch: EpochId,
    /// It is true while this is the head.
    pub server_seq: i64,
    /// The page as the JSON protocol sends it.
    pub view: String,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
