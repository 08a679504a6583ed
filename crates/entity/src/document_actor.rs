//! Which user an Automerge actor belongs to, page by page: the first who used it.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `document_actors`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_actors")]
pub struct Model {
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// The actor's bytes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor: Vec<u8>,
    /// Its user; none for the product itself.
    pub user_id: Option<UserId>,
    /// When it was first seen.
    pub created_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
