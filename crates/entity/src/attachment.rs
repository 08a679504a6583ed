//! Files of pages, without their bytes: those lie in the store of files.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `attachments`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attachments")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttachmentId,
    /// Its tenant.
    pub workspace_id: WorkspaceId,
    /// The page it belongs to: who may see that may see this.
    pub document_id: DocumentId,
    /// Its bytes in the store; none before they have come.
    pub file_id: Option<FileId>,
    /// What people call it.
    pub name: String,
    /// What its bytes say it is.
    pub media_type: String,
    /// Bytes: as promised, and once they have come, as they are.
    pub size: Option<i64>,
    /// SHA-256 of them in hexadecimal: as promised, and then as it is.
    pub sha256: Option<String>,
    /// Bytes that count for the workspace's quota.
    pub reserved: i64,
    /// Whether its bytes have come.
    pub state: State,
    /// Pixels, of a picture that could be decoded.
    pub width: Option<i32>,
    /// Pixels.
    pub height: Option<i32>,
    /// The media type of the small pictures made of it; none when there are none.
    pub thumbnail: Option<String>,
    /// Who brought it.
    pub created_by: UserId,
    /// When it was announced.
    pub created_at: Time,
    /// When its bytes had come.
    pub uploaded_at: Option<Time>,
    /// When somebody deleted it.
    pub deleted_at: Option<Time>,
}

/// Whether the bytes have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum State {
    /// Announced.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// There.
    #[sea_orm(string_value = "ready")]
    Ready,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
