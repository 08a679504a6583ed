//! Where the event log of each tenant stands.

use kernel::id::*;
use sea_orm::entity::prelude::*;

/// One row of `event_chains`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_chains")]
pub struct Model {
    /// The tenant; all zeros for what belongs to none.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: WorkspaceId,
    /// The last number given; 0 before the first.
    pub seq: i64,
    /// The hash of the last entry.
    pub hash: Vec<u8>,
    /// Entries up to this number are gone; a signed checkpoint stands there.
    pub floor_seq: i64,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
