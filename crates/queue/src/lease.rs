//! Keeping a job while working at it, and saying how far it is. The attempt's number fences: whoever has lost the lease
//! writes nothing any more.

use crate::Claim;
use entity::job::{self, State};
use kernel::clock;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Select, UpdateMany, sea_query::Expr};
use std::time::Duration;

/// What a worker learns when it reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Go on.
    Yes,
    /// Somebody wants it to stop.
    CancelRequested,
    /// Another worker has it by now: whatever comes out here counts for nothing.
    Lost,
}

/// The job, as long as this attempt is the one that counts.
pub(crate) fn mine(claim: &Claim) -> UpdateMany<job::Entity> {
    job::Entity::update_many()
        .filter(job::Column::Id.eq(claim.id))
        .filter(job::Column::State.eq(State::Running))
        .filter(job::Column::Attempts.eq(claim.attempts))
        .filter(job::Column::Worker.eq(claim.worker.clone()))
}

fn seen(claim: &Claim) -> Select<job::Entity> {
    job::Entity::find_by_id(claim.id)
        .filter(job::Column::State.eq(State::Running))
        .filter(job::Column::Attempts.eq(claim.attempts))
        .filter(job::Column::Worker.eq(claim.worker.clone()))
}

/// Lets the lease last from now on as long as it did.
///
/// # Errors
/// Only the database's.
pub async fn renew(db: &impl ConnectionTrait, claim: &Claim, lease: Duration) -> Result<Held, DbErr> {
    let until = clock::now_ms().saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX));
    mine(claim).col_expr(job::Column::DueAt, Expr::value(until)).exec(db).await?;
    held(db, claim).await
}

/// Says how far it is: 0 to 100, and what it is doing.
///
/// # Errors
/// Only the database's.
pub async fn progress(db: &impl ConnectionTrait, claim: &Claim, percent: u8, message: &str) -> Result<Held, DbErr> {
    let message: String = message.chars().take(500).collect();
    mine(claim)
        .col_expr(job::Column::Progress, Expr::value(i32::from(percent.min(100))))
        .col_expr(job::Column::Message, Expr::value(message))
        .exec(db)
        .await?;
    held(db, claim).await
}

/// How the lease stands.
///
/// # Errors
/// Only the database's.
pub async fn held(db: &impl ConnectionTrait, claim: &Claim) -> Result<Held, DbErr> {
    Ok(match seen(claim).one(db).await? {
        None => Held::Lost,
        Some(row) if row.cancel_requested => Held::CancelRequested,
        Some(_) => Held::Yes,
    })
}

/// Gives a job back that was taken but not begun, as if it had never been taken.
///
/// # Errors
/// Only the database's.
pub async fn give_back(db: &impl ConnectionTrait, claim: &Claim) -> Result<(), DbErr> {
    mine(claim)
        .col_expr(job::Column::State, Expr::value(State::Ready))
        .col_expr(job::Column::Attempts, Expr::value(claim.attempts - 1))
        .col_expr(job::Column::DueAt, Expr::value(clock::now_ms()))
        .exec(db)
        .await
        .map(drop)
}
