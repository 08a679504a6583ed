//! Looking at jobs.

use crate::Error;
use entity::job::{self, State};
use kernel::id::*;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use std::{collections::BTreeMap, time::Duration};

/// Which jobs.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Those that this person asked for.
    pub user: Option<UserId>,
    /// Of these tenants, or of none.
    pub within: Option<Vec<WorkspaceId>>,
    /// In this state.
    pub state: Option<State>,
    /// Of this queue.
    pub queue: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Older than this one, from the page of results before.
    pub after: Option<JobId>,
    /// How many at most.
    pub limit: u64,
}

/// Jobs, newest first.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, wanted: &Wanted) -> Result<Vec<job::Model>, DbErr> {
    let mut jobs = job::Entity::find();
    if let Some(user) = wanted.user {
        jobs = jobs.filter(job::Column::UserId.eq(user));
    }
    if let Some(within) = &wanted.within {
        let of_none = job::Column::WorkspaceId.is_null();
        jobs = jobs.filter(of_none.or(job::Column::WorkspaceId.is_in(within.iter().copied())));
    }
    if let Some(state) = wanted.state {
        jobs = jobs.filter(job::Column::State.eq(state));
    }
    if let Some(queue) = &wanted.queue {
        jobs = jobs.filter(job::Column::Queue.eq(queue));
    }
    if let Some(kind) = &wanted.kind {
        jobs = jobs.filter(job::Column::Kind.eq(kind));
    }
    if let Some(after) = wanted.after {
        jobs = jobs.filter(job::Column::Id.lt(after));
    }
    jobs.order_by_desc(job::Column::Id).limit(wanted.limit).all(db).await
}

/// One job.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, id: JobId) -> Result<job::Model, Error> {
    job::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)
}

/// One job that this person asked for.
///
/// # Errors
/// [`Error::NotFound`], also for somebody else's.
pub async fn find_own(db: &impl ConnectionTrait, user: UserId, id: JobId) -> Result<job::Model, Error> {
    let job = find(db, id).await?;
    if job.user_id == Some(user) { Ok(job) } else { Err(Error::NotFound) }
}

/// How many jobs stand in each queue, by state.
///
/// # Errors
/// Only the database's.
pub async fn counts(db: &impl ConnectionTrait) -> Result<BTreeMap<(String, &'static str), i64>, DbErr> {
    let rows: Vec<(String, State, i64)> = job::Entity::find()
        .select_only()
        .columns([job::Column::Queue, job::Column::State])
        .column_as(job::Column::Id.count(), "count")
        .group_by(job::Column::Queue)
        .group_by(job::Column::State)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(queue, state, count)| ((queue, state.name()), count))
        .collect())
}

/// How many jobs are not over.
///
/// # Errors
/// Only the database's.
pub async fn open(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    job::Entity::find()
        .filter(job::Column::State.is_in([State::Ready, State::Running]))
        .count(db)
        .await
}

/// Removes up to `limit` jobs that have been over for longer than this; dead ones stay for four times as long, because
/// somebody may want to look at them. Gives how many.
///
/// # Errors
/// Only the database's.
pub async fn forget(tx: &DatabaseTransaction, after: Duration, limit: u64) -> Result<u64, DbErr> {
    let now = kernel::clock::now();
    let old = job::Column::FinishedAt.lt(now - after);
    let is_dead_for_long = job::Column::State
        .ne(State::Dead)
        .or_else(job::Column::FinishedAt.lt(now - after * 4));
    let doomed = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .filter(old)
        .filter(is_dead_for_long)
        .limit(limit);
    let ids: Vec<JobId> = doomed.into_tuple().all(tx).await?;
    let mut removed = 0;
    for some in ids.chunks(500) {
        let done = job::Entity::delete_many()
            .filter(job::Column::Id.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
        removed += done.rows_affected;
    }
    Ok(removed)
}

trait OrElse {
    fn or_else(self, other: Expr) -> Expr;
}

impl OrElse for Expr {
    fn or_else(self, other: Expr) -> Expr {
        sea_orm::sea_query::ExprTrait::or(self, other)
    }
}
