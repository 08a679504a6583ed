//! Links that let whoever holds them join, their tokens as hashes.

use kernel::{clock::Time, id::*, role::*};
use sea_orm::entity::prelude::*;

/// One row of `invite_links`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invite_links")]
pub struct Model {
    /// The link's id; the token is derived from it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InviteLinkId,
    /// Where to.
    pub workspace_id: WorkspaceId,
    /// As what.
    pub role: Role,
    /// SHA-256 of the token, in hexadecimal; unique.
    pub token_hash: String,
    /// Only for verified addresses of this domain.
    pub email_domain: Option<String>,
    /// How many may join; any number when none.
    pub max_uses: Option<i32>,
    /// How many did.
    pub uses: i32,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Time,
    /// After this it is refused.
    pub expires_at: Option<Time>,
    /// When it was switched off.
    pub revoked_at: Option<Time>,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
