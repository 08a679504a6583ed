//! Logins with other providers (OpenID Connect) that open an account.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `identities`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identities")]
pub struct Model {
    /// The row's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IdentityId,
    /// Whose account it opens.
    pub user_id: UserId,
    /// The provider's name in the configuration.
    pub provider: String,
    /// Who they are there; unique with the provider.
    pub subject: String,
    /// The address that the provider told.
    pub email: String,
    /// When it was linked.
    pub created_at: Time,
    /// When it last opened the account.
    pub last_used_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
