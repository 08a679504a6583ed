//! Groups of members, to grant to all of them at once.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `groups`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "groups")]
pub struct Model {
    /// The group's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GroupId,
    /// Its tenant.
    pub workspace_id: WorkspaceId,
    /// Its name, unique in the workspace whatever its case.
    pub name: String,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Time,
    /// When it was last renamed.
    pub updated_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
