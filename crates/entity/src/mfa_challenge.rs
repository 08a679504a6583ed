//! Logins whose password was right and whose second factor is still to come.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `mfa_challenges`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mfa_challenges")]
pub struct Model {
    /// The row's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MfaChallengeId,
    /// SHA-256 of what the client holds, in hexadecimal; unique.
    pub token_hash: String,
    /// Who wants in.
    pub user_id: UserId,
    /// Wrong codes so far.
    pub attempts: i32,
    /// When the password was given.
    pub created_at: Time,
    /// After this the password has to be given again.
    pub expires_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
