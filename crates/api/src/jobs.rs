//! Background work as people see it: their own jobs, and for administrators of the instance all of them.

mod admin;

use crate::{
    extract::{At, Known, Named, Query},
    page::{Listing, Paging, cursor},
    problem::ApiError,
    state::State,
    who,
};
use actix_web::{
    HttpResponse, get,
    http::{StatusCode, header},
    post,
    web::Data,
};
use backends::{db::write, signal::Signal};
use entity::job;
use jobs::{
    Job as _,
    kinds::{ExportPages, MakeReport},
};
use kernel::{clock::Time, id::*};
use queue::list::{self, Wanted};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use serde_json::Value;
use users::Caller;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::{
    access::{ReadReports, ReadWorkspace},
    workspace,
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_own).service(read).service(cancel).service(result);
    admin::routes(config);
}

impl Named for JobId {
    const NAME: &'static str = "job_id";
}

/// How a job stands.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum JobState {
    /// Waits to be begun.
    Ready,
    /// A worker is at it.
    Running,
    /// Done.
    Done,
    /// Given up.
    Dead,
    /// Somebody stopped it.
    Cancelled,
}

/// Background work.
#[derive(Serialize, ToSchema)]
pub(crate) struct Job {
    /// The job's id.
    #[schema(value_type = uuid::Uuid)]
    id: JobId,
    /// What is done.
    #[schema(example = "make_report")]
    kind: String,
    /// Which line it stands in.
    #[schema(example = "reports")]
    queue: String,
    /// How it stands.
    #[schema(value_type = JobState, inline, example = "running")]
    state: &'static str,
    /// How far it is, 0 to 100; null before it was begun.
    #[schema(example = 40)]
    progress: Option<i32>,
    /// What it is doing, for people.
    message: Option<String>,
    /// How often it was begun.
    attempts: i32,
    /// Why the last attempt failed.
    error: Option<String>,
    /// Where it is done, if it belongs to one place.
    #[schema(value_type = Option<uuid::Uuid>)]
    workspace_id: Option<WorkspaceId>,
    /// Whether there is something at `result/`.
    has_result: bool,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it was last begun.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Time>,
    /// When it was over, one way or another.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Time>,
}

impl From<job::Model> for Job {
    fn from(row: job::Model) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            queue: row.queue,
            state: row.state.name(),
            progress: row.progress,
            message: row.message,
            attempts: row.attempts,
            error: row.error,
            workspace_id: row.workspace_id,
            has_result: row.result.is_some(),
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
        }
    }
}

/// Cuts what was read, one more than was wanted, into a page of results.
pub(crate) fn listing<T: From<job::Model>>(mut jobs: Vec<job::Model>, limit: u64) -> Listing<T> {
    let has_more = jobs.len() as u64 > limit;
    jobs.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = jobs.last().filter(|_| has_more).map(|job| job.id);
    Listing {
        data: jobs.into_iter().map(T::from).collect(),
        next_cursor: last.and_then(|id| cursor(&id)),
    }
}

/// The answer to what takes longer: 202, and where to look how far it is.
pub(crate) fn accepted(job: job::Model) -> HttpResponse {
    HttpResponse::build(StatusCode::ACCEPTED)
        .insert_header((header::LOCATION, format!("/api/v1/jobs/{}/", job.id)))
        .json(Job::from(job))
}

/// A job that the caller asked for, in a workspace that still is there for them if it is of one.
async fn own(state: &State, caller: &Caller, id: JobId) -> Result<job::Model, ApiError> {
    let job = list::find_own(&state.db, caller.user, id).await?;
    let who = who::of_caller(caller);
    let Some(workspace) = job.workspace_id else {
        // Of no tenant: not for a key of one.
        let is_bound = caller.key().is_some_and(|key| key.workspace.is_some());
        return if is_bound { Err(ApiError::not_found()) } else { Ok(job) };
    };
    // What came out of it may be read by those who may ask for it.
    if job.kind == MakeReport::KIND {
        state.door().enter::<ReadReports>(who, workspace).await?;
    } else {
        state.door().enter::<ReadWorkspace>(who, workspace).await?;
    }
    Ok(job)
}

/// Cancels in a transaction, and tells whoever runs it.
pub(crate) async fn cancel_now(state: &State, job: &job::Model) -> Result<job::Model, ApiError> {
    let job = write(&state.db, async |tx: &DatabaseTransaction| queue::manage::cancel(tx, job).await).await?;
    state.signals.send(Signal::CancelJob { job: job.id });
    Ok(job)
}

/// List the jobs you asked for, newest first.
#[utoipa::path(tag = "jobs", operation_id = "jobs.list", params(Paging), responses((status = 200, description = "Yours, newest first", body = inline(Listing<Job>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/jobs/")]
async fn list_own(state: Data<State>, Known(caller): Known, paging: Query<Paging>) -> Result<Listing<Job>, ApiError> {
    let limit = paging.0.limit()?;
    let homes = workspace::list(&state.db, who::of_caller(&caller)).await?;
    let wanted = Wanted {
        user: Some(caller.user),
        within: Some(homes.into_iter().map(|(row, _)| row.id).collect()),
        after: paging.0.after()?,
        limit: limit + 1,
        ..Wanted::default()
    };
    Ok(listing(list::list(&state.db, &wanted).await?, limit))
}

/// Read how far a job is that you asked for.
#[utoipa::path(tag = "jobs", operation_id = "jobs.read", params(("job_id" = uuid::Uuid, Path)), responses((status = 200, description = "The job", body = Job)))]
#[get("/jobs/{job_id}/")]
async fn read(state: Data<State>, Known(caller): Known, At(id): At<JobId>) -> Result<HttpResponse, ApiError> {
    let job = own(&state, &caller, id).await?;
    Ok(HttpResponse::Ok().json(Job::from(job)))
}

/// Cancel a job that you asked for.
///
/// One that waits is over at once. One that runs is asked to stop; it may be done before it hears of it.
#[utoipa::path(tag = "jobs", operation_id = "jobs.cancel", params(("job_id" = uuid::Uuid, Path)), responses((status = 200, description = "As it is now", body = Job)))]
#[post("/jobs/{job_id}/cancel/")]
async fn cancel(state: Data<State>, Known(caller): Known, At(id): At<JobId>) -> Result<HttpResponse, ApiError> {
    let job = own(&state, &caller, id).await?;
    Ok(HttpResponse::Ok().json(Job::from(cancel_now(&state, &job).await?)))
}

/// Read what came out of a job.
#[utoipa::path(tag = "jobs", operation_id = "jobs.result", params(("job_id" = uuid::Uuid, Path)), responses((status = 200, description = "What came out; its shape depends on the job's kind", body = Object)))]
#[get("/jobs/{job_id}/result/")]
async fn result(state: Data<State>, Known(caller): Known, At(id): At<JobId>) -> Result<HttpResponse, ApiError> {
    let job = own(&state, &caller, id).await?;
    if job.kind == ExportPages::KIND && job.result.is_some() {
        // It names pages: told as long as the file would be given.
        transfer::export::store::find(&state.db, who::of_caller(&caller), job.id).await?;
    }
    let result = job.result.ok_or(queue::Error::NoResult)?;
    let result: Value = serde_json::from_str(&result).unwrap_or(Value::Null);
    Ok(HttpResponse::Ok().json(result))
}
