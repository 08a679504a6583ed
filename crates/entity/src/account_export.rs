//! What people took out of their accounts, for as long as they may fetch it.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `account_exports`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_exports")]
pub struct Model {
    /// Whose account it is of.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// How many bytes it has, to be known without reading them.
    pub size: i64,
    /// A zip.
    pub bytes: Vec<u8>,
    /// When it was made.
    pub created_at: Time,
    /// After this it cannot be fetched any more.
    pub expires_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
