//! Signed marks on the event log: where it was cut, and what its hash was on a day.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `event_checkpoints`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_checkpoints")]
pub struct Model {
    /// The tenant; all zeros for what belongs to none.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: WorkspaceId,
    /// The entry it speaks of.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// Why it was made.
    #[sea_orm(primary_key, auto_increment = false)]
    pub reason: Reason,
    /// That entry's hash.
    pub hash: Vec<u8>,
    /// The signing key's id.
    pub key_id: String,
    /// HMAC-SHA256 over tenant, number, reason and hash.
    pub signature: Vec<u8>,
    /// When it was made.
    pub created_at: Time,
}

/// Why a checkpoint was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))")]
pub enum Reason {
    /// Everything up to it was removed.
    #[sea_orm(string_value = "cut")]
    Cut,
    /// A day was over.
    #[sea_orm(string_value = "seal")]
    Seal,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
