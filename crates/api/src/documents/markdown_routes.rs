//! A page as Markdown: read, and saved so that only what differs is changed, in the midst of what others type.

use super::{
    routes::{WhichState, content},
    shape::{Standing, base_heads},
};
use crate::{
    etag::{IfMatch, Tag},
    extract::{CanShared, Query, door},
    json::body_up_to,
    problem::ApiError,
    state::State,
};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse,
    dev::Payload,
    get,
    http::{StatusCode, header},
    put, web,
    web::Data,
};
use collab::rooms::EditRequest;
use documents::{
    error::Error,
    heads,
    log::Head,
    markdown::{self, Note, Saved},
    projection::Content,
    shown,
};
use futures::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::access::{DocumentAccess, EditDocument, ViewDocument};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read).service(save);
}

/// The longest text that is taken in.
const MAX_BYTES: usize = 4 << 20;

fn tag(head: &Head) -> Tag {
    Tag::of(&[heads::to_strings(&head.heads).join(".")])
}

/// Work on a text takes milliseconds to seconds: never on an async thread.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    web::block(work)
        .await
        .map_err(|_| ApiError::of_status(StatusCode::SERVICE_UNAVAILABLE))
}

/// Read a page as Markdown, as it is or as it was. Blocks that stand for pages have their titles as they are now.
#[utoipa::path(tag = "documents", operation_id = "documents.markdown", params(("document_id" = uuid::Uuid, Path), WhichState), responses((status = 200, description = "The page; `ETag` names its heads", content_type = "text/markdown", body = String)))]
#[get("/documents/{document_id}/markdown/")]
async fn read(state: Data<State>, CanShared(access): CanShared<ViewDocument>, which: Query<WhichState>) -> Result<HttpResponse, ApiError> {
    let (head, mut content) = content(&state, &access, &which.0).await?;
    if which.0.is_present() {
        let blocks = &mut content.blocks;
        shown::entitle(&state.db, access.who(), blocks).await.map_err(Error::from)?;
    }
    let text = aside(move || markdown::to_markdown(&content.title, &content.blocks)).await?;
    Ok(HttpResponse::Ok()
        .insert_header(tag(&head).header())
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .content_type("text/markdown; charset=utf-8")
        .body(text))
}

/// Text of a body, as Markdown.
struct Text(String);

impl FromRequest for Text {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            door(&request).await;
            if !matches!(request.content_type(), "text/markdown" | "text/plain") {
                return Err(ApiError::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "unsupported_media_type",
                    "send text/markdown",
                ));
            }
            let body = body_up_to(&request, payload, MAX_BYTES).await?;
            let text = String::from_utf8(body.to_vec());
            let text = text.map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "bad_text", "the body is not UTF-8"))?;
            Ok(Self(text))
        })
    }
}

/// What a saving is made on.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct On {
    /// The heads of the page whose text you edited, with a dot between them, as its `ETag` has them: what others changed
    /// since is kept.
    base_heads: Option<String>,
    /// Makes it safe to send again: the same id is not applied twice.
    message_id: Option<String>,
}

/// What a text has and a page has no place for.
#[derive(Serialize, ToSchema)]
struct Lost {
    /// The line, from 1.
    #[schema(example = 12)]
    line: usize,
    /// `html`, `tag`, `comment`, `link`, `nesting`, `level`, `detail` or `length`.
    #[schema(example = "comment")]
    code: &'static str,
    /// The same in words.
    #[schema(example = "a comment was dropped")]
    detail: &'static str,
}

impl From<Note> for Lost {
    fn from(note: Note) -> Self {
        Self {
            line: note.line,
            code: note.loss.code(),
            detail: note.loss.detail(),
        }
    }
}

/// What saving a text did.
#[derive(Serialize, ToSchema)]
struct SavedMarkdown {
    /// Where the page stands with it.
    #[serde(flatten)]
    standing: Standing,
    /// How many edits it took; none when the page says all that already.
    #[schema(example = 2)]
    edits: usize,
    /// Whether this message was applied before; then it was not applied again.
    duplicate: bool,
    /// What could not be kept as it was written.
    notes: Vec<Lost>,
}

/// Save a page as Markdown. Blocks that are alike keep their ids and what hangs on them; only what differs is changed, as
/// one change. With `If-Match` it fails when the page has changed before it is taken up; what others write in that very
/// moment is kept and merges, as everything does with `base_heads`.
#[utoipa::path(tag = "documents", operation_id = "documents.save_markdown", params(("document_id" = uuid::Uuid, Path), On, ("If-Match" = Option<String>, Header, description = "The `ETag` you read")), request_body(content = String, content_type = "text/markdown"), responses((status = 200, description = "Saved; `ETag` names the heads", body = SavedMarkdown)))]
#[put("/documents/{document_id}/markdown/")]
async fn save(
    state: Data<State>,
    CanShared(access): CanShared<EditDocument>,
    seen: IfMatch,
    on: Query<On>,
    text: Text,
) -> Result<HttpResponse, ApiError> {
    let reads = state.door().open::<ViewDocument>(access.who(), access.id()).await?;
    let (head, content) = state.rooms.read(&reads).await?;
    seen.allows(&tag(&head))?;
    let (base, content) = based(&state, &reads, &on.0, (&head, content)).await?;
    let Text(text) = text;
    let saved = aside(move || markdown::save(&content.title, &content.blocks, &text)).await?;
    let Saved { ops, notes } = saved.map_err(Error::from)?;
    let edits = ops.len();
    let (head, duplicate) = if ops.is_empty() {
        (head, false)
    } else {
        let request = EditRequest {
            ops,
            base_heads: Some(base),
            message_id: super::block_routes::message_id(on.0.message_id)?,
            ..EditRequest::default()
        };
        // The edits are ours: nobody can look up which it was.
        let done = state
            .rooms
            .edit(&access, request)
            .await
            .map_err(|error| ApiError::from(error).repointed(|_| String::new()))?;
        (done.head, done.is_duplicate)
    };
    Ok(HttpResponse::Ok().insert_header(tag(&head).header()).json(SavedMarkdown {
        standing: (&head).into(),
        edits,
        duplicate,
        notes: notes.into_iter().map(Lost::from).collect(),
    }))
}

/// The page that the text was made from: as it is, or as it was at the heads that are named.
async fn based(
    state: &State,
    access: &DocumentAccess<ViewDocument>,
    on: &On,
    (head, content): (&Head, Content),
) -> Result<(Vec<heads::Hash>, Content), ApiError> {
    let named = on
        .base_heads
        .as_deref()
        .map(|named| named.split(['.', ',']).map(str::to_owned).collect());
    let Some(mut base) = base_heads(named)? else {
        return Ok((head.heads.clone(), content));
    };
    base.sort();
    if base == head.heads {
        return Ok((base, content));
    }
    let (_, past) = state.rooms.past(access).await?;
    let heads = base.clone();
    let content = state.rooms.look(&past, move |past| past.content_at(&heads)).await;
    match content {
        Err(Error::StateNotFound) => Err(Error::BaseUnknown.into()),
        content => Ok((base, content?)),
    }
}
