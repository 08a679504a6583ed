//! Activity reports of a workspace: made of the event log, kept, and who wants them by mail.

mod figures;

pub use figures::{Day, Figures, Page, Person, Totals, figures};

use crate::{
    Error,
    access::{Access, Allows, ReadReports},
};
use chrono::{Datelike, Days, NaiveTime};
use entity::{event, member, report, report_subscription, user, workspace};
use events::{By, Change};
use kernel::{
    clock::{self, Time},
    id::*,
    role::Role,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, Iterable, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, SqlErr,
    sea_query::{Expr, ExprTrait, OnConflict},
};

/// The most reports that are listed at once.
const MAX_LIMIT: u64 = 200;

/// Keeps a report and says so in the log, in the caller's transaction. None when there is one of this period already: the
/// first stands.
///
/// # Errors
/// Only the database's.
pub async fn keep(
    tx: &impl ConnectionTrait,
    workspace: WorkspaceId,
    starts_at: Time,
    ends_at: Time,
    figures: &Figures,
) -> Result<Option<ReportId>, DbErr> {
    let id = ReportId::new();
    let row = report::Model {
        id,
        workspace_id: workspace,
        starts_at,
        ends_at,
        data: serde_json::to_string(figures).map_err(|error| DbErr::Json(error.to_string()))?,
        created_at: clock::now(),
    };
    let same_period = [report::Column::WorkspaceId, report::Column::StartsAt, report::Column::EndsAt];
    let made = report::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::columns(same_period).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if made == 0 {
        return Ok(None);
    }
    let by = By {
        workspace: Some(workspace),
        user: None,
    };
    events::append(tx, by, Change::ReportCreated { report: id }).await?;
    Ok(Some(id))
}

/// The workspace's reports, newest first, behind one of them.
///
/// # Errors
/// Only the database's.
pub async fn list(
    db: &impl ConnectionTrait,
    access: &Access<ReadReports>,
    after: Option<ReportId>,
    limit: u64,
) -> Result<Vec<report::Model>, DbErr> {
    let mut reports = report::Entity::find().filter(report::Column::WorkspaceId.eq(access.workspace()));
    if let Some(after) = after {
        reports = reports.filter(report::Column::Id.lt(after));
    }
    reports
        .order_by_desc(report::Column::Id)
        .limit(limit.clamp(1, MAX_LIMIT))
        .all(db)
        .await
}

/// One report.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, access: &Access<ReadReports>, id: ReportId) -> Result<report::Model, Error> {
    report::Entity::find_by_id(id)
        .filter(report::Column::WorkspaceId.eq(access.workspace()))
        .one(db)
        .await?
        .ok_or(Error::NotFound)
}

/// Sends the caller the workspace's reports by mail from now on. Asking again is no harm.
///
/// # Errors
/// [`Error::NotFound`] for whoever was removed since the door was passed.
pub async fn subscribe(tx: &impl ConnectionTrait, access: &Access<ReadReports>) -> Result<(), Error> {
    let row = report_subscription::Model {
        workspace_id: access.workspace(),
        user_id: access.user(),
        created_at: clock::now(),
    };
    let same = [report_subscription::Column::WorkspaceId, report_subscription::Column::UserId];
    report_subscription::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::columns(same).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await
        .map_err(|error| match error.sql_err() {
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Error::NotFound,
            _ => Error::Db(error),
        })?;
    Ok(())
}

/// Sends the caller no more reports. Asking again is no harm.
///
/// # Errors
/// Only the database's.
pub async fn unsubscribe(tx: &impl ConnectionTrait, access: &Access<ReadReports>) -> Result<(), DbErr> {
    let gone = report_subscription::Entity::delete_by_id((access.workspace(), access.user()))
        .exec(tx)
        .await;
    gone.map(drop)
}

/// Whether the caller gets the reports by mail.
///
/// # Errors
/// Only the database's.
pub async fn is_subscribed(db: &impl ConnectionTrait, access: &Access<ReadReports>) -> Result<bool, DbErr> {
    let own = report_subscription::Entity::find_by_id((access.workspace(), access.user()));
    Ok(own.count(db).await? > 0)
}

/// Who gets the workspace's reports by mail: those who asked, while they may read reports and their account is open. No
/// proof is asked for: the worker calls it.
///
/// # Errors
/// Only the database's.
pub async fn subscribers(db: &impl ConnectionTrait, workspace: WorkspaceId) -> Result<Vec<user::Model>, DbErr> {
    let asked = report_subscription::Entity::find()
        .select_only()
        .column(report_subscription::Column::UserId)
        .filter(report_subscription::Column::WorkspaceId.eq(workspace))
        .into_query();
    let allowed = member::Entity::find()
        .select_only()
        .column(member::Column::UserId)
        .filter(member::Column::WorkspaceId.eq(workspace))
        .filter(member::Column::Role.is_in(Role::iter().filter(|role| *role >= ReadReports::ROLE)))
        .into_query();
    user::Entity::find()
        .filter(user::Column::Id.in_subquery(asked))
        .filter(user::Column::Id.in_subquery(allowed))
        .filter(user::Column::DeletedAt.is_null())
        .order_by_asc(user::Column::Id)
        .all(db)
        .await
}

/// The last full week, from Monday to Monday, 00:00 UTC.
pub fn last_week(now: Time) -> (Time, Time) {
    let today = now.date_naive();
    let monday = today - Days::new(today.weekday().num_days_from_monday().into());
    let ends_at = monday.and_time(NaiveTime::MIN).and_utc();
    (ends_at - Days::new(7), ends_at)
}

/// Living workspaces in which people did something in a period, in the order of their ids, behind one of them. A report
/// that was made is nothing that people did, so that a workspace that fell asleep gets no more of them. No proof is
/// asked for: the worker calls it.
///
/// # Errors
/// Only the database's.
pub async fn active_workspaces(
    db: &impl ConnectionTrait,
    starts_at: Time,
    ends_at: Time,
    after: Option<WorkspaceId>,
    limit: u64,
) -> Result<Vec<WorkspaceId>, DbErr> {
    let here = Expr::col((event::Entity, event::Column::WorkspaceId)).equals((workspace::Entity, workspace::Column::Id));
    let something = event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .filter(here)
        .filter(figures::counts(starts_at, ends_at))
        .into_query();
    let mut workspaces = workspace::Entity::find()
        .select_only()
        .column(workspace::Column::Id)
        .filter(workspace::Column::DeletedAt.is_null())
        .filter(Expr::exists(something));
    if let Some(after) = after {
        workspaces = workspaces.filter(workspace::Column::Id.gt(after));
    }
    workspaces
        .order_by_asc(workspace::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}
