//! The archive of a workspace: pages that are kept, but not changed any more and not in the way. A page goes there with what
//! hangs under it, because somebody says so or because nobody has changed it for as many days as the workspace's settings say.

use crate::{
    error::Error,
    lineage::{self, AT_ONCE, Went},
    lock,
};
use entity::{document, workspace, workspace_settings};
use events::{By, Change};
use kernel::{
    clock::{self, Time},
    id::*,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Statement, sea_query::Expr,
};
use workspaces::{
    access::{DocumentAccess, EditDocument},
    hold,
};

async fn set(tx: &DatabaseTransaction, pages: &[DocumentId], (at, with): (Option<Time>, Option<DocumentId>)) -> Result<(), DbErr> {
    for some in pages.chunks(AT_ONCE) {
        let mut update = document::Entity::update_many()
            .col_expr(document::Column::ArchivedAt, Expr::value(at))
            .col_expr(document::Column::ArchivedWith, Expr::value(with.map(|id| id.0)));
        if at.is_none() {
            // Else the next round of the policy would archive it again.
            update = update.col_expr(document::Column::UpdatedAt, Expr::value(clock::now()));
        }
        update.filter(document::Column::Id.is_in(some.iter().copied())).exec(tx).await?;
    }
    Ok(())
}

/// Archives a page and what hangs under it. Gives its row as it is now.
///
/// # Errors
/// [`Error::Locked`], or the database's.
pub async fn archive(tx: &DatabaseTransaction, access: &DocumentAccess<EditDocument>) -> Result<document::Model, Error> {
    let id = access.id();
    hold::trees(tx, &[access.workspace()]).await?;
    lock::check(tx, access).await?;
    let pages = lineage::living_subtree(tx, id).await?;
    // What was archived before comes back by itself, not with this one.
    let pages: Vec<DocumentId> = pages.iter().filter(|row| row.archived_at.is_none()).map(|row| row.id).collect();
    set(tx, &pages, (Some(clock::now()), Some(id))).await?;
    events::append(tx, access.by(), Change::DocumentArchived { document: id }).await?;
    find(tx, id).await
}

/// Takes a page out of the archive, with what hangs under it and went there with it.
///
/// # Errors
/// [`Error::NotFound`] when it is not archived any more.
pub async fn unarchive(tx: &DatabaseTransaction, access: &DocumentAccess<EditDocument>) -> Result<document::Model, Error> {
    hold::trees(tx, &[access.workspace()]).await?;
    let row = find(tx, access.id()).await?;
    if !row.is_archived() {
        return Err(Error::NotFound);
    }
    let pages = lineage::went_along(tx, &row, Went::Archive).await?;
    set(tx, &pages, (None, None)).await?;
    events::append(tx, access.by(), Change::DocumentUnarchived { document: row.id }).await?;
    find(tx, row.id).await
}

async fn find(tx: &DatabaseTransaction, id: DocumentId) -> Result<document::Model, Error> {
    document::Entity::find_by_id(id).one(tx).await?.ok_or(Error::NotFound)
}

/// Workspaces with a policy, behind one of them, and their days. No proof is asked for: the worker calls it.
///
/// # Errors
/// Only the database's.
pub async fn policies(db: &impl ConnectionTrait, after: Option<WorkspaceId>, limit: u64) -> Result<Vec<(WorkspaceId, i32)>, DbErr> {
    let living = workspace::Entity::find()
        .select_only()
        .column(workspace::Column::Id)
        .filter(workspace::Column::DeletedAt.is_null())
        .filter(workspace::Column::ArchivedAt.is_null())
        .into_query();
    let found = workspace_settings::Entity::find()
        .select_only()
        .columns([
            workspace_settings::Column::WorkspaceId,
            workspace_settings::Column::ArchiveAfterDays,
        ])
        .filter(workspace_settings::Column::ArchiveAfterDays.is_not_null())
        .filter(workspace_settings::Column::WorkspaceId.in_subquery(living));
    let found = match after {
        Some(after) => found.filter(workspace_settings::Column::WorkspaceId.gt(after)),
        None => found,
    };
    found
        .order_by_asc(workspace_settings::Column::WorkspaceId)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Pages that nobody has changed since an instant and under which there are none that stay. Templates stay, what is
/// somebody's favourite, and what somebody keeps locked.
const DUE: &str = "SELECT d.id FROM documents d JOIN document_heads h ON h.document_id = d.id
    WHERE d.workspace_id = $1 AND d.deleted_at IS NULL AND d.archived_at IS NULL AND NOT d.is_template
    AND d.updated_at < $2 AND h.updated_at < $2
    AND NOT EXISTS (SELECT 1 FROM favorites f WHERE f.document_id = d.id)
    AND NOT EXISTS (SELECT 1 FROM document_locks l WHERE l.document_id = d.id)
    AND NOT EXISTS (SELECT 1 FROM documents c WHERE c.parent_id = d.id AND c.deleted_at IS NULL AND c.archived_at IS NULL)
    ORDER BY d.id LIMIT $3";

/// What was archived by the same round and hangs under a page that is archived now comes back with that one.
const TAKE: &str = "UPDATE documents SET archived_with = $1 WHERE archived_at = $2 AND archived_with IN (
    SELECT c.id FROM documents c WHERE c.parent_id = $1 AND c.archived_at = $2 AND c.archived_with = c.id)";

/// Archives some pages of a workspace that nobody has changed since `before`, the lowest first. Gives how many; a round is
/// over when there are none left. `now` is the same for all of a round. No proof is asked for: the worker calls it.
///
/// # Errors
/// Only the database's.
pub async fn archive_some(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    (now, before): (Time, Time),
    limit: u64,
) -> Result<usize, Error> {
    #[derive(FromQueryResult)]
    struct Due {
        id: DocumentId,
    }
    hold::trees(tx, &[workspace]).await?;
    let backend = tx.get_database_backend();
    let values = [workspace.into(), before.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    let due = Due::find_by_statement(Statement::from_sql_and_values(backend, DUE, values))
        .all(tx)
        .await?;
    let by = By {
        workspace: Some(workspace),
        user: None,
    };
    for Due { id } in &due {
        set(tx, &[*id], (Some(now), Some(*id))).await?;
        tx.execute_raw(Statement::from_sql_and_values(backend, TAKE, [(*id).into(), now.into()]))
            .await?;
        events::append(tx, by, Change::DocumentArchived { document: *id }).await?;
    }
    Ok(due.len())
}
