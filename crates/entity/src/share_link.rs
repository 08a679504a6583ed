//! Links that open a page to whoever holds them, their tokens as hashes.

use kernel::{clock::Time, id::*, role::*};
use sea_orm::entity::prelude::*;

/// One row of `share_links`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "share_links")]
pub struct Model {
    /// The link's id; the token is derived from it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ShareLinkId,
    /// Its tenant.
    pub workspace_id: WorkspaceId,
    /// The page it opens, with what hangs under it.
    pub document_id: DocumentId,
    /// View, comment or edit.
    pub level: Level,
    /// SHA-256 of the token, in hexadecimal; unique.
    pub token_hash: String,
    /// What the password is verified against; none needs none.
    pub password_hash: Option<String>,
    /// Grows when the password changes: who came in with the old one is out.
    pub generation: i32,
    /// Whether it is switched on.
    pub is_enabled: bool,
    /// After this it opens nothing.
    pub expires_at: Option<Time>,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
