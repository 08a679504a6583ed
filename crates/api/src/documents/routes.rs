//! Pages: made, listed, read, changed, put in the trash and back.

use super::{
    archive_routes, block_routes, copy_routes, lock_routes, markdown_routes, move_routes,
    shape::{self, BlockInput, Document, DocumentWithBlocks, whole},
    shelf_routes, template, trash_routes, tree_routes,
};
use crate::{
    extract::{CanShared, CanTrashed, Known, Query},
    history,
    json::{Json, maybe},
    page::{Listing, Paging, cursor},
    problem::ApiError,
    state::State,
    who,
};
use actix_web::{HttpResponse, delete, get, http::header, patch, post, web, web::Data};
use collab::rooms::EditRequest;
use documents::{
    document::{self, DocumentEdit, NewDocument, Rules},
    heads,
    listing::{self, State as Stands, Wanted},
    log::Head,
    op::{NewBlock, Op},
    projection::Content,
    trash as bin,
};
use kernel::{error::Field, id::*, role::Level};
use sea_orm::DatabaseTransaction;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::access::{self, DocumentAccess, EditDocument, ManageDocument, ViewDocument, fence::Both};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(edit)
        .service(trash)
        .service(restore);
    tree_routes::routes(config);
    move_routes::routes(config);
    copy_routes::routes(config);
    archive_routes::routes(config);
    trash_routes::routes(config);
    shelf_routes::routes(config);
    block_routes::routes(config);
    markdown_routes::routes(config);
    super::references::routes(config);
    lock_routes::routes(config);
    super::presence::routes(config);
    super::sync::routes(config);
}

/// A page to be made.
#[derive(Deserialize, ToSchema, Validate)]
struct CreateDocument {
    /// Your own id (UUID version 4), so that a retry is safe.
    #[schema(value_type = Option<uuid::Uuid>)]
    id: Option<DocumentId>,
    /// The tenant.
    #[schema(value_type = uuid::Uuid)]
    workspace_id: WorkspaceId,
    /// May be empty.
    #[serde(default)]
    #[schema(example = "Meeting notes")]
    title: String,
    /// The page it hangs under.
    #[schema(value_type = Option<uuid::Uuid>)]
    parent_id: Option<DocumentId>,
    /// Emoji or url.
    #[schema(example = "📝")]
    icon: Option<String>,
    /// Url of a picture.
    cover: Option<String>,
    /// The template it is made from: with its content, and its title, icon and cover where you name none. Goes without
    /// `blocks`.
    #[schema(value_type = Option<uuid::Uuid>)]
    template_id: Option<DocumentId>,
    /// Its first blocks.
    #[serde(default)]
    #[validate(length(max = 1000, message = "takes at most 1000 blocks at once"))]
    #[schema(example = json!([{"type": "heading", "text": "Agenda", "props": {"level": 1}}, {"type": "todo", "text": "Buy gears"}]))]
    blocks: Vec<BlockInput>,
}

/// Which pages.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The tenant.
    #[param(value_type = uuid::Uuid)]
    workspace_id: WorkspaceId,
    /// Only those directly under this page; `root` for those at the top.
    parent_id: Option<String>,
    /// Those in the trash instead.
    #[serde(default)]
    trashed: bool,
    /// Those that are archived instead.
    #[serde(default)]
    archived: bool,
    /// How many at most; 50 when left out, 200 at most.
    limit: Option<u64>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// List the pages of a workspace that you may see.
#[utoipa::path(tag = "documents", operation_id = "documents.list", params(Which), responses((status = 200, description = "In the order of their ranks", body = inline(Listing<Document>))))]
#[get("/documents/")]
async fn list(state: Data<State>, Known(caller): Known, which: Query<Which>) -> Result<web::Json<Listing<Document>>, ApiError> {
    let which = which.0;
    let access = state.door().enter(who::of_caller(&caller), which.workspace_id).await?;
    let paging = Paging {
        limit: which.limit,
        cursor: which.cursor,
    };
    let wanted = Wanted {
        parent: parent_of(which.parent_id.as_deref())?,
        state: stands(which.trashed, which.archived)?,
        after: paging.after()?,
        limit: paging.limit()?,
    };
    let listed = listing::list(&state.db, &access, &wanted).await?;
    let next_cursor = listed.next.as_ref().and_then(cursor);
    Ok(web::Json(Listing {
        data: listed.rows.into_iter().map(Document::from).collect(),
        next_cursor,
    }))
}

/// The parent that a list is narrowed to: a page, the top, or none.
pub(super) fn parent_of(text: Option<&str>) -> Result<Option<Option<DocumentId>>, ApiError> {
    let bad = || ApiError::invalid(vec![Field::new("/parent_id", "invalid", "is a page's id, or root")]);
    match text {
        None => Ok(None),
        Some("root") => Ok(Some(None)),
        Some(id) => Ok(Some(Some(id.parse().map_err(|_| bad())?))),
    }
}

