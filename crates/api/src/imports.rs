//! Imports: what is sent is put by as it comes, and a job makes pages of it.

use crate::{
    attachments::body::{Form, refused},
    documents::routes::bad_parent,
    extract::{Can, Known, Query},
    jobs::{Job as JobShape, accepted},
    problem::ApiError,
    state::State,
    who,
};
use ::attachments::turn;
use actix_web::{HttpResponse, http::StatusCode, post, web::Data};
use backends::{
    files::{FilesError, Key},
    signal::Signal,
};
use entity::job;
use futures::StreamExt;
use jobs::{Job, kinds::ImportPages};
use kernel::{error::Field, id::*};
use queue::{NewJob, list};
use sea_orm::DatabaseTransaction;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;
use transfer::import::format::Format;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::access::{Access, CreateDocuments, DocumentAccess, EditDocument, fence::Both};

/// Imports of one person that are not over.
const MOST_AT_ONCE: usize = 5;
/// The longest wait for the next bytes of one that comes.
const IDLE: Duration = Duration::from_secs(30);
/// The longest name of a file, in characters.
const MAX_NAME: usize = 255;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(into_workspace).service(into_page);
}

/// How it is imported.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct How {
    /// auto (the default), markdown, html, csv, zip, notion or bundle.
    #[param(example = "auto")]
    format: Option<String>,
    /// The page that everything hangs under; the top of the workspace when left out.
    #[param(value_type = Option<uuid::Uuid>)]
    parent_id: Option<DocumentId>,
    /// What the file is called. Its ending helps to find out what it is.
    #[param(example = "Export-1a2b.zip")]
    file_name: Option<String>,
}

/// Where it is imported, and how.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Where {
    /// The tenant.
    #[param(value_type = uuid::Uuid)]
    workspace_id: WorkspaceId,
    /// auto (the default), markdown, html, csv, zip, notion or bundle.
    #[param(example = "auto")]
    format: Option<String>,
    /// The page that everything hangs under; the top of the workspace when left out.
    #[param(value_type = Option<uuid::Uuid>)]
    parent_id: Option<DocumentId>,
    /// What the file is called. Its ending helps to find out what it is.
    #[param(example = "Export-1a2b.zip")]
    file_name: Option<String>,
}

/// Import pages into a workspace, as a job.
///
/// Send the file as the body, or as the first file of a form. It may be a page in Markdown or HTML, a table (CSV), a zip of
/// such files and what they show, an export of Notion (also in parts inside of each other), or a bundle of our own. The
/// job's result says of every file whether it was imported, degraded or skipped, and why. A job that is cancelled keeps the
/// pages it has made, and its result says which.
#[utoipa::path(tag = "imports", operation_id = "imports.create", params(("workspace_id" = uuid::Uuid, Path), How), request_body(content = inline(crate::bytes::Bytes), content_type = "application/octet-stream", description = "The file"), responses((status = 202, description = "It is being imported", body = JobShape, headers(("Location" = String, description = "The job")))))]
#[post("/workspaces/{workspace_id}/imports/")]
async fn into_workspace(
    state: Data<State>,
    Can(access): Can<CreateDocuments>,
    how: Query<How>,
    body: Form,
) -> Result<HttpResponse, ApiError> {
    let row = import(&state, &access, how.0, body).await?;
    Ok(accepted(row))
}

/// Import pages, as a job.
///
/// The same as `imports.create` for those who do not have the workspace in the path.
#[utoipa::path(tag = "imports", operation_id = "imports.create_documents", params(Where), request_body(content = inline(crate::bytes::Bytes), content_type = "application/octet-stream", description = "The file"), responses((status = 202, description = "It is being imported", body = JobShape, headers(("Location" = String, description = "The job")))))]
#[post("/documents/imports/")]
async fn into_page(state: Data<State>, Known(caller): Known, to: Query<Where>, body: Form) -> Result<HttpResponse, ApiError> {
    let Where {
        workspace_id,
        format,
        parent_id,
        file_name,
    } = to.0;
    let access = state.door().enter(who::of_caller(&caller), workspace_id).await?;
    let how = How {
        format,
        parent_id,
        file_name,
    };
    let row = import(&state, &access, how, body).await?;
    Ok(accepted(row))
}

