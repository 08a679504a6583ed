//! Pages that people read last.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `recents`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recents")]
pub struct Model {
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// When they read it last; not every reading is noted.
    pub viewed_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
