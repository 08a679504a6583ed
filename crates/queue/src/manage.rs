//! What people do to jobs: cancel them, and let dead ones try again.

use crate::{Error, finish::told};
use entity::job::{self, State};
use kernel::clock;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::Expr};

/// Cancels a job: one that waits is over at once; one that runs is asked to stop, and may still be done before it hears
/// of it.
///
/// # Errors
/// [`Error::Over`].
pub async fn cancel(tx: &DatabaseTransaction, job: &job::Model) -> Result<job::Model, Error> {
    let waiting = job::Entity::update_many()
        .col_expr(job::Column::State, Expr::value(State::Cancelled))
        .col_expr(job::Column::CancelRequested, Expr::value(true))
        .col_expr(job::Column::FinishedAt, Expr::value(clock::now()))
        .filter(job::Column::Id.eq(job.id))
        .filter(job::Column::State.eq(State::Ready))
        .exec(tx)
        .await?;
    if !told(tx, job, State::Cancelled, waiting.rows_affected).await? {
        let running = job::Entity::update_many()
            .col_expr(job::Column::CancelRequested, Expr::value(true))
            .filter(job::Column::Id.eq(job.id))
            .filter(job::Column::State.eq(State::Running))
            .exec(tx)
            .await?;
        if running.rows_affected == 0 {
            return Err(Error::Over);
        }
    }
    crate::list::find(tx, job.id).await
}

/// Attempts that a job gets when it is let try again. Their count goes on, because an attempt's number is what tells it
/// from one that somebody still holds for their own.
const AGAIN: i32 = 10;

/// Lets a job that is dead or cancelled try again, at once.
///
/// # Errors
/// [`Error::NotOver`] for one that waits, runs, or is done.
pub async fn retry(tx: &DatabaseTransaction, job: &job::Model) -> Result<job::Model, Error> {
    let again = job::Entity::update_many()
        .col_expr(job::Column::State, Expr::value(State::Ready))
        .col_expr(job::Column::MaxAttempts, Expr::value(job.attempts + AGAIN))
        .col_expr(job::Column::CancelRequested, Expr::value(false))
        .col_expr(job::Column::DueAt, Expr::value(clock::now_ms()))
        .col_expr(job::Column::FinishedAt, Expr::value(Option::<clock::Time>::None))
        .filter(job::Column::Id.eq(job.id))
        .filter(job::Column::State.is_in([State::Dead, State::Cancelled]))
        .exec(tx)
        .await?;
    if again.rows_affected == 0 {
        return Err(Error::NotOver);
    }
    crate::list::find(tx, job.id).await
}
