//! Which versions that nobody named are kept for how long: all of them at first, then the last of each day, of each week,
//! and in the end of each month. What has a name stays for ever. See decision 15.
//!
//! A version is looked at three times in its life, each time together with all others of its day, week or month, so a
//! night's work grows with what was made, not with what is kept.

use super::making::before;
use entity::document_version;
use kernel::{clock::Time, id::*};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, Statement, sea_query::Expr};
use std::{collections::HashMap, time::Duration};

/// Pages that are looked for at once.
const AT_ONCE: i64 = 200;
/// Rows that one statement names.
const ROWS: usize = 500;

/// How long versions are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// All of them.
    pub all: Duration,
    /// The last of each day.
    pub daily: Duration,
    /// The last of each week; after that the last of each month, for ever.
    pub weekly: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        Self {
            all: days(7),
            daily: days(90),
            weekly: days(365),
        }
    }
}

/// A span of time of which one version is kept. Its number says how often a version has been spared before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Day,
    Week,
    Month,
}

impl Span {
    const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    fn spared(self) -> i16 {
        self as i16
    }

    /// The format in which two times of one span read the same.
    fn format(self) -> &'static str {
        match self {
            Self::Day => "%Y-%m-%d",
            Self::Week => "%G-%V",
            Self::Month => "%Y-%m",
        }
    }

    fn of(self, at: Time) -> String {
        at.format(self.format()).to_string()
    }

    /// Before this, spans are over and old enough: the last instant of the past that is not in the same span as the limit.
    fn cutoff(self, retention: &Retention, now: Time) -> Time {
        let age = match self {
            Self::Day => retention.all,
            Self::Week => retention.daily,
            Self::Month => retention.weekly,
        };
        let limit = before(now, age);
        let mut start = limit.date_naive();
        while let Some(day) = start.pred_opt().filter(|day| self.of(midnight(*day)) == self.of(limit)) {
            start = day;
        }
        midnight(start)
    }
}

fn midnight(day: chrono::NaiveDate) -> Time {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

/// Pages with versions to be thinned out; to be asked again until there are none.
///
/// # Errors
/// Only the database's.
pub async fn thinnable(db: &impl ConnectionTrait, retention: &Retention, now: Time) -> Result<Vec<DocumentId>, DbErr> {
    let mut pages = Vec::new();
    for span in Span::ALL {
        // The number is written out, so that the partial index is seen to hold what is asked for.
        let sql = format!(
            "SELECT DISTINCT document_id FROM document_versions
              WHERE name IS NULL AND thinned < 3 AND thinned = {} AND edited_at < $1 LIMIT {AT_ONCE}",
            span.spared()
        );
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [span.cutoff(retention, now).into()]);
        for row in db.query_all_raw(statement).await? {
            let id: DocumentId = row.try_get("", "document_id")?;
            if !pages.contains(&id) {
                pages.push(id);
            }
        }
    }
    Ok(pages)
}

/// Thins out the versions of a page: of each span that is over, the last is kept. Gives how many went. Can be repeated.
///
/// # Errors
/// Only the database's.
pub async fn thin(tx: &DatabaseTransaction, document: DocumentId, retention: &Retention, now: Time) -> Result<u64, DbErr> {
    use document_version::Column;
    let mut gone = 0;
    for span in Span::ALL {
        let rows = document_version::Entity::find()
            .filter(Column::DocumentId.eq(document))
            .filter(Column::Name.is_null())
            .filter(Column::Thinned.eq(span.spared()))
            .filter(Column::EditedAt.lt(span.cutoff(retention, now)))
            .order_by_asc(Column::EditedAt)
            .order_by_asc(Column::Id)
            .all(tx)
            .await?;
        let last: HashMap<String, VersionId> = rows.iter().map(|row| (span.of(row.edited_at), row.id)).collect();
        let (kept, doomed): (Vec<VersionId>, Vec<VersionId>) =
            rows.iter().map(|row| row.id).partition(|id| last.values().any(|last| last == id));
        for some in doomed.chunks(ROWS) {
            let deleted = document_version::Entity::delete_many().filter(Column::Id.is_in(some.iter().copied()));
            gone += deleted.exec(tx).await?.rows_affected;
        }
        for some in kept.chunks(ROWS) {
            document_version::Entity::update_many()
                .col_expr(Column::Thinned, Expr::value(span.spared() + 1))
                .filter(Column::Id.is_in(some.iter().copied()))
                .exec(tx)
                .await?;
        }
    }
    Ok(gone)
}

#[cfg(test)]
mod tests;
