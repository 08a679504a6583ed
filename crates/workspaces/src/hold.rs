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

/// The same for living workspaces whose trees of pages are changed: nobody else moves, trashes or restores a page in them until
/// the transaction ends.
///
/// # Errors
/// [`Error::NotFound`] when one of them went away.
pub async fn trees(tx: &DatabaseTransaction, workspaces: &[WorkspaceId]) -> Result<(), Error> {
    // In one order, so that two who hold several never wait for each other crosswise.
    let mut all = workspaces.to_vec();
    all.sort_unstable();
    all.dedup();
    for workspace in all {
        living(tx, workspace).await?;
    }
    Ok(())
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
