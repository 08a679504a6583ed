//! Destroying what is in the trash, a bounded number of pages at a time.

use crate::{error::Error, place};
use entity::{document, workspace};
use events::{By, Change};
use kernel::{clock::Time, id::*};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Statement,
    sea_query::{Expr, ExprTrait},
};
use workspaces::hold;

/// Pages destroyed by one statement.
const AT_ONCE: u64 = 100;

/// Pages that are not destroyed with the one they hang under, because they were put in the trash before it or came out since:
/// they go to the nearest place above that stays.
pub(super) async fn let_go(tx: &DatabaseTransaction, root: DocumentId) -> Result<(), DbErr> {
    let sql = "SELECT c.* FROM documents c JOIN documents p ON p.id = c.parent_id
        WHERE (p.deleted_with = $1 OR p.id = $1) AND (c.deleted_with IS NULL OR c.deleted_with <> $1)";
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, [root.into()]);
    for page in document::Model::find_by_statement(statement).all(tx).await? {
        let stays = |above: &document::Model| above.id != root && above.deleted_with != Some(root);
        let above = place::above(tx, page.parent_id, stays).await?;
        let mut row = page.clone().into_active_model();
        above.take(&mut row, &page);
        row.update(tx).await?;
    }
    Ok(())
}

/// Destroys some of the pages that went with one, from the leaves on. Gives how many.
pub(super) async fn leaves(tx: &DatabaseTransaction, root: DocumentId) -> Result<u64, DbErr> {
    let sql = "DELETE FROM documents WHERE id IN (
        SELECT d.id FROM documents d WHERE d.deleted_with = $1 AND d.id <> $1
        AND NOT EXISTS (SELECT 1 FROM documents c WHERE c.parent_id = d.id) LIMIT $2)";
    let values = [root.into(), i64::try_from(AT_ONCE).unwrap_or(i64::MAX).into()];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    Ok(tx.execute_raw(statement).await?.rows_affected())
}

/// Pages that were put in the trash by themselves before an instant, of living workspaces. No proof is asked for: the worker
/// calls it.
///
/// # Errors
/// Only the database's.
pub async fn overdue(db: &impl ConnectionTrait, before: Time, limit: u64) -> Result<Vec<DocumentId>, DbErr> {
    let living = workspace::Entity::find()
        .select_only()
        .column(workspace::Column::Id)
        .filter(workspace::Column::DeletedAt.is_null())
        .into_query();
    document::Entity::find()
        .select_only()
        .column(document::Column::Id)
        .filter(document::Column::DeletedAt.lt(before))
        .filter(Expr::col(document::Column::DeletedWith).eq(Expr::col(document::Column::Id)))
        .filter(document::Column::WorkspaceId.in_subquery(living))
        .order_by_asc(document::Column::DeletedAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Destroys some of what went into the trash with a page before an instant, and the page itself when nothing else is left.
/// Gives whether it is done, also when it came out of the trash meanwhile. No proof is asked for: the worker calls it.
///
/// # Errors
/// Only the database's.
pub async fn purge_some(tx: &DatabaseTransaction, root: DocumentId, before: Time) -> Result<bool, Error> {
    let Some(row) = document::Entity::find_by_id(root).one(tx).await? else {
        return Ok(true);
    };
    hold::trees(tx, &[row.workspace_id]).await?;
    let row = document::Entity::find_by_id(root).one(tx).await?;
    let Some(row) = row.filter(|row| row.deleted_at.is_some_and(|at| at < before)) else {
        return Ok(true);
    };
    let_go(tx, root).await?;
    if leaves(tx, root).await? == AT_ONCE {
        return Ok(false);
    }
    while leaves(tx, root).await? > 0 {}
    document::Entity::delete_by_id(root).exec(tx).await?;
    let by = By {
        workspace: Some(row.workspace_id),
        user: None,
    };
    events::append(tx, by, Change::DocumentDeleted { document: root }).await?;
    Ok(true)
}
