//! Accounts.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `users`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The user's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// Lower-cased and trimmed; unique.
    pub email: String,
    /// What others see.
    pub display_name: String,
    /// When the address was proven; none until then.
    pub email_verified_at: Option<Time>,
    /// An IANA time zone, for times in letters; none means UTC.
    pub time_zone: Option<String>,
    /// argon2id, as a PHC string; empty for who signs in with another provider only.
    pub password_hash: String,
    /// When the account was made.
    pub created_at: Time,
    /// When the profile was last changed.
    pub updated_at: Time,
    /// When the account was closed; a closed account cannot sign in.
    pub deleted_at: Option<Time>,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
