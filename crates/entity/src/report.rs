//! Activity reports of workspaces.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `reports`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reports")]
pub struct Model {
    /// The report's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReportId,
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// The first instant it counts.
    pub starts_at: Time,
    /// The first instant it does not count any more.
    pub ends_at: Time,
    /// The figures, as JSON.
    pub data: String,
    /// When it was made.
    pub created_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
