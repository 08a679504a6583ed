//! Which page names which, derived from their content.

use kernel::id::*;
use sea_orm::entity::prelude::*;

/// One row of `document_links`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_links")]
pub struct Model {
    /// The page that names another.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// The block where it does.
    #[sea_orm(primary_key, auto_increment = false)]
    pub block_id: String,
    /// How: `mention`, `link`, or the type of the block.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The page that is named; it need not be there.
    #[sea_orm(primary_key, auto_increment = false)]
    pub target_document_id: DocumentId,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
