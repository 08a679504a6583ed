//! Refresh tokens, as hashes. A spent one stays until its session ends, so that its reuse is seen.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `refresh_tokens`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub struct Model {
    /// The row's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RefreshTokenId,
    /// The login it belongs to.
    pub session_id: SessionId,
    /// SHA-256 of the token, in hexadecimal; unique.
    pub token_hash: String,
    /// When it was issued.
    pub created_at: Time,
    /// After this it is refused.
    pub expires_at: Time,
    /// When it was turned in for the next one.
    pub used_at: Option<Time>,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
