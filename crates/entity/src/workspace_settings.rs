//! How a workspace is run; a workspace without a row has the defaults.

use kernel::{clock::Time, id::*, role::*};
use sea_orm::entity::prelude::*;

/// One row of `workspace_settings`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_settings")]
pub struct Model {
    /// The workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: WorkspaceId,
    /// What members may do with pages that say nothing, at the top of the tree.
    pub default_level: Level,
    /// Whether pages may be shared by link.
    pub share_links: bool,
    /// Whether members, and not only admins, may invite.
    pub member_invites: bool,
    /// After how many days without a change a page is archived; none for never.
    pub archive_after_days: Option<i32>,
    /// When they were last changed.
    pub updated_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
