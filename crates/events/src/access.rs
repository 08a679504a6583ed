//! The counter of each workspace that every change to who may do what in it moves on, in the transaction of the change.
//!
//! Whoever decided something while a counter stood at a number may trust the decision for as long as it stands there. A
//! writer that reads it in its own transaction ([`hold`]) cannot be overtaken by a revocation: on PostgreSQL a change waits
//! for those who hold the counter and they for it; SQLite has one writer anyway.

use crate::By;
use entity::{access_version, member};
use kernel::{clock, id::*};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, LockType, OnConflict, SelectStatement},
};
use std::{cell::RefCell, collections::HashMap};

/// Workspaces asked about in one statement.
const AT_ONCE: usize = 500;

tokio::task_local! {
    /// How often the work that runs has moved each counter itself.
    static MOVED: RefCell<HashMap<WorkspaceId, i64>>;
}

/// Runs something that may move counters, and keeps count, so that it can tell its own moves from others'.
pub async fn counting<T>(work: impl Future<Output = T>) -> T {
    MOVED.scope(RefCell::default(), work).await
}

/// How often what runs under [`counting`] has moved a counter itself.
pub fn moved_here(workspace: WorkspaceId) -> i64 {
    let moved = MOVED.try_with(|moved| moved.borrow().get(&workspace).copied());
    moved.ok().flatten().unwrap_or_default()
}

/// Moves on the counter of the workspace in which somebody did something, or of all workspaces of the person whose
/// account it was about.
pub(crate) async fn moved(tx: &impl ConnectionTrait, by: By) -> Result<(), DbErr> {
    match (by.workspace, by.user) {
        (Some(workspace), _) => moved_in(tx, workspace).await,
        (None, Some(user)) => moved_for(tx, user).await,
        (None, None) => Ok(()),
    }
}

async fn moved_in(tx: &impl ConnectionTrait, workspace: WorkspaceId) -> Result<(), DbErr> {
    let row = access_version::Model {
        workspace_id: workspace,
        version: 1,
        changed_at: clock::now(),
    };
    let once_more = OnConflict::column(access_version::Column::WorkspaceId)
        .value(
            access_version::Column::Version,
            Expr::col((access_version::Entity, access_version::Column::Version)).add(1),
        )
        .update_column(access_version::Column::ChangedAt)
        .to_owned();
    access_version::Entity::insert(row.into_active_model())
        .on_conflict(once_more)
        .exec_without_returning(tx)
        .await?;
    // Nobody counts outside of `counting`.
    let _counted = MOVED.try_with(|moved| *moved.borrow_mut().entry(workspace).or_default() += 1);
    Ok(())
}

fn homes_of(user: UserId) -> SelectStatement {
    member::Entity::find()
        .select_only()
        .column(member::Column::WorkspaceId)
        .filter(member::Column::UserId.eq(user))
        .into_query()
}

async fn moved_for(tx: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        // In one order, as in `hold`: two people may share more than one workspace.
        let homes = access_version::Entity::find()
            .filter(access_version::Column::WorkspaceId.in_subquery(homes_of(user)))
            .order_by_asc(access_version::Column::WorkspaceId);
        homes.lock(LockType::NoKeyUpdate).all(tx).await?;
    }
    access_version::Entity::update_many()
        .col_expr(access_version::Column::Version, Expr::col(access_version::Column::Version).add(1))
        .col_expr(access_version::Column::ChangedAt, Expr::value(clock::now()))
        .filter(access_version::Column::WorkspaceId.in_subquery(homes_of(user)))
        .exec(tx)
        .await
        .map(drop)
}

/// Where a workspace's counter stands; 0 for a workspace that is not there.
///
/// # Errors
/// Only the database's.
pub async fn version(db: &impl ConnectionTrait, workspace: WorkspaceId) -> Result<i64, DbErr> {
    let row = access_version::Entity::find_by_id(workspace).one(db).await?;
    Ok(row.map_or(0, |row| row.version))
}

/// Where counters stand, held there until the transaction ends. Ask last, when everything else is written: changes of
/// access take their other locks before this one too.
///
/// # Errors
/// Only the database's.
pub async fn hold(tx: &DatabaseTransaction, workspaces: &[WorkspaceId]) -> Result<HashMap<WorkspaceId, i64>, DbErr> {
    let rows = access_version::Entity::find()
        .filter(access_version::Column::WorkspaceId.is_in(workspaces.iter().copied()))
        // In one order, so that two who hold several never wait for each other crosswise.
        .order_by_asc(access_version::Column::WorkspaceId);
    let rows = match tx.get_database_backend() {
        DbBackend::Postgres => rows.lock(LockType::Share),
        _ => rows,
    };
    let rows = rows.all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.workspace_id, row.version)).collect())
}

/// Where these workspaces' counters stand; one that is not there is left out.
///
/// # Errors
/// Only the database's.
pub async fn versions(db: &impl ConnectionTrait, workspaces: &[WorkspaceId]) -> Result<HashMap<WorkspaceId, i64>, DbErr> {
    let mut versions = HashMap::with_capacity(workspaces.len());
    for some in workspaces.chunks(AT_ONCE) {
        let rows = access_version::Entity::find()
            .filter(access_version::Column::WorkspaceId.is_in(some.iter().copied()))
            .all(db)
            .await?;
        versions.extend(rows.into_iter().map(|row| (row.workspace_id, row.version)));
    }
    Ok(versions)
}
