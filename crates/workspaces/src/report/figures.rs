//! The figures of a report, counted by the database.

use crate::activity;
use chrono::NaiveDate;
use entity::{document, event, member, user};
use kernel::{clock::Time, id::*};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, JoinType, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// How many of the busiest people and pages are named.
const TOP: u64 = 10;

/// How many days of a period are listed; a report is of a week, and nobody looks at ten years day by day.
const MAX_DAYS: usize = 3660;

/// What people did in a workspace in a period, in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Things that people did.
    pub events: i64,
    /// People who did something.
    pub active_people: i64,
    /// Pages made.
    pub documents_created: i64,
    /// How often a page was told to have been edited.
    pub documents_edited: i64,
    /// Pages put in the trash.
    pub documents_trashed: i64,
    /// Members who came.
    pub members_added: i64,
    /// Members who left or were removed.
    pub members_removed: i64,
    /// Every day of the period, in order.
    pub per_day: Vec<Day>,
    /// Who did most.
    pub people: Vec<Person>,
    /// The pages that most was done with; only those that are still there.
    pub documents: Vec<Page>,
    /// How large the workspace was when this was counted.
    pub totals: Totals,
}

/// One day (UTC).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// `2026-11-20`.
    pub date: String,
    /// Things that people did.
    pub events: i64,
    /// People who did something.
    pub active_people: i64,
}

/// Somebody who did much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Their account.
    pub user_id: UserId,
    /// Their name when this was counted.
    pub display_name: String,
    /// Things they did.
    pub events: i64,
}

/// A page that much was done with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The page.
    pub document_id: DocumentId,
    /// Its title when this was counted.
    pub title: String,
    /// Things done with it.
    pub events: i64,
}

/// How large a workspace is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Its members.
    pub members: i64,
    /// Its pages, without those in the trash.
    pub documents: i64,
}

/// Counts what people did in a period. No proof is asked for: the worker calls it, and what comes out may be shown to
/// those alone who may read reports.
///
/// # Errors
/// Only the database's.
pub async fn figures(db: &impl ConnectionTrait, workspace: WorkspaceId, starts_at: Time, ends_at: Time) -> Result<Figures, DbErr> {
    let period = Period {
        workspace,
        starts_at,
        ends_at,
    };
    let kinds = period.kinds(db).await?;
    let count = |kind: &str| kinds.get(kind).copied().unwrap_or(0);
    Ok(Figures {
        events: kinds.values().sum(),
        active_people: period.active_people(db).await?,
        documents_created: count("document.created"),
        documents_edited: count("document.edited"),
        documents_trashed: count("document.trashed"),
        members_added: count("member.added"),
        members_removed: count("member.removed"),
        per_day: period.days(db).await?,
        people: period.people(db).await?,
        documents: period.documents(db).await?,
        totals: totals(db, workspace).await?,
    })
}

/// What is counted: things of this time that people did, and that are not for the audit log alone.
pub(super) fn counts(starts_at: Time, ends_at: Time) -> Condition {
    Condition::all()
        .add(event::Column::UserId.is_not_null())
        .add(event::Column::CreatedAt.gte(starts_at))
        .add(event::Column::CreatedAt.lt(ends_at))
        .add(event::Column::Kind.is_in(activity::kinds().iter().copied()))
}

/// A workspace in a period.
struct Period {
    workspace: WorkspaceId,
    starts_at: Time,
    ends_at: Time,
}

impl Period {
    fn events(&self) -> Select<event::Entity> {
        event::Entity::find()
            .select_only()
            .filter(event::Column::WorkspaceId.eq(self.workspace))
            .filter(counts(self.starts_at, self.ends_at))
    }

    async fn kinds(&self, db: &impl ConnectionTrait) -> Result<HashMap<String, i64>, DbErr> {
        let events = self.events().column(event::Column::Kind).expr_as(number(), "number");
        let rows: Vec<(String, i64)> = events.group_by(event::Column::Kind).into_tuple().all(db).await?;
        Ok(rows.into_iter().collect())
    }

