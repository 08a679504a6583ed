//! Second factors: time-based codes (RFC 6238).

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `totp_factors`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "totp_factors")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The shared secret, encrypted.
    pub secret: Vec<u8>,
    /// When it was set up.
    pub created_at: Time,
    /// When its first code was right; before that it guards nothing.
    pub confirmed_at: Option<Time>,
    /// The time step of the last code that was taken: none is good twice.
    pub last_step: i64,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
