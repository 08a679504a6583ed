//! What a person or a group may do with a page and what hangs under it, or with all pages of a workspace. Hangs on the membership.

use kernel::{clock::Time, id::*, role::*};
use sea_orm::entity::prelude::*;

/// One row of `grants`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grants")]
pub struct Model {
    /// The grant's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GrantId,
    /// Its tenant.
    pub workspace_id: WorkspaceId,
    /// The page; none grants on the whole workspace.
    pub document_id: Option<DocumentId>,
    /// The person; or a group.
    pub user_id: Option<UserId>,
    /// The group; or a person.
    pub group_id: Option<GroupId>,
    /// How much.
    pub level: Level,
    /// Who granted it.
    pub created_by: UserId,
    /// When.
    pub created_at: Time,
    /// When its level was last changed.
    pub updated_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
