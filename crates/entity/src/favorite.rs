//! Pages that people keep at hand, in the order they like.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `favorites`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "favorites")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// Order key among their favourites.
    pub rank: String,
    /// Since when.
    pub created_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
