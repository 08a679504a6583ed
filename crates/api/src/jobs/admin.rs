//! All jobs, for administrators of the instance.

use super::{Job, cancel_now, listing};
use crate::{
    extract::{Administrator, At, Query},
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, get, post, web::Data};
use backends::{db::write, signal::Signal};
use entity::job;
use kernel::id::*;
use queue::{
    list::{self, Wanted},
    manage,
};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_all).service(read).service(retry).service(cancel);
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// `ready`, `running`, `done`, `dead` or `cancelled`.
    #[param(value_type = Option<super::JobState>, inline)]
    state: Option<StateName>,
    /// Of this queue.
    #[param(example = "mail")]
    queue: Option<String>,
    /// Of this kind.
    #[param(example = "send_mail")]
    kind: Option<String>,
}

/// A state by its name.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateName {
    Ready,
    Running,
    Done,
    Dead,
    Cancelled,
}

impl From<StateName> for job::State {
    fn from(state: StateName) -> Self {
        match state {
            StateName::Ready => Self::Ready,
            StateName::Running => Self::Running,
            StateName::Done => Self::Done,
            StateName::Dead => Self::Dead,
            StateName::Cancelled => Self::Cancelled,
        }
    }
}

/// A job as an administrator sees it.
#[derive(Serialize, ToSchema)]
struct AdminJob {
    #[serde(flatten)]
    job: Job,
    /// Who asked for it; null for the product itself.
    #[schema(value_type = Option<uuid::Uuid>)]
    user_id: Option<UserId>,
    /// After as many attempts it is dead.
    max_attempts: i32,
    /// Who runs it, or ran it last.
    worker: Option<String>,
    /// What it was told, as it stands in the queue.
    #[schema(value_type = Object)]
    payload: Value,
}

impl From<job::Model> for AdminJob {
    fn from(row: job::Model) -> Self {
        Self {
            user_id: row.user_id,
            max_attempts: row.max_attempts,
            worker: row.worker.clone(),
            payload: serde_json::from_str(&row.payload).unwrap_or(Value::Null),
            job: row.into(),
        }
    }
}

/// List all jobs, newest first.
#[utoipa::path(tag = "admin", operation_id = "admin.jobs", params(Filter, Paging), responses((status = 200, description = "Newest first", body = inline(Listing<AdminJob>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/admin/jobs/")]
async fn list_all(
    state: Data<State>,
    Administrator(_caller): Administrator,
    filter: Query<Filter>,
    paging: Query<Paging>,
) -> Result<Listing<AdminJob>, ApiError> {
    let limit = paging.0.limit()?;
    let wanted = Wanted {
        state: filter.0.state.map(job::State::from),
        queue: filter.0.queue,
        kind: filter.0.kind,
        after: paging.0.after()?,
        limit: limit + 1,
        ..Wanted::default()
    };
    Ok(listing(list::list(&state.db, &wanted).await?, limit))
}

/// Read any job.
#[utoipa::path(tag = "admin", operation_id = "admin.job", params(("job_id" = uuid::Uuid, Path)), responses((status = 200, description = "The job", body = AdminJob)))]
#[get("/admin/jobs/{job_id}/")]
async fn read(state: Data<State>, Administrator(_caller): Administrator, At(id): At<JobId>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(AdminJob::from(list::find(&state.db, id).await?)))
}

/// Let a job that is dead or cancelled try again.
#[utoipa::path(tag = "admin", operation_id = "admin.retry_job", params(("job_id" = uuid::Uuid, Path)), responses((status = 200, description = "As it is now", body = AdminJob)))]
#[post("/admin/jobs/{job_id}/retry/")]
async fn retry(state: Data<State>, Administrator(_caller): Administrator, At(id): At<JobId>) -> Result<HttpResponse, ApiError> {
    let job = list::find(&state.db, id).await?;
    let job = write(&state.db, async |tx: &DatabaseTransaction| manage::retry(tx, &job).await).await?;
    state.signals.send(Signal::JobsDue {
        queues: vec![job.queue.clone()],
    });
    Ok(HttpResponse::Ok().json(AdminJob::from(job)))
}

/// Cancel any job.
#[utoipa::path(tag = "admin", operation_id = "admin.cancel_job", params(("job_id" = uuid::Uuid, Path)), responses((status = 200, description = "As it is now", body = AdminJob)))]
#[post("/admin/jobs/{job_id}/cancel/")]
async fn cancel(state: Data<State>, Administrator(_caller): Administrator, At(id): At<JobId>) -> Result<HttpResponse, ApiError> {
    let job = list::find(&state.db, id).await?;
    Ok(HttpResponse::Ok().json(AdminJob::from(cancel_now(&state, &job).await?)))
}
