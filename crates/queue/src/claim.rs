//! Taking work: the next due job of a queue, for the time of a lease.

use crate::Priority;
use entity::job;
use kernel::clock;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, FromQueryResult, Statement};
use std::time::Duration;

/// A job that a worker has taken, until its lease ends.
pub type Claim = job::Model;

/// What takes a job in one statement. A running one whose lease has ended is due again: its worker is gone, or has lost
/// it. One that used up its attempts that way is taken too, so that somebody can bury it.
fn sql(backend: DbBackend) -> String {
    let skip = if backend == DbBackend::Postgres {
        "FOR UPDATE SKIP LOCKED"
    } else {
        ""
    };
    let next = |priority: Priority| {
        format!(
            "(SELECT id FROM jobs WHERE queue = $1 AND priority = {} AND state IN ('ready', 'running') AND due_at <= $2
              ORDER BY due_at LIMIT 1 {skip})",
            priority.rank()
        )
    };
    format!(
        "UPDATE jobs SET state = 'running', attempts = attempts + 1, due_at = $3, worker = $4, started_at = $5,
             unique_key = CASE WHEN keeps_key THEN unique_key END, progress = NULL, message = NULL
         WHERE id = COALESCE({}, {}, {}) RETURNING *",
        next(Priority::High),
        next(Priority::Normal),
        next(Priority::Low),
    )
}

/// Takes the next due job of a queue: high priority before normal before low, and the longest due first.
///
/// # Errors
/// Only the database's.
pub async fn claim(db: &DatabaseConnection, queue: &str, worker: &str, lease: Duration) -> Result<Option<Claim>, DbErr> {
    let backend = db.get_database_backend();
    let now = clock::now();
    let (now_ms, lease_ms) = (now.timestamp_millis(), i64::try_from(lease.as_millis()).unwrap_or(i64::MAX));
    let values = [
        queue.into(),
        now_ms.into(),
        now_ms.saturating_add(lease_ms).into(),
        worker.into(),
        now.into(),
    ];
    let row = db
        .query_one_raw(Statement::from_sql_and_values(backend, sql(backend), values))
        .await?;
    row.map(|row| job::Model::from_query_result(&row, "")).transpose()
}

/// In how many milliseconds the next job of a queue is due; none when nothing waits. Asks each priority for its first one,
/// so that it costs the same however many wait.
///
/// # Errors
/// Only the database's.
pub async fn next_due_ms(db: &impl ConnectionTrait, queue: &str) -> Result<Option<i64>, DbErr> {
    let first = |priority: Priority| {
        format!(
            "SELECT * FROM (SELECT due_at FROM jobs WHERE queue = $1 AND priority = {} AND state IN ('ready', 'running')
                 ORDER BY due_at LIMIT 1) AS of_{}",
            priority.rank(),
            priority.rank()
        )
    };
    let all = [Priority::High, Priority::Normal, Priority::Low].map(first).join(" UNION ALL ");
    let sql = format!("SELECT MIN(due_at) AS due FROM ({all}) AS firsts");
    let sql = Statement::from_sql_and_values(db.get_database_backend(), sql, [queue.into()]);
    let due: Option<i64> = db.query_one_raw(sql).await?.map_or(Ok(None), |row| row.try_get("", "due"))?;
    Ok(due.map(|due| std::cmp::max(due - clock::now_ms(), 0)))
}
