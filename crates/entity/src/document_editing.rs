//! Pages that were edited since their last version: as many rows as pages are being worked on.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `document_editings`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_editings")]
pub struct Model {
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// When the editing began that no version was made of yet.
    pub began_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
