//! Pages as files: asked for, made as a job, and fetched by who asked while they still may see what is in them.

use crate::{
    attachments::content::kept_as,
    extract::{At, Can, CanDocument, Known, Named},
    jobs::{Job as JobShape, accepted},
    json::Json,
    problem::ApiError,
    state::State,
    who,
};
use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    get,
    http::{StatusCode, header},
    post,
    web::Data,
};
use backends::{files::Key, signal::Signal};
use futures::TryStreamExt;
use jobs::{
    Job,
    kinds::{ExportPages, export_pages},
};
use kernel::{error::Field, id::*};
use queue::{NewJob, list};
use sea_orm::DatabaseTransaction;
use serde::Deserialize;
use std::{io, ops::Range, str::FromStr};
use transfer::export::{
    order::{Format, Order, Scope},
    store,
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::access::{ExportWorkspace, ViewDocument, fence::Proof};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(of_document).service(of_workspace).service(file);
}

/// The id of an export, which is that of the job that made it.
struct ExportId(JobId);

impl FromStr for ExportId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.parse().map(Self).map_err(|_| ())
    }
}

impl Named for ExportId {
    const NAME: &'static str = "export_id";
}

/// A page to be exported.
#[derive(Deserialize, ToSchema, Validate)]
struct ExportDocument {
    /// `pdf`, `html`, `markdown`, `json` or `automerge`.
    #[schema(example = "pdf")]
    format: String,
    /// With what hangs under it, as a zip that can be imported again; the format is that of its readable part.
    #[serde(default)]
    subtree: bool,
}

/// A workspace to be exported.
#[derive(Deserialize, ToSchema, Validate)]
struct ExportAll {
    /// What the pages are for people: `pdf`, `html`, `markdown`, `automerge`, or `json` for nothing but what is imported again.
    #[serde(default = "markdown")]
    #[schema(example = "markdown")]
    format: String,
}

fn markdown() -> String {
    Format::Markdown.name().to_owned()
}

fn format(name: &str) -> Result<Format, ApiError> {
    let names = Format::ALL.map(Format::name).join(", ");
    Format::of(name).ok_or_else(|| ApiError::invalid(vec![Field::new("/format", "invalid", format!("is one of {names}"))]))
}

/// Enqueues an export, unless there are enough of this person's.
async fn start(state: &State, proof: &impl Proof, order: Order) -> Result<HttpResponse, ApiError> {
    let (workspace, user) = (order.workspace, order.user);
    let new = NewJob {
        workspace: Some(workspace),
        user: Some(user),
        priority: queue::Priority::High,
        ..ExportPages { order }.job()?
    };
    let queues = vec![new.queue.to_owned()];
    let row = state
        .write(proof, async |tx: &DatabaseTransaction| {
            export_pages::check(tx, user, &state.settings.exports).await?;
            // Not unique, so there is one.
            let id = queue::add(tx, new).await?.ok_or(queue::Error::NotFound)?;
            Ok::<_, ApiError>(list::find(tx, id).await?)
        })
        .await?;
    state.signals.send(Signal::JobsDue { queues });
    Ok(accepted(row))
}

/// Export a page, as a job.
///
/// The job's result says where the file is, until when, and what could not be shown. A page alone is one file of the
/// format; with `subtree` it is a zip of all pages under it that you may see.
#[utoipa::path(tag = "exports", operation_id = "exports.document", params(("document_id" = uuid::Uuid, Path)), request_body = ExportDocument, responses((status = 202, description = "It is being made", body = JobShape, headers(("Location" = String, description = "The job")))))]
#[post("/documents/{document_id}/exports/")]
async fn of_document(
    state: Data<State>,
    CanDocument(access): CanDocument<ViewDocument>,
    body: Json<ExportDocument>,
) -> Result<HttpResponse, ApiError> {
    let scope = if body.0.subtree { Scope::Subtree } else { Scope::Page };
    let order = Order {
        user: access.user(),
        workspace: access.workspace(),
        scope: scope(access.id()),
        format: format(&body.0.format)?,
    };
    start(&state, &access, order).await
}