/// The state that is asked for; a page is archived or in the trash, not both.
pub(super) fn stands(trashed: bool, archived: bool) -> Result<Stands, ApiError> {
    match (trashed, archived) {
        (false, false) => Ok(Stands::Living),
        (false, true) => Ok(Stands::Archived),
        (true, false) => Ok(Stands::Trashed),
        (true, true) => Err(ApiError::invalid(vec![Field::new("/archived", "invalid", "goes without trashed")])),
    }
}

/// Make a page.
#[utoipa::path(tag = "documents", operation_id = "documents.create", request_body = CreateDocument, responses((status = 201, description = "Made", body = DocumentWithBlocks)))]
#[post("/documents/")]
async fn create(state: Data<State>, Known(caller): Known, body: Json<CreateDocument>) -> Result<HttpResponse, ApiError> {
    let body = body.0;
    let who = who::of_caller(&caller);
    let access = state.door().enter(who, body.workspace_id).await?;
    let under = match body.parent_id {
        Some(parent) => Some(state.door().open::<EditDocument>(who, parent).await.map_err(|e| bad_parent(&e))?),
        None => None,
    };
    let new = NewDocument {
        id: body.id,
        parent: body.parent_id,
        title: body.title,
        icon: body.icon,
        cover: body.cover,
        is_template: false,
        blocks: body.blocks.into_iter().map(NewBlock::from).collect(),
    };
    if let Some(template) = body.template_id {
        let row = template::fill(&state, template, (&access, under.as_ref()), new).await?;
        return answer(&state, who, row.id).await;
    }
    let limits = &state.rooms.settings().limits;
    let made = state
        .write(
            &Both(&access, under.as_ref()),
            async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
                workspaces::quota::check_document(tx, &access, &state.settings.quotas).await?;
                Ok(document::create(tx, &access, under.as_ref(), new, limits).await?)
            },
        )
        .await?;
    let level = access::level(&state.db, who, made.row.id)
        .await?
        .map_or(Level::View, |(level, _)| level);
    Ok(HttpResponse::Created().json(whole(made.row, level, (&made.head, made.content))))
}

/// A page that was just made.
async fn answer(state: &State, who: access::Who, id: DocumentId) -> Result<HttpResponse, ApiError> {
    let access = state.door().open::<ViewDocument>(who, id).await?;
    let (head, content) = state.rooms.read(&access).await?;
    Ok(HttpResponse::Created().json(whole(access.document().clone(), access.level(), (&head, content))))
}

/// A parent that cannot be used is a bad field of the request, but for faults of ours.
pub(crate) fn bad_parent(error: &access::AccessError) -> ApiError {
    match error {
        access::AccessError::Db(_) => ApiError::of_status(actix_web::http::StatusCode::SERVICE_UNAVAILABLE),
        _ => ApiError::invalid(vec![Field::new(
            "/parent_id",
            "not_found",
            "is no page of this workspace that you may edit",
        )]),
    }
}

/// Which state of a page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichState {
    /// Heads (with commas between them), a number, a version's id, or a time; the present when left out. Not for who holds
    /// a share link.
    at: Option<String>,
}

impl WhichState {
    /// Whether it is the page as it is.
    pub(super) fn is_present(&self) -> bool {
        self.at.is_none()
    }
}

/// A page's content and where its log stands: now, or as it was.
pub(super) async fn content(state: &State, access: &DocumentAccess<ViewDocument>, which: &WhichState) -> Result<(Head, Content), ApiError> {
    match &which.at {
        None => Ok(state.rooms.read(access).await?),
        Some(at) => {
            let (standing, content) = history::read_at(state, access, at).await?;
            Ok((standing.head, content))
        }
    }
}

/// Read a page with its blocks, as it is or as it was.
#[utoipa::path(tag = "documents", operation_id = "documents.read", params(("document_id" = uuid::Uuid, Path), WhichState), responses((status = 200, description = "The page; `ETag` names its heads", body = DocumentWithBlocks)))]
#[get("/documents/{document_id}/")]
async fn read(state: Data<State>, CanShared(access): CanShared<ViewDocument>, which: Query<WhichState>) -> Result<HttpResponse, ApiError> {
    let (head, content) = content(&state, &access, &which.0).await?;
    let etag = format!("\"{}\"", heads::to_strings(&head.heads).join("."));
    let page = shape::read(&state, &access, (&head, content)).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(page))
}

