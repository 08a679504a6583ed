//! What somebody has seen of a page: where its history stood when they last looked.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `document_visits`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_visits")]
pub struct Model {
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// Who looked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The incarnation of the log.
    pub epoch: EpochId,
    /// The heads they saw, 32 bytes each, sorted.
    pub heads: Vec<u8>,
    /// When.
    pub seen_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
