//! Workspaces in the trash. They are there for nobody but their owners, who may take them out again within 30 days; then
//! they are destroyed with everything in them. What happened in them stays in the event log until its own time.

use crate::{Error, hold};
use entity::{member, workspace};
use events::{By, Change};
use kernel::{
    clock::{self, Time},
    id::*,
    role::Role,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Statement,
};
use std::time::Duration;

/// How long a workspace stays in the trash.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// It is destroyed this much later, so that nobody takes out what is being destroyed.
const GRACE: Duration = Duration::from_secs(60 * 60);

/// Pages destroyed in one transaction.
const AT_ONCE: u64 = 100;

/// Before this it was put in the trash too long ago.
fn horizon() -> Time {
    clock::now() - KEPT
}

/// The workspaces in the trash that somebody owns, oldest first.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<workspace::Model>, DbErr> {
    let owned = member::Entity::find()
        .select_only()
        .column(member::Column::WorkspaceId)
        .filter(member::Column::UserId.eq(user))
        .filter(member::Column::Role.eq(Role::Owner))
        .into_query();
    workspace::Entity::find()
        .filter(workspace::Column::Id.in_subquery(owned))
        .filter(workspace::Column::DeletedAt.gt(horizon()))
        .order_by_asc(workspace::Column::Id)
        .all(db)
        .await
}

/// Lets an owner at a workspace in the trash, which [`enter`](crate::access::enter) lets nobody at. It is held until the
/// transaction ends.
async fn find(tx: &DatabaseTransaction, user: UserId, id: WorkspaceId) -> Result<workspace::Model, Error> {
    let row = hold::lock(tx, id).await?;
    let row = row.filter(|row| row.deleted_at.is_some_and(|at| at > horizon()));
    let member = member::Entity::find_by_id((id, user)).one(tx).await?;
    match (row, member) {
        (Some(row), Some(member)) if member.role == Role::Owner => Ok(row),
        _ => Err(Error::NotFound),
    }
}

/// Takes a workspace out of the trash again.
///
/// # Errors
/// [`Error::NotFound`] for whoever does not own it, and when it is not in the trash or has been there for too long.
pub async fn restore(tx: &DatabaseTransaction, user: UserId, id: WorkspaceId) -> Result<workspace::Model, Error> {
    let mut row = find(tx, user, id).await?.into_active_model();
    row.deleted_at = Set(None);
    row.updated_at = Set(clock::now());
    let row = row.update(tx).await?;
    let by = By {
        workspace: Some(id),
        user: Some(user),
    };
    events::append(tx, by, Change::WorkspaceRestored { workspace: id }).await?;
    Ok(row)
}

/// Workspaces whose time in the trash is over. No proof is asked for: the worker calls it.
///
/// # Errors
/// Only the database's.
pub async fn overdue(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<WorkspaceId>, DbErr> {
    workspace::Entity::find()
        .select_only()
        .column(workspace::Column::Id)
        .filter(workspace::Column::DeletedAt.lt(horizon() - GRACE))
        .order_by_asc(workspace::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}

/// Destroys some pages of a workspace whose time is over, from the leaves of the tree on, and itself with everything else
/// when there are none left. Gives whether it is gone. No proof is asked for: the worker calls it.
///
/// # Errors
/// Only the database's.
pub async fn destroy_some(tx: &DatabaseTransaction, id: WorkspaceId) -> Result<bool, DbErr> {
    let is_overdue = hold::lock(tx, id)
        .await?
        .is_some_and(|row| row.deleted_at.is_some_and(|at| at < horizon() - GRACE));
    if !is_overdue {
        return Ok(true);
    }
    let leaves = "DELETE FROM documents WHERE id IN (
        SELECT d.id FROM documents d WHERE d.workspace_id = $1
        AND NOT EXISTS (SELECT 1 FROM documents c WHERE c.parent_id = d.id) LIMIT $2)";
    let values = [id.into(), i64::try_from(AT_ONCE).unwrap_or(i64::MAX).into()];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), leaves, values);
    if tx.execute_raw(statement).await?.rows_affected() == AT_ONCE {
        return Ok(false);
    }
    // What is left of the tree, if anything, goes with the workspace.
    workspace::Entity::delete_by_id(id).exec(tx).await?;
    Ok(true)
}
