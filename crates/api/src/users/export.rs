//! Taking one's data out. Only a login gets at them, no API key.

use crate::{
    extract::Known,
    fresh::Fresh,
    jobs::{Job as JobShape, accepted},
    problem::ApiError,
    state::State,
};
use actix_web::{
    HttpResponse, get,
    http::{StatusCode, header},
    post,
    web::Data,
};
use backends::{db::write, signal::Signal};
use entity::job;
use jobs::{Job, kinds::ExportAccount};
use kernel::{clock::Time, id::*};
use queue::{
    NewJob,
    list::{self, Wanted},
};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;
use users::{Caller, export};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(ask).service(read).service(fetch);
}

/// How the export of an account stands.
#[derive(Serialize, ToSchema)]
struct AccountExport {
    /// The latest job that makes one; null when none is known any more.
    job: Option<JobShape>,
    /// Whether there is one to be fetched at `file/`.
    is_ready: bool,
    /// How many bytes it has.
    #[schema(example = 20480)]
    size: Option<i64>,
    /// When it was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Time>,
    /// After this it is gone.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
}

/// A key may be anywhere; what opens the whole account is asked for by a person.
fn only_a_login(caller: &Caller) -> Result<(), ApiError> {
    let refused = || {
        ApiError::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "API keys do not open exports of the account",
        )
    };
    caller.session().map(drop).ok_or_else(refused)
}

async fn latest(db: &impl ConnectionTrait, user: UserId) -> Result<Option<job::Model>, ApiError> {
    let wanted = Wanted {
        user: Some(user),
        kind: Some(ExportAccount::KIND.to_owned()),
        limit: 1,
        ..Wanted::default()
    };
    Ok(list::list(db, &wanted).await?.into_iter().next())
}

/// Export your account, as a job. Needs a fresh login.
///
/// A letter says when it is ready. It is a zip of your profile, logins, keys (without their secrets), memberships, and the
/// pages you made and still may see, as Markdown. While one is being made, you get that one.
#[utoipa::path(tag = "users", operation_id = "users.export_me", responses((status = 202, description = "It is being made", body = JobShape, headers(("Location" = String, description = "The job")))))]
#[post("/users/me/export/")]
async fn ask(state: Data<State>, Fresh(caller): Fresh) -> Result<HttpResponse, ApiError> {
    let user = caller.user;
    let new = NewJob {
        user: Some(user),
        priority: queue::Priority::High,
        ..ExportAccount { user }.job()?
    };
    let queues = vec![new.queue.to_owned()];
    let row = write(&state.db, async |tx: &DatabaseTransaction| {
        if let Some(running) = latest(tx, user).await?.filter(|job| !job.state.is_over()) {
            return Ok(running);
        }
        let id = queue::add(tx, new).await?.ok_or(queue::Error::NotFound)?;
        Ok::<_, ApiError>(list::find(tx, id).await?)
    })
    .await?;
    state.signals.send(Signal::JobsDue { queues });
    Ok(accepted(row))
}

/// See how the export of your account stands.
#[utoipa::path(tag = "users", operation_id = "users.export", responses((status = 200, description = "How it stands", body = AccountExport)))]
#[get("/users/me/export/")]
async fn read(state: Data<State>, Known(caller): Known) -> Result<HttpResponse, ApiError> {
    only_a_login(&caller)?;
    let job = latest(&state.db, caller.user).await?.map(JobShape::from);
    let made = export::describe(&state.db, caller.user).await?;
    Ok(HttpResponse::Ok().json(AccountExport {
        job,
        is_ready: made.is_some(),
        size: made.as_ref().map(|made| made.size),
        created_at: made.as_ref().map(|made| made.created_at),
        expires_at: made.map(|made| made.expires_at),
    }))
}

/// Fetch the export of your account.
#[utoipa::path(tag = "users", operation_id = "users.export_file", responses((status = 200, description = "A zip", content_type = "application/zip", body = inline(crate::bytes::Bytes)), (status = 404, description = "There is none, or its time is over", body = crate::problem::Problem, content_type = "application/problem+json")))]
#[get("/users/me/export/file/")]
async fn fetch(state: Data<State>, Known(caller): Known) -> Result<HttpResponse, ApiError> {
    only_a_login(&caller)?;
    let made = export::find(&state.db, caller.user).await?.ok_or_else(ApiError::not_found)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"sheaf-account.zip\""))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/zip")
        .body(made.bytes))
}
