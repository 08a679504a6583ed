//! Pages, without their content: that is in the op log.

use kernel::{clock::Time, id::*, role::*};
use sea_orm::entity::prelude::*;

/// One row of `documents`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "documents")]
pub struct Model {
    /// The page's id; the same 16 bytes make its automerge url.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DocumentId,
    /// Its tenant.
    pub workspace_id: WorkspaceId,
    /// The page it hangs under; none at the top.
    pub parent_id: Option<DocumentId>,
    /// Order key among its siblings.
    pub rank: String,
    /// Projection of the title in the page itself.
    pub title: String,
    /// Emoji or url.
    pub icon: Option<String>,
    /// Picture above the page.
    pub cover: Option<String>,
    /// What members may do; none asks the parent, and at the top means edit.
    pub default_level: Option<Level>,
    /// Whether what is granted and said above it does not count here.
    pub restricted: bool,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Time,
    /// When its fields or content last changed.
    pub updated_at: Time,
    /// When it was put in the trash, by itself or with an ancestor.
    pub deleted_at: Option<Time>,
    /// The page whose deletion took it along; its own id when it was deleted itself.
    pub deleted_with: Option<DocumentId>,
    /// Who put it in the trash; none when it is not there.
    pub deleted_by: Option<UserId>,
    /// When it was archived: since then it can only be read.
    pub archived_at: Option<Time>,
    /// The page that was archived and took it along; its own id when it was archived itself.
    pub archived_with: Option<DocumentId>,
    /// Whether pages are made from it.
    pub is_template: bool,
}

impl Model {
    /// Whether it can only be read. In the trash it is trash like any other.
    pub fn is_archived(&self) -> bool {
        self.archived_at.is_some() && self.deleted_at.is_none()
    }
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