async fn import(state: &State, access: &Access<CreateDocuments>, how: How, body: Form) -> Result<job::Model, ApiError> {
    let format = format_of(how.format.as_deref())?;
    let under = match how.parent_id {
        Some(parent) => Some(editable(state, access, parent).await?),
        None => None,
    };
    let _turn = turn::take(access.user())?;
    check_count(state, access).await?;
    let incoming = body.opened().await?;
    let file_name = name_of(how.file_name.or(incoming.name).as_deref());
    let source = ImportId::new();
    put_by(state, source, incoming.bytes).await?;
    let job = ImportPages {
        source,
        file_name,
        format,
        workspace: access.workspace(),
        parent: how.parent_id,
        user: access.user(),
    };
    let enqueued = enqueue(state, access, under.as_ref(), &job).await;
    if enqueued.is_err() {
        drop(state.files.delete(&Key::import(source)).await);
    }
    enqueued
}

async fn editable(state: &State, access: &Access<CreateDocuments>, parent: DocumentId) -> Result<DocumentAccess<EditDocument>, ApiError> {
    let opened = state.door().open::<EditDocument>(access.who(), parent).await;
    let opened = opened.map_err(|error| bad_parent(&error))?;
    match opened.workspace() == access.workspace() {
        true => Ok(opened),
        false => Err(bad_parent(&workspaces::access::AccessError::NotFound)),
    }
}

fn format_of(name: Option<&str>) -> Result<Format, ApiError> {
    let known = || Format::ALL.map(|(_, name)| name).join(", ");
    let bad = || ApiError::invalid(vec![Field::new("/format", "invalid", format!("is one of {}", known()))]);
    name.map_or(Ok(Format::Auto), |name| Format::named(name).ok_or_else(bad))
}

/// A name without folders; it is shown and its ending is looked at, nothing else.
fn name_of(name: Option<&str>) -> String {
    let name = name.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}

/// Each holds a worker for as long as it takes.
async fn check_count(state: &State, access: &Access<CreateDocuments>) -> Result<(), ApiError> {
    let wanted = list::Wanted {
        user: Some(access.user()),
        kind: Some(ImportPages::KIND.to_owned()),
        limit: 50,
        ..list::Wanted::default()
    };
    let running = list::list(&state.db, &wanted).await?;
    if running.iter().filter(|job| !job.state.is_over()).count() < MOST_AT_ONCE {
        return Ok(());
    }
    let detail = format!("{MOST_AT_ONCE} imports of yours are not over yet");
    Err(ApiError::new(StatusCode::CONFLICT, "too_many_imports", detail))
}

/// Keeps what comes until the job has made pages of it. Nothing is left of what does not come whole.
async fn put_by(state: &State, source: ImportId, mut bytes: Bytes) -> Result<(), ApiError> {
    let mut writing = state.files.begin(Key::import(source), state.settings.import_bytes);
    let came = async {
        while let Some(some) = timeout(IDLE, bytes.next()).await.map_err(|_| ::attachments::Error::TooSlow)? {
            writing.write(&some.map_err(FilesError::Interrupted)?).await?;
        }
        Ok::<_, ::attachments::Error>(())
    };
    if let Err(error) = came.await {
        writing.abort().await;
        return Err(refused(error));
    }
    writing.finish().await.map(drop).map_err(|error| refused(error.into()))
}

type Bytes = futures::stream::LocalBoxStream<'static, Result<bytes::Bytes, String>>;

async fn enqueue(
    state: &State,
    access: &Access<CreateDocuments>,
    under: Option<&DocumentAccess<EditDocument>>,
    job: &ImportPages,
) -> Result<job::Model, ApiError> {
    let new = NewJob {
        workspace: Some(access.workspace()),
        user: Some(access.user()),
        ..job.job()?
    };
    let queues = vec![new.queue.to_owned()];
    let row = state
        .write(&Both(access, under), async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
            let id = queue::add(tx, new).await?.ok_or(queue::Error::NotFound)?;
            Ok(list::find(tx, id).await?)
        })
        .await?;
    state.signals.send(Signal::JobsDue { queues });
    Ok(row)
}
