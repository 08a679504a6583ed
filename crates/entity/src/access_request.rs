//! Somebody who asks to be let at a page, or to do more with it.

use kernel::{clock::Time, id::*, role::*};
use sea_orm::entity::prelude::*;

/// One row of `access_requests`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_requests")]
pub struct Model {
    /// The request's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccessRequestId,
    /// Its tenant.
    pub workspace_id: WorkspaceId,
    /// The page.
    pub document_id: DocumentId,
    /// Who asks.
    pub user_id: UserId,
    /// What for.
    pub level: Level,
    /// What they say.
    pub message: Option<String>,
    /// `pending`, `approved` or `denied`.
    pub status: String,
    /// Who decided.
    pub decided_by: Option<UserId>,
    /// When.
    pub decided_at: Option<Time>,
    /// When it was asked.
    pub created_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
