//! Holding a workspace still: nobody else changes who belongs to it until the transaction ends.

use crate::Error;
use entity::workspace;
use kernel::id::WorkspaceId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QuerySelect, sea_query::LockType};

/// Takes the lock, and gives the row if there is one. SQLite has one writer anyway. On PostgreSQL the lock is one that
/// lets others make pages.
pub(crate) async fn lock(tx: &DatabaseTransaction, workspace: WorkspaceId) -> Result<Option<workspace::Model>, DbErr> {
    let row = workspace::Entity::find_by_id(workspace);
    match tx.get_database_backend() {
        DbBackend::Postgres => row.lock(LockType::NoKeyUpdate).one(tx).await,
        _ => row.one(tx).await,
    }
}

/// The same for a workspace that is not in the trash.
pub(crate) async fn living(tx: &DatabaseTransaction, workspace: WorkspaceId) -> Result<workspace::Model, Error> {
    let row = lock(tx, workspace).await?;
    row.filter(|row| row.deleted_at.is_none()).ok_or(Error::NotFound)
}

/// The same for a workspace that is not archived either.
pub(crate) async fn open(tx: &DatabaseTransaction, workspace: WorkspaceId) -> Result<workspace::Model, Error> {
    let row = living(tx, workspace).await?;
    if row.archived_at.is_some() { Err(Error::Archived) } else { Ok(row) }
}
