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
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
