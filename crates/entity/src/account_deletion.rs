//! Accounts that are to be erased when their grace has passed.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `account_deletions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_deletions")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// When they asked for it.
    pub requested_at: Time,
    /// When it is erased; who signs in before stops it.
    pub due_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
