//! The months of the log on PostgreSQL: one partition each, made ahead of time and dropped as a whole. SQLite has none.

use chrono::{Datelike, Months, NaiveDate};
use kernel::clock::Time;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};

/// Partitions that are made ahead: this month and as many after it.
const AHEAD: u32 = 2;

/// The first day of the month that an instant lies in.
pub(crate) fn month_of(at: Time) -> NaiveDate {
    at.date_naive().with_day(1).unwrap_or_else(|| at.date_naive())
}

fn name(month: NaiveDate) -> String {
    format!("events_{:04}_{:02}", month.year(), month.month())
}

fn parse(name: &str) -> Option<NaiveDate> {
    let (year, month) = name.strip_prefix("events_")?.split_once('_')?;
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)
}

/// Makes the partitions of this month and the next two. Entries that already lie in `events_rest` stay there, so a month
/// of which there are some gets none.
///
/// # Errors
/// Only the database's.
pub async fn ensure(db: &DatabaseTransaction, now: Time) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    crate::relay::lock(db).await?;
    for ahead in 0..=AHEAD {
        let month = month_of(now) + Months::new(ahead);
        let next = month + Months::new(1);
        let rest = Statement::from_string(
            DbBackend::Postgres,
            format!(
                "SELECT to_regclass('{}') IS NULL AND NOT EXISTS (SELECT 1 FROM events_rest WHERE created_at >= '{month} 00:00:00+00' AND created_at < '{next} 00:00:00+00') AS missing",
                name(month)
            ),
        );
        let missing: bool = db.query_one_raw(rest).await?.map_or(Ok(false), |row| row.try_get("", "missing"))?;
        if missing {
            let sql = format!(
                "CREATE TABLE IF NOT EXISTS {} PARTITION OF events FOR VALUES FROM ('{month} 00:00:00+00') TO ('{next} 00:00:00+00')",
                name(month)
            );
            db.execute_unprepared(&sql).await?;
        }
    }
    Ok(())
}

/// The months whose partitions are there.
pub(crate) async fn months(db: &impl ConnectionTrait) -> Result<Vec<NaiveDate>, DbErr> {
    let sql = Statement::from_string(
        DbBackend::Postgres,
        "SELECT relid::regclass::text AS name FROM pg_partition_tree('events') WHERE isleaf",
    );
    let mut months = Vec::new();
    for row in db.query_all_raw(sql).await? {
        let name: String = row.try_get("", "name")?;
        // In a schema of its own the name comes with it.
        months.extend(parse(name.rsplit('.').next().unwrap_or_default()));
    }
    months.sort_unstable();
    Ok(months)
}

/// Removes a month with everything in it.
pub(crate) async fn remove(db: &impl ConnectionTrait, month: NaiveDate) -> Result<(), DbErr> {
    db.execute_unprepared(&format!("DROP TABLE IF EXISTS {}", name(month)))
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_month_reads_back() {
        let month = NaiveDate::from_ymd_opt(2026, 2, 1).unwrap();
        assert_eq!(parse(&name(month)), Some(month));
        for other in ["events_rest", "events", "events_2026", "events_2026_13", "jobs_2026_01"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