    async fn active_people(&self, db: &impl ConnectionTrait) -> Result<i64, DbErr> {
        let count: Option<i64> = self.events().expr_as(people(), "people").into_tuple().one(db).await?;
        Ok(count.unwrap_or(0))
    }

    /// Every day, also those on which nothing happened.
    async fn days(&self, db: &impl ConnectionTrait) -> Result<Vec<Day>, DbErr> {
        let day = day(db.get_database_backend());
        let events = self
            .events()
            .expr_as(day.clone(), "day")
            .expr_as(number(), "number")
            .expr_as(people(), "people");
        let rows: Vec<(String, i64, i64)> = events.group_by(day).into_tuple().all(db).await?;
        let mut counted: HashMap<String, (i64, i64)> = rows.into_iter().map(|(date, events, people)| (date, (events, people))).collect();
        let days = self.dates().map(|date| {
            let date = date.format("%Y-%m-%d").to_string();
            let (events, active_people) = counted.remove(&date).unwrap_or_default();
            Day {
                date,
                events,
                active_people,
            }
        });
        Ok(days.collect())
    }

    fn dates(&self) -> impl Iterator<Item = NaiveDate> {
        let ends_at = self.ends_at;
        let days = self.starts_at.date_naive().iter_days();
        days.take_while(move |date| date.and_time(chrono::NaiveTime::MIN).and_utc() < ends_at)
            .take(MAX_DAYS)
    }

    async fn people(&self, db: &impl ConnectionTrait) -> Result<Vec<Person>, DbErr> {
        let accounts = event::Entity::belongs_to(user::Entity)
            .from(event::Column::UserId)
            .to(user::Column::Id)
            .into();
        let rows: Vec<(UserId, String, i64)> = self
            .events()
            .join(JoinType::InnerJoin, accounts)
            .columns([user::Column::Id, user::Column::DisplayName])
            .expr_as(number(), "number")
            .group_by(user::Column::Id)
            .group_by(user::Column::DisplayName)
            .order_by(number(), Order::Desc)
            .order_by_asc(user::Column::Id)
            .limit(TOP)
            .into_tuple()
            .all(db)
            .await?;
        let people = rows.into_iter().map(|(user_id, display_name, events)| Person {
            user_id,
            display_name,
            events,
        });
        Ok(people.collect())
    }

    async fn documents(&self, db: &impl ConnectionTrait) -> Result<Vec<Page>, DbErr> {
        let pages = event::Entity::belongs_to(document::Entity)
            .from(event::Column::SubjectId)
            .to(document::Column::Id)
            .into();
        let rows: Vec<(DocumentId, String, i64)> = self
            .events()
            .filter(event::Column::Kind.starts_with("document."))
            .join(JoinType::InnerJoin, pages)
            .filter(document::Column::WorkspaceId.eq(self.workspace))
            .columns([document::Column::Id, document::Column::Title])
            .expr_as(number(), "number")
            .group_by(document::Column::Id)
            .group_by(document::Column::Title)
            .order_by(number(), Order::Desc)
            .order_by_asc(document::Column::Id)
            .limit(TOP)
            .into_tuple()
            .all(db)
            .await?;
        let pages = rows.into_iter().map(|(document_id, title, events)| Page {
            document_id,
            title,
            events,
        });
        Ok(pages.collect())
    }
}

fn number() -> Expr {
    event::Column::Id.count()
}

fn people() -> Expr {
    Expr::col((event::Entity, event::Column::UserId)).count_distinct()
}

/// The day (UTC) of an event, as `2026-11-20`. SQLite keeps times as text that begins with it.
fn day(backend: DbBackend) -> Expr {
    Expr::cust(match backend {
        DbBackend::Postgres => "to_char(events.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
        _ => "substr(events.created_at, 1, 10)",
    })
}

async fn totals(db: &impl ConnectionTrait, workspace: WorkspaceId) -> Result<Totals, DbErr> {
    let members = member::Entity::find().filter(member::Column::WorkspaceId.eq(workspace));
    let documents = document::Entity::find()
        .filter(document::Column::WorkspaceId.eq(workspace))
        .filter(document::Column::DeletedAt.is_null());
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(Totals {
        members: whole(members.count(db).await?),
        documents: whole(documents.count(db).await?),
    })
}
