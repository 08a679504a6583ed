//! Exports of pages, for as long as they can be fetched. Their bytes lie in the store of files.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `exports`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "exports")]
pub struct Model {
    /// The job that made it, whose id names its bytes too.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// The page; none when it is of the whole workspace.
    pub document_id: Option<DocumentId>,
    /// Who asked for it, and alone may fetch it.
    pub user_id: UserId,
    /// What it was made as: `pdf`, `html`, ….
    pub format: String,
    /// The name of the file for people.
    pub name: String,
    /// The file's media type.
    pub media_type: String,
    /// How many bytes it has.
    pub size: i64,
    /// The ids of the pages in it, as JSON.
    pub documents: String,
    /// When it was made.
    pub created_at: Time,
    /// After this it cannot be fetched any more.
    pub expires_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