/// Changes to a page. What is left out stays; null clears.
#[derive(Deserialize, ToSchema, Validate)]
struct EditDocumentBody {
    /// Merged with what others type.
    #[schema(example = "Meeting notes, Tuesday")]
    title: Option<String>,
    /// Emoji or url.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>)]
    icon: Option<Option<String>>,
    /// Url of a picture.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>)]
    cover: Option<Option<String>>,
    /// What members may do: none, view, comment, edit or manage. Takes the manage level.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>, example = "view")]
    default_level: Option<Option<Level>>,
    /// Whether nothing that is said or granted above counts for it and what hangs under it. Takes the manage level.
    restricted: Option<bool>,
    /// Whether pages are made from it.
    is_template: Option<bool>,
}

/// Change a page's title, icon, cover or access.
#[utoipa::path(tag = "documents", operation_id = "documents.edit", params(("document_id" = uuid::Uuid, Path)), request_body = EditDocumentBody, responses((status = 200, description = "As it is now", body = DocumentWithBlocks)))]
#[patch("/documents/{document_id}/")]
async fn edit(
    state: Data<State>,
    CanShared(access): CanShared<EditDocument>,
    body: Json<EditDocumentBody>,
) -> Result<HttpResponse, ApiError> {
    let body = body.0;
    let (who, id) = (access.who(), access.id());
    let title = body.title.as_deref().map(document::checked_title).transpose()?;
    // The right to change rights is asked before anything is changed.
    let rules = Rules {
        default_level: body.default_level,
        restricted: body.restricted,
    };
    if !rules.is_empty() {
        let manages = state.door().open::<ManageDocument>(who, id).await?;
        state
            .write(&manages, async |tx: &DatabaseTransaction| {
                document::set_rules(tx, &manages, rules).await
            })
            .await?;
    }
    if body.icon.is_some() || body.cover.is_some() || body.is_template.is_some() {
        // Read again: the row may just have been changed.
        let access = state.door().open::<EditDocument>(who, id).await?;
        let edit = DocumentEdit {
            icon: body.icon,
            cover: body.cover,
            is_template: body.is_template,
        };
        state
            .write(&access, async |tx: &DatabaseTransaction| document::edit(tx, &access, edit).await)
            .await?;
    }
    if let Some(value) = title {
        let ops = vec![Op::Put {
            path: "title".to_owned(),
            value,
        }];
        state
            .rooms
            .edit(
                &access,
                EditRequest {
                    ops,
                    ..EditRequest::default()
                },
            )
            .await?;
    }
    let access = state.door().open::<ViewDocument>(who, id).await?;
    let (head, content) = state.rooms.read(&access).await?;
    Ok(HttpResponse::Ok().json(whole(access.document().clone(), access.level(), (&head, content))))
}

/// How a page is deleted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct How {
    /// Destroys a page that is in the trash already, with its history. Takes the manage level.
    #[serde(default)]
    permanent: bool,
}

/// Put a page, and what hangs under it, in the trash.
#[utoipa::path(tag = "documents", operation_id = "documents.delete", params(("document_id" = uuid::Uuid, Path), How), responses((status = 204, description = "Gone")))]
#[delete("/documents/{document_id}/")]
async fn trash(
    state: Data<State>,
    Known(caller): Known,
    request: actix_web::HttpRequest,
    how: Query<How>,
) -> Result<HttpResponse, ApiError> {
    let (who, id): (_, DocumentId) = (who::of_caller(&caller), crate::extract::id(&request, "document_id")?);
    if how.0.permanent {
        let access = state.door().open_trashed::<ManageDocument>(who, id).await?;
        state
            .write(&access, async |tx: &DatabaseTransaction| bin::destroy(tx, &access).await)
            .await?;
        state.rooms.gone(vec![id]).await;
    } else {
        let access = state.door().open::<EditDocument>(who, id).await?;
        let gone = state
            .write(&access, async |tx: &DatabaseTransaction| bin::put(tx, &access).await)
            .await?;
        state.rooms.gone(gone).await;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Take a page, and what went with it, out of the trash.
#[utoipa::path(tag = "documents", operation_id = "documents.restore", params(("document_id" = uuid::Uuid, Path)), responses((status = 200, description = "Back where it was, or at the top", body = DocumentWithBlocks)))]
#[post("/documents/{document_id}/restore/")]
async fn restore(state: Data<State>, CanTrashed(access): CanTrashed<EditDocument>) -> Result<HttpResponse, ApiError> {
    let (who, id) = (access.who(), access.id());
    state
        .write(&access, async |tx: &DatabaseTransaction| bin::restore(tx, &access).await)
        .await?;
    let access = state.door().open::<ViewDocument>(who, id).await?;
    let (head, content) = state.rooms.read(&access).await?;
    Ok(HttpResponse::Ok().json(whole(access.document().clone(), access.level(), (&head, content))))
}
