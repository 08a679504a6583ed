//! Logins: each is one family of refresh tokens.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `sessions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// The session's id; access tokens carry it as `sid`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// Whose login it is.
    pub user_id: UserId,
    /// The client's name for itself, cut to 256 characters.
    pub user_agent: String,
    /// When the password was given.
    pub created_at: Time,
    /// When a token of the family was last turned in.
    pub last_used_at: Time,
    /// After this the whole family is dead, however often it was refreshed.
    pub expires_at: Time,
    /// When the password, or what stands for it, was last given; none means at `created_at`.
    pub authenticated_at: Option<Time>,
    /// The address it came from.
    pub source: Option<String>,
    /// When it was ended: by logout, or because a spent token came back.
    pub revoked_at: Option<Time>,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
