//! Counts, for each workspace, the changes to who may do what in it. Written by `events` alone, with the fact.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `access_versions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_versions")]
pub struct Model {
    /// The workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: WorkspaceId,
    /// Grows with every change.
    pub version: i64,
    /// When it last grew.
    pub changed_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