/// Export all pages of a workspace that you may see, as a job.
///
/// What comes out is a zip that can be imported again.
#[utoipa::path(tag = "exports", operation_id = "exports.workspace", params(("workspace_id" = uuid::Uuid, Path)), request_body = ExportAll, responses((status = 202, description = "It is being made", body = JobShape, headers(("Location" = String, description = "The job")))))]
#[post("/workspaces/{workspace_id}/exports/")]
async fn of_workspace(state: Data<State>, Can(access): Can<ExportWorkspace>, body: Json<ExportAll>) -> Result<HttpResponse, ApiError> {
    let order = Order {
        user: access.user(),
        workspace: access.workspace(),
        scope: Scope::Workspace,
        format: format(&body.0.format)?,
    };
    start(&state, &access, order).await
}

/// Fetch an export that you asked for.
///
/// It is there until its time is over, and as long as you may see every page in it. Parts can be asked for with `Range`.
#[utoipa::path(tag = "exports", operation_id = "exports.file", params(("export_id" = uuid::Uuid, Path)), responses((status = 200, description = "The file", content_type = "application/octet-stream", body = inline(crate::bytes::Bytes)), (status = 206, description = "A part of it", content_type = "application/octet-stream", body = inline(crate::bytes::Bytes))))]
#[get("/exports/{export_id}/file/")]
async fn file(state: Data<State>, request: HttpRequest, Known(caller): Known, At(id): At<ExportId>) -> Result<HttpResponse, ApiError> {
    let row = store::find(&state.db, who::of_caller(&caller), id.0).await?;
    let size = u64::try_from(row.size).unwrap_or_default();
    let part = wanted(request.headers().get(header::RANGE).and_then(|value| value.to_str().ok()), size)?;
    let key = Key::export(row.id);
    let opened = match &part {
        Some(range) => state.files.open_range(&key, range.clone()).await?,
        None => state.files.open(&key).await?,
    };
    let mut answer = HttpResponse::build(if part.is_some() {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    });
    if part.is_some() {
        let (first, last) = (opened.range.start, opened.range.end.saturating_sub(1));
        answer.insert_header((header::CONTENT_RANGE, format!("bytes {first}-{last}/{}", opened.size)));
    }
    answer
        .insert_header((header::CONTENT_DISPOSITION, kept_as(&row.name)))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        // Shown by a browser after all, it is a document without an origin that does nothing.
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        // Not compressed on the way: its length stays known, and parts stay parts.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .content_type(row.media_type);
    let length = opened.range.end - opened.range.start;
    Ok(answer.body(SizedStream::new(length, opened.bytes.map_err(io::Error::other))))
}

/// The part that a `Range` of one part asks for (RFC 9110, section 14); none for the whole, also when it asks for what we do
/// not serve.
fn wanted(range: Option<&str>, size: u64) -> Result<Option<Range<u64>>, ApiError> {
    let Some((first, last)) = range.and_then(|range| range.trim().strip_prefix("bytes=")?.split_once('-')) else {
        return Ok(None);
    };
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Ok(first), Err(_)) if last.is_empty() => first..size,
        (Err(_), Ok(last)) if first.is_empty() => size.saturating_sub(last)..size,
        _ => return Ok(None),
    };
    if range.start < range.end {
        return Ok(Some(range));
    }
    Err(ApiError::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range_not_satisfiable",
        format!("the file has {size} bytes"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_to_the_file() {
        let cases = [
            (None, None),
            (Some("bytes=0-3"), Some(0..4)),
            (Some("bytes=4-"), Some(4..10)),
            (Some("bytes=-3"), Some(7..10)),
            (Some("bytes=-99"), Some(0..10)),
            (Some("bytes=8-99"), Some(8..10)),
            (Some("bytes=0-0"), Some(0..1)),
            (Some("bytes=5-4"), None),
            (Some("bytes=0-1,3-4"), None),
            (Some("lines=0-1"), None),
            (Some("bytes=a-b"), None),
        ];
        for (asked, part) in cases {
            assert_eq!(wanted(asked, 10).ok(), Some(part), "{asked:?}");
        }
        assert!(wanted(Some("bytes=10-"), 10).is_err() && wanted(Some("bytes=-0"), 10).is_err());
    }
}
