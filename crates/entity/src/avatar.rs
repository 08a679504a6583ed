//! Pictures of people, decoded and written anew by us.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `avatars`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "avatars")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// SHA-256 of the bytes, in hexadecimal; its version.
    pub hash: String,
    /// A PNG of 256 × 256 pixels.
    pub bytes: Vec<u8>,
    /// When it was set.
    pub updated_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
