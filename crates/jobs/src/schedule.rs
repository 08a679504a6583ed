//! What happens at its time: a plan in cron's words for each, and a job that is enqueued when it is due.
//!
//! The last time that a schedule fired stands in the database and is moved on in the transaction that enqueues the job. So
//! it fires once however many workers look, survives restarts, and after an outage catches up once, not once for every
//! time it missed.

use crate::{
    Job, Parts, Queue,
    kinds::{
        ArchivePages, CompactPages, EraseAccounts, ForgetImports, ForgetJobs, IndexPages, KeepEvents, MakeReports, MakeVersions,
        PurgeExports, PurgeFiles, PurgeLocks, PurgePages, PurgeSessions, PurgeTokens, PurgeVersions, PurgeWorkspaces, SealEvents,
        SnapshotPages,
    },
};
use backends::{db, signal::Signal};
use cron::Schedule as Plan;
use entity::schedule;
use kernel::clock::{self, Time};
use queue::{NewJob, Unique};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use std::{str::FromStr, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_secs(5);

/// Something that happens again and again.
pub struct Schedule {
    /// Its name.
    pub name: &'static str,
    /// When, in UTC: second, minute, hour, day of the month, month, day of the week.
    pub plan: &'static str,
    /// What is enqueued for a time of the plan.
    pub job: fn(Time) -> Result<NewJob, queue::Error>,
}

/// Everything that happens by itself. Another one is one more line.
pub const SCHEDULES: &[Schedule] = &[
    Schedule {
        name: "purge_locks",
        plan: "15 * * * * *",
        job: |_| PurgeLocks {}.job(),
    },
    Schedule {
        name: "purge_sessions",
        plan: "0 */5 * * * *",
        job: |_| PurgeSessions {}.job(),
    },
    Schedule {
        name: "erase_accounts",
        plan: "0 23 * * * *",
        job: |_| EraseAccounts {}.job(),
    },
    Schedule {
        name: "purge_exports",
        plan: "0 50 * * * *",
        job: |_| PurgeExports {}.job(),
    },
    Schedule {
        name: "purge_tokens",
        plan: "0 20 * * * *",
        job: |_| PurgeTokens {}.job(),
    },
    Schedule {
        name: "purge_workspaces",
        plan: "0 40 * * * *",
        job: |_| PurgeWorkspaces {}.job(),
    },
    Schedule {
        name: "purge_files",
        plan: "0 45 3 * * *",
        job: |_| PurgeFiles {}.job(),
    },
    Schedule {
        name: "purge_pages",
        plan: "0 10 2 * * *",
        job: |_| PurgePages {}.job(),
    },
    Schedule {
        name: "archive_pages",
        plan: "0 40 2 * * *",
        job: |_| ArchivePages {}.job(),
    },
    Schedule {
        name: "forget_imports",
        plan: "0 50 * * * *",
        job: |_| ForgetImports {}.job(),
    },
    Schedule {
        name: "snapshot_pages",
        plan: "30 * * * * *",
        job: |_| SnapshotPages {}.job(),
    },
    Schedule {
        name: "compact_pages",
        plan: "0 17 * * * *",
        job: |_| CompactPages {}.job(),
    },
    Schedule {
        name: "index_pages",
        plan: "10 * * * * *",
        job: |_| IndexPages {}.job(),
    },
    Schedule {
        name: "make_versions",
        plan: "45 * * * * *",
        job: |_| MakeVersions {}.job(),
    },
    Schedule {
        name: "purge_versions",
        plan: "0 0 3 * * *",
        job: |tick| PurgeVersions { tick }.job(),
    },
    Schedule {
        name: "make_reports",
        plan: "0 0 6 * * Mon",
        job: |tick| MakeReports { tick }.job(),
    },
    Schedule {
        name: "seal_events",
        plan: "0 5 0 * * *",
        job: |_| SealEvents {}.job(),
    },
    Schedule {
        name: "keep_events",
        plan: "0 30 3 * * *",
        job: |_| KeepEvents {}.job(),
    },
    Schedule {
        name: "forget_jobs",
        plan: "0 15 4 * * *",
        job: |_| ForgetJobs {}.job(),
    },
];

/// Fires what is due, until `stop` is cancelled.
pub(crate) async fn keep(parts: &Parts, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match fire(parts, SCHEDULES, clock::now()).await {
            Ok(fired) if fired.is_empty() => {}
            Ok(fired) => tracing::debug!(?fired, "schedules fired"),
            Err(error) => tracing::warn!(%error, "cannot look at the schedules; trying again"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Enqueues the jobs of all schedules that are due at an instant. Gives the names of those that this call fired.
///
/// # Errors
/// The database's, or that a plan cannot be read.
pub async fn fire(parts: &Parts, schedules: &[Schedule], now: Time) -> Result<Vec<&'static str>, queue::Error> {
    let rows = schedule::Entity::find().all(&parts.db).await?;
    let mut fired = Vec::new();
    for one in schedules {
        let last = rows.iter().find(|row| row.name == one.name).map(|row| row.last_tick_at);
        let Some(last) = last else {
            begin(&parts.db, one.name, now).await?;
            continue;
        };
        let Some(tick) = latest(one.plan, last, now) else { continue };
        if db::write(&parts.db, async |tx: &DatabaseTransaction| move_on(tx, one, last, tick).await).await? {
            fired.push(one.name);
        }
    }
    if !fired.is_empty() {
        let queues = Queue::ALL.map(|queue| queue.name().to_owned()).to_vec();
        parts.signals.send(Signal::JobsDue { queues });
    }
    Ok(fired)
}

/// A schedule that is new counts from now on.
async fn begin(db: &impl ConnectionTrait, name: &str, now: Time) -> Result<(), sea_orm::DbErr> {
    let row = schedule::ActiveModel {
        name: Set(name.to_owned()),
        last_tick_at: Set(now),
    };
    schedule::Entity::insert(row)
        .on_conflict(OnConflict::column(schedule::Column::Name).do_nothing().to_owned())
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// The last time of a plan in a span, its end included.
fn latest(plan: &str, after: Time, until: Time) -> Option<Time> {
    let plan = Plan::from_str(plan).ok()?;
    let mut times = plan.after(&after).take_while(|tick| *tick <= until);
    let first = times.next()?;
    // After a long outage: not every time that was missed, only the last.
    let recent = plan.after_owned(until + chrono::Duration::milliseconds(1)).next_back();
    Some(recent.filter(|tick| *tick > after).unwrap_or(first))
}

async fn move_on(tx: &DatabaseTransaction, one: &Schedule, last: Time, tick: Time) -> Result<bool, queue::Error> {
    let moved = schedule::Entity::update_many()
        .col_expr(schedule::Column::LastTickAt, Expr::value(tick))
        .filter(schedule::Column::Name.eq(one.name))
        .filter(schedule::Column::LastTickAt.eq(last))
        .exec(tx)
        .await?;
    if moved.rows_affected == 0 {
        // Another worker was faster.
        return Ok(false);
    }
    let mut job = (one.job)(tick)?;
    job.unique = Unique::Once(format!("{}:{}", one.name, tick.timestamp()));
    Ok(queue::add(tx, job).await?.is_some())
}

#[cfg(test)]
mod tests;
