//! Invitations by mail, their tokens as hashes.

use kernel::{clock::Time, id::*, role::*};
use sea_orm::entity::prelude::*;

/// One row of `invitations`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    /// The invitation's id; the token is derived from it and `sent_at`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    /// Where to.
    pub workspace_id: WorkspaceId,
    /// Who: only an account of this address can accept.
    pub email: String,
    /// As what.
    pub role: Role,
    /// The page that is granted with it.
    pub document_id: Option<DocumentId>,
    /// At this level.
    pub level: Option<Level>,
    /// What the inviter says.
    pub message: Option<String>,
    /// SHA-256 of the token, in hexadecimal; unique.
    pub token_hash: String,
    /// Who invites.
    pub invited_by: UserId,
    /// When it was made.
    pub created_at: Time,
    /// When its last mail was asked for.
    pub sent_at: Time,
    /// After this it is refused.
    pub expires_at: Time,
    /// When it was accepted.
    pub accepted_at: Option<Time>,
    /// By whom.
    pub accepted_by: Option<UserId>,
    /// When it was declined.
    pub declined_at: Option<Time>,
    /// When it was taken back.
    pub revoked_at: Option<Time>,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
