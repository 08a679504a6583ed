//! Copying pages: beside themselves, elsewhere in the workspace, or to another one.

use super::{
    move_routes::{End, bad_home, place, shut},
    routes::bad_parent,
    shape::Document,
};
use crate::{
    extract::CanDocument,
    jobs::{Job as JobShape, accepted},
    json::{Json, OrNothing, maybe},
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, ResponseError, http::StatusCode, post, web, web::Data};
use backends::signal::Signal;
use documents::{
    copying::{self, Extent, Filling, Plan, Ready, Target},
    document,
    siblings::Place,
};
use jobs::{Job, kinds::CopyPages};
use kernel::{id::*, role::Level};
use queue::{NewJob, list};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use transfer::along::Along;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::access::{self, Access, CreateDocuments, DocumentAccess, EditDocument, ViewDocument, fence::Both};

/// Pages that are copied while the caller waits. More are a job.
const AT_ONCE: usize = 30;
/// The same of their files, where there is a job for it.
const FILES_AT_ONCE: u64 = 100;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(duplicate).service(copy);
}

fn yes() -> bool {
    true
}

/// How a page is copied beside itself.
#[derive(Deserialize, ToSchema, Validate)]
struct DuplicateDocument {
    /// Whether what hangs under it is copied too; it is when left out.
    #[serde(default = "yes")]
    #[schema(default = true)]
    include_subtree: bool,
    /// The copy's title; when left out, the title of the page with "(copy)" behind it.
    #[schema(example = "Meeting notes (copy)")]
    title: Option<String>,
}

impl Default for DuplicateDocument {
    fn default() -> Self {
        Self {
            include_subtree: true,
            title: None,
        }
    }
}

/// Where a copy goes. Of `after`, `before` and `position` one at most; behind all others when there is none.
#[derive(Deserialize, ToSchema, Validate)]
struct CopyDocument {
    /// The page it shall hang under; null for the top. Left out, it goes beside the page, or to the top of another workspace.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<uuid::Uuid>)]
    parent_id: Option<Option<DocumentId>>,
    /// The sibling it follows.
    #[schema(value_type = Option<uuid::Uuid>)]
    after: Option<DocumentId>,
    /// The sibling it precedes.
    #[schema(value_type = Option<uuid::Uuid>)]
    before: Option<DocumentId>,
    /// The first or the last of its siblings.
    #[schema(inline)]
    position: Option<End>,
    /// Another workspace.
    #[schema(value_type = Option<uuid::Uuid>)]
    workspace_id: Option<WorkspaceId>,
    /// Whether what hangs under it is copied too; it is when left out.
    #[serde(default = "yes")]
    #[schema(default = true)]
    include_subtree: bool,
    /// The copy's title; the page's own when left out.
    title: Option<String>,
}

/// A copy that was made.
#[derive(Serialize, ToSchema)]
struct CopiedDocument {
    /// The copy of the page.
    #[serde(flatten)]
    document: Document,
    /// How many pages were made, the first included. What you may not see was not copied.
    #[schema(example = 4)]
    copied: usize,
}

/// What is to be copied, and where to.
struct Order {
    source: DocumentAccess<ViewDocument>,
    home: Access<CreateDocuments>,
    under: Option<DocumentAccess<EditDocument>>,
    place: Place,
    extent: Extent,
    title: Option<String>,
}

fn extent(include_subtree: bool) -> Extent {
    if include_subtree { Extent::Subtree } else { Extent::Page }
}

/// Copy a page beside itself, with what hangs under it.
///
/// The copy is as closed as the page; grants and share links are not copied. Links between pages that are copied together lead
/// to the copies, which have files of their own. Above 30 pages or 100 files it is a job.
#[utoipa::path(tag = "documents", operation_id = "documents.duplicate", params(("document_id" = uuid::Uuid, Path)), request_body(content = Option<DuplicateDocument>), responses((status = 201, description = "Made", body = CopiedDocument), (status = 202, description = "It is being made; the first page is `document_id` of the job's result", body = JobShape, headers(("Location" = String, description = "The job")))))]
#[post("/documents/{document_id}/duplicate/")]
async fn duplicate(
    state: Data<State>,
    CanDocument(source): CanDocument<ViewDocument>,
    body: OrNothing<DuplicateDocument>,
) -> Result<HttpResponse, ApiError> {
    let (who, page) = (source.who(), source.document().clone());
    let title = body.0.title.unwrap_or_else(|| copying::copy_title(&page.title));
    let order = Order {
        home: state.door().enter(who, page.workspace_id).await?,
        under: match page.parent_id {
            Some(parent) => Some(state.door().open(who, parent).await.map_err(shut)?),
            None => None,
        },
        place: Place::After(page.id),
        extent: extent(body.0.include_subtree),
        title: Some(document::checked_title(&title)?),
        source,
    };
    fill(&state, order).await
}

