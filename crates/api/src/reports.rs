//! Activity reports and usage analytics of workspaces.

use crate::{
    extract::{At, Can, Named, Query},
    jobs::{Job as JobShape, accepted},
    json::Json,
    page::{Listing, Paging, cursor},
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, delete, get, post, put, web::Data};
use backends::signal::Signal;
use chrono::Duration;
use entity::report;
use jobs::{Job, kinds::MakeReport};
use kernel::{
    clock::{self, Time},
    error::Field,
    id::*,
};
use queue::{NewJob, list};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{access::ReadReports, report as reports};

/// The longest period of one report.
const LONGEST: Duration = Duration::days(400);

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_all)
        .service(make)
        .service(subscription)
        .service(subscribe)
        .service(unsubscribe)
        .service(read);
}

impl Named for ReportId {
    const NAME: &'static str = "report_id";
}

/// An activity report.
#[derive(Serialize, ToSchema)]
struct Report {
    /// The report's id.
    #[schema(value_type = uuid::Uuid)]
    id: ReportId,
    /// Where.
    #[schema(value_type = uuid::Uuid)]
    workspace_id: WorkspaceId,
    /// The first instant it counts.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Time,
    /// The first instant it does not count any more.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Time,
    /// What people did: `events`, `active_people`, `documents_created`, `documents_edited`, `documents_trashed`,
    /// `members_added`, `members_removed`, `per_day`, the ten busiest `people` and `documents`, and `totals`.
    #[schema(value_type = Object)]
    figures: Value,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
}

impl From<report::Model> for Report {
    fn from(row: report::Model) -> Self {
        Self {
            id: row.id,
            workspace_id: row.workspace_id,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            figures: serde_json::from_str(&row.data).unwrap_or(Value::Null),
            created_at: row.created_at,
        }
    }
}

/// The period of a report.
#[derive(Deserialize, ToSchema, Validate)]
struct Period {
    /// The first instant it counts.
    #[schema(value_type = String, format = DateTime, example = "2026-11-09T00:00:00Z")]
    starts_at: Time,
    /// The first instant it does not count any more; at most 400 days later, and not in the future.
    #[schema(value_type = String, format = DateTime, example = "2026-11-16T00:00:00Z")]
    ends_at: Time,
}

impl Period {
    fn check(&self) -> Result<(), ApiError> {
        let why = if self.ends_at <= self.starts_at {
            "is not after starts_at"
        } else if self.ends_at - self.starts_at > LONGEST {
            "is more than 400 days after starts_at"
        } else if self.ends_at > clock::now() {
            "lies in the future"
        } else {
            return Ok(());
        };
        Err(ApiError::invalid(vec![Field::new("/ends_at", "invalid", why)]))
    }
}

/// Whether the caller gets the weekly report by mail.
#[derive(Serialize, ToSchema)]
struct Subscription {
    /// Every Monday, when something happened.
    is_subscribed: bool,
}

/// List a workspace's activity reports, newest first.
///
/// One is made every Monday for the week before, when something happened in it.
#[utoipa::path(tag = "reports", operation_id = "reports.list", params(("workspace_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Newest first", body = inline(Listing<Report>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/reports/")]
async fn list_all(state: Data<State>, Can(access): Can<ReadReports>, paging: Query<Paging>) -> Result<Listing<Report>, ApiError> {
    let limit = paging.0.limit()?;
    let mut rows = reports::list(&state.db, &access, paging.0.after()?, limit + 1).await?;
    let has_more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = rows.last().filter(|_| has_more).map(|row| row.id);
    Ok(Listing {
        data: rows.into_iter().map(Report::from).collect(),
        next_cursor: last.and_then(|id| cursor(&id)),
    })
}

/// Make a report of any period, as a job.
#[utoipa::path(tag = "reports", operation_id = "reports.create", params(("workspace_id" = uuid::Uuid, Path)), request_body = Period, responses((status = 202, description = "It is being made; its result has the figures", body = JobShape, headers(("Location" = String, description = "The job")))))]
#[post("/workspaces/{workspace_id}/reports/")]
async fn make(state: Data<State>, Can(access): Can<ReadReports>, body: Json<Period>) -> Result<HttpResponse, ApiError> {
    body.0.check()?;
    let job = MakeReport {
        workspace: access.workspace(),
        starts_at: body.0.starts_at,
        ends_at: body.0.ends_at,
        has_mail: false,
    };
    let new = NewJob {
        workspace: Some(access.workspace()),
        user: Some(access.user()),
        priority: queue::Priority::High,
        ..job.job()?
    };
    let queues = vec![new.queue.to_owned()];
    let row = state
        .write(&access, async |tx: &DatabaseTransaction| {
            // Not unique, so there is one.
            let id = queue::add(tx, new).await?.ok_or(queue::Error::NotFound)?;
            list::find(tx, id).await
        })
        .await?;
    state.signals.send(Signal::JobsDue { queues });
    Ok(accepted(row))
}

/// Read a report.
#[utoipa::path(tag = "reports", operation_id = "reports.read", params(("workspace_id" = uuid::Uuid, Path), ("report_id" = uuid::Uuid, Path)), responses((status = 200, description = "The report", body = Report)))]
#[get("/workspaces/{workspace_id}/reports/{report_id}/")]
async fn read(state: Data<State>, Can(access): Can<ReadReports>, At(id): At<ReportId>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(Report::from(reports::find(&state.db, &access, id).await?)))
}

/// See whether you get the weekly report by mail.
#[utoipa::path(tag = "reports", operation_id = "reports.subscription", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 200, description = "Whether you do", body = Subscription)))]
#[get("/workspaces/{workspace_id}/reports/subscription/")]
async fn subscription(state: Data<State>, Can(access): Can<ReadReports>) -> Result<HttpResponse, ApiError> {
    let is_subscribed = reports::is_subscribed(&state.db, &access).await?;
    Ok(HttpResponse::Ok().json(Subscription { is_subscribed }))
}

/// Get the weekly report by mail.
#[utoipa::path(tag = "reports", operation_id = "reports.subscribe", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 204, description = "You will get it")))]
#[put("/workspaces/{workspace_id}/reports/subscription/")]
async fn subscribe(state: Data<State>, Can(access): Can<ReadReports>) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| reports::subscribe(tx, &access).await)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Get the weekly report by mail no more.
#[utoipa::path(tag = "reports", operation_id = "reports.unsubscribe", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 204, description = "You will not get it")))]
#[delete("/workspaces/{workspace_id}/reports/subscription/")]
async fn unsubscribe(state: Data<State>, Can(access): Can<ReadReports>) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| reports::unsubscribe(tx, &access).await)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
