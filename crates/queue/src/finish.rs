//! The end of an attempt. All of it is fenced: `false` says that another attempt counts by now and nothing was written.

use crate::{Claim, lease::mine};
use entity::job::{self, State};
use events::{By, Change};
use kernel::clock;
use rand::RngExt;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, sea_query::Expr};
use std::time::Duration;

/// The first pause before another attempt; it doubles with every one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Why an attempt failed, and what that means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may go better later.
    Retry(String),
    /// It will never go better.
    Permanent(String),
    /// Somebody wanted it to stop, and it did.
    Cancelled,
    /// The same, and this came out until then.
    Stopped(String),
}

/// Writes down that a job is done, in the transaction of its effect where it has one.
///
/// # Errors
/// Only the database's.
pub async fn succeed(tx: &DatabaseTransaction, claim: &Claim, result: Option<String>) -> Result<bool, DbErr> {
    let done = mine(claim)
        .col_expr(job::Column::State, Expr::value(State::Done))
        .col_expr(job::Column::Progress, Expr::value(100))
        .col_expr(job::Column::Message, Expr::value(Option::<String>::None))
        .col_expr(job::Column::Result, Expr::value(result))
        .col_expr(job::Column::Error, Expr::value(Option::<String>::None))
        .col_expr(job::Column::FinishedAt, Expr::value(clock::now()))
        .exec(tx)
        .await?;
    told(tx, claim, State::Done, done.rows_affected).await
}

/// Removes a job that is done, in the transaction of its effect: for what is done so often that a list of it helps nobody.
///
/// # Errors
/// Only the database's.
pub async fn vanish(tx: &DatabaseTransaction, claim: &Claim) -> Result<bool, DbErr> {
    let gone = job::Entity::delete_many()
        .filter(job::Column::Id.eq(claim.id))
        .filter(job::Column::State.eq(State::Running))
        .filter(job::Column::Attempts.eq(claim.attempts))
        .filter(job::Column::Worker.eq(claim.worker.clone()))
        .exec(tx)
        .await?;
    told(tx, claim, State::Done, gone.rows_affected).await
}

/// Writes down that an attempt failed: the job waits for the next one, or is dead, or cancelled.
///
/// # Errors
/// Only the database's.
pub async fn fail(tx: &DatabaseTransaction, claim: &Claim, failure: Failure) -> Result<bool, DbErr> {
    let (state, error, result) = match failure {
        Failure::Retry(error) if claim.attempts < claim.max_attempts => return later(tx, claim, error).await,
        Failure::Retry(error) | Failure::Permanent(error) => (State::Dead, Some(cut(error)), None),
        Failure::Cancelled => (State::Cancelled, None, None),
        Failure::Stopped(result) => (State::Cancelled, None, Some(result)),
    };
    let done = mine(claim)
        .col_expr(job::Column::State, Expr::value(state))
        .col_expr(job::Column::Error, Expr::value(error))
        .col_expr(job::Column::Result, Expr::value(result))
        .col_expr(job::Column::FinishedAt, Expr::value(clock::now()))
        .exec(tx)
        .await?;
    told(tx, claim, state, done.rows_affected).await
}

async fn later(tx: &impl ConnectionTrait, claim: &Claim, error: String) -> Result<bool, DbErr> {
    let pause = i64::try_from(pause(claim.attempts).as_millis()).unwrap_or(i64::MAX);
    let done = mine(claim)
        .col_expr(job::Column::State, Expr::value(State::Ready))
        .col_expr(job::Column::Error, Expr::value(cut(error)))
        .col_expr(job::Column::DueAt, Expr::value(clock::now_ms().saturating_add(pause)))
        .exec(tx)
        .await?;
    Ok(done.rows_affected > 0)
}

/// Exponential, with jitter of a half each way so that what failed together does not come back together.
pub fn pause(attempts: i32) -> Duration {
    let doubled = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    let full = std::cmp::min(FIRST_PAUSE * 2_u32.pow(doubled), LONGEST_PAUSE);
    full.mul_f64(rand::rng().random_range(0.5..1.5))
}

/// Errors are for people who look into a list.
fn cut(error: String) -> String {
    error.chars().filter(|c| !c.is_control()).take(2000).collect()
}

/// What somebody asked for, they are told the end of.
pub(crate) async fn told(tx: &impl ConnectionTrait, job: &job::Model, state: State, rows: u64) -> Result<bool, DbErr> {
    if rows == 0 {
        return Ok(false);
    }
    let Some(user) = job.user_id else { return Ok(true) };
    let (id, kind) = (job.id, job.kind.clone());
    let change = match state {
        State::Done => Change::JobSucceeded { job: id, kind },
        State::Cancelled => Change::JobCancelled { job: id, kind },
        State::Dead | State::Ready | State::Running => Change::JobFailed { job: id, kind },
    };
    let by = By {
        workspace: job.workspace_id,
        user: Some(user),
    };
    events::append(tx, by, change).await?;
    Ok(true)
}