/// Copy a page with what hangs under it, within its workspace or to another one.
///
/// The copy is as closed as the page; grants and share links are not copied. Links between pages that are copied together lead
/// to the copies, which have files of their own. Above 30 pages or 100 files it is a job.
#[utoipa::path(tag = "documents", operation_id = "documents.copy", params(("document_id" = uuid::Uuid, Path)), request_body = CopyDocument, responses((status = 201, description = "Made", body = CopiedDocument), (status = 202, description = "It is being made; the first page is `document_id` of the job's result", body = JobShape, headers(("Location" = String, description = "The job")))))]
#[post("/documents/{document_id}/copy/")]
async fn copy(
    state: Data<State>,
    CanDocument(source): CanDocument<ViewDocument>,
    body: Json<CopyDocument>,
) -> Result<HttpResponse, ApiError> {
    let (body, who, own) = (body.0, source.who(), source.workspace());
    let home = body.workspace_id.unwrap_or(own);
    let beside = source.document().parent_id.filter(|_| home == own);
    let under = match (body.parent_id, body.parent_id.unwrap_or(beside)) {
        (_, None) => None,
        (Some(_), Some(id)) => Some(state.door().open(who, id).await.map_err(|e| bad_parent(&e))?),
        (None, Some(id)) => Some(state.door().open(who, id).await.map_err(shut)?),
    };
    let order = Order {
        home: state.door().enter(who, home).await.map_err(|e| bad_home(&e))?,
        under,
        place: place((body.after, body.before, body.position))?,
        extent: extent(body.include_subtree),
        title: body.title.as_deref().map(document::checked_title).transpose()?,
        source,
    };
    fill(&state, order).await
}

/// Makes the copy at once when it is small, else has it made.
async fn fill(state: &State, order: Order) -> Result<HttpResponse, ApiError> {
    let plan = copying::plan(&state.db, &order.source, order.extent, |_| DocumentId::new()).await?;
    if is_long(state, &order, &plan).await? {
        return enqueue(state, &order).await;
    }
    let to = Target {
        home: &order.home,
        under: order.under.as_ref(),
        place: order.place,
    };
    let first = plan.ids[&order.source.id()];
    let mut along = Along::new(state.store(), order.home.workspace(), first);
    let rows = match gather(state, &order, &plan, &mut along).await {
        Ok(ready) => {
            let target = Both(&order.home, order.under.as_ref());
            let proof = Both(&order.source, Some(&target));
            let write = async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
                let rows = along.write(tx, &plan, ready, to).await?;
                copying::note(tx, &order.source, first).await?;
                Ok(rows)
            };
            state.write(&proof, write).await
        }
        Err(error) => Err(error),
    };
    leave(along, &rows).await;
    let rows = rows?;
    let (copied, first) = (rows.len(), rows.into_iter().next().ok_or_else(ApiError::not_found)?);
    let level = access::level(&state.db, order.source.who(), first.id).await?;
    let document = Document::from((first, level.map_or(Level::View, |(level, _)| level)));
    Ok(HttpResponse::Created().json(CopiedDocument { document, copied }))
}

/// Whether it is more than anybody should wait for.
async fn is_long(state: &State, order: &Order, plan: &Plan) -> Result<bool, ApiError> {
    if plan.pages.len() > AT_ONCE || order.extent == Extent::Page {
        return Ok(plan.pages.len() > AT_ONCE);
    }
    let pages: Vec<DocumentId> = plan.pages.iter().map(|page| page.id).collect();
    Ok(attachments::along::count(&state.db, &order.source, &pages).await? > FILES_AT_ONCE)
}

/// Makes the copies, with the bytes of their files.
async fn gather(state: &State, order: &Order, plan: &Plan, along: &mut Along) -> Result<Vec<Ready>, ApiError> {
    let mut ready = Vec::with_capacity(plan.pages.len());
    for (at, page) in plan.pages.iter().enumerate() {
        state.rooms.viewed(order.source.user(), page.id).await?;
        let content = copying::content_of(&state.db, page.id).await?;
        let files = along.take(&order.source, plan, (page, &content)).await?;
        let title = order.title.clone().filter(|_| at == 0);
        let (plan, limits) = (plan.clone(), state.rooms.settings().limits.clone());
        let made = web::block(move || {
            let filling = Filling {
                content,
                title: title.as_deref(),
                files,
            };
            plan.make(&plan.pages[at], filling, &limits)
        });
        ready.push(made.await.map_err(|_| ApiError::of_status(StatusCode::SERVICE_UNAVAILABLE))??);
    }
    Ok(ready)
}

/// Removes bytes of files that no page has got, unless nobody can say whether it has.
pub(super) async fn leave(along: Along, written: &Result<Vec<entity::document::Model>, ApiError>) {
    match written {
        Ok(rows) => along.leave(rows).await,
        Err(error) if error.status_code().is_server_error() => {}
        Err(_) => along.leave(&[]).await,
    }
}

async fn enqueue(state: &State, order: &Order) -> Result<HttpResponse, ApiError> {
    let pages = CopyPages {
        user: order.source.user(),
        document: order.source.id(),
        workspace: order.home.workspace(),
        parent: order.under.as_ref().map(DocumentAccess::id),
        after: match order.place {
            Place::After(id) => Some(id),
            Place::First | Place::Last | Place::Before(_) => None,
        },
        title: order.title.clone(),
    };
    let new = NewJob {
        workspace: Some(order.home.workspace()),
        user: Some(order.source.user()),
        ..pages.job()?
    };
    let queues = vec![new.queue.to_owned()];
    let target = Both(&order.home, order.under.as_ref());
    let row = state
        .write(&Both(&order.source, Some(&target)), async |tx: &DatabaseTransaction| {
            // Not unique, so there is one.
            let id = queue::add(tx, new).await?.ok_or(queue::Error::NotFound)?;
            list::find(tx, id).await
        })
        .await?;
    state.signals.send(Signal::JobsDue { queues });
    Ok(accepted(row))
}
