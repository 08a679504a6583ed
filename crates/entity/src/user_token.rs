//! Tokens that were mailed to somebody: to verify an address, or to set a new password. As hashes, each good once.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `user_tokens`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_tokens")]
pub struct Model {
    /// The row's id; the token is derived from it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserTokenId,
    /// Whose account it is about.
    pub user_id: UserId,
    /// `verify_email`, `change_email` or `reset_password`.
    pub purpose: String,
    /// The address it was sent to.
    pub email: String,
    /// SHA-256 of the token, in hexadecimal; unique.
    pub token_hash: String,
    /// When it was made.
    pub created_at: Time,
    /// After this it is refused.
    pub expires_at: Time,
    /// When it was used, or replaced by a newer one.
    pub used_at: Option<Time>,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
