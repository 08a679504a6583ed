//! Files of pages.

pub(crate) mod body;
pub(crate) mod content;
mod of_file;
mod signed;

use crate::{
    extract::{CanDocument, CanShared, Known, Query},
    json::Json,
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
    who,
};
use ::attachments::{
    attachment::{self as files, NewAttachment},
    copy,
};
use actix_web::{HttpResponse, delete, get, http::header, post, put, web::Data};
use body::{Body, Form};
use entity::attachment;
use kernel::{clock::Time, id::*};
use of_file::{OfFile, OfSharedFile};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::access::{EditDocument, ViewDocument};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(add).service(create).service(upload);
    config.service(read).service(remove).service(restore);
    config.service(content::read).service(signed::sign);
}

/// A file of a page.
#[derive(Serialize, ToSchema)]
struct Attachment {
    /// Its id, as blocks name it in `attachment_id`.
    #[schema(value_type = uuid::Uuid)]
    id: AttachmentId,
    /// The page it belongs to: who may see that may see this.
    #[schema(value_type = uuid::Uuid)]
    document_id: DocumentId,
    /// What people call it.
    #[schema(example = "photo.jpg")]
    name: String,
    /// What its bytes say it is, whatever its name says.
    #[schema(example = "image/jpeg")]
    media_type: String,
    /// Bytes: as promised, and once they have come, as they are.
    #[schema(example = 240_113)]
    size: Option<i64>,
    /// SHA-256 of the bytes in hexadecimal.
    sha256: Option<String>,
    /// `pending` until its bytes have come, then `ready`.
    #[schema(value_type = StateName, inline, example = "ready")]
    state: &'static str,
    /// Pixels, of a picture that could be decoded.
    #[schema(example = 4032)]
    width: Option<i32>,
    /// Pixels.
    #[schema(example = 3024)]
    height: Option<i32>,
    /// Whether there are thumbnails: soon after a picture has come.
    has_thumbnails: bool,
    /// Who brought it.
    #[schema(value_type = uuid::Uuid)]
    created_by: UserId,
    /// When it was announced.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When its bytes had come.
    #[schema(value_type = Option<String>, format = DateTime)]
    uploaded_at: Option<Time>,
    /// Where its bytes are, or go.
    #[schema(example = "/api/v1/attachments/0192d3a4-7b1c-7c3e-9f00-5b2a6c1d8e4f/content/")]
    content_url: String,
}

/// Whether the bytes of a file have come.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its names are used, in the OpenAPI document")]
enum StateName {
    /// Announced.
    Pending,
    /// There.
    Ready,
}

impl From<attachment::Model> for Attachment {
    fn from(row: attachment::Model) -> Self {
        Self {
            content_url: place(row.id) + "content/",
            id: row.id,
            document_id: row.document_id,
            name: row.name,
            media_type: row.media_type,
            size: row.size,
            sha256: row.sha256,
            state: match row.state {
                attachment::State::Pending => "pending",
                attachment::State::Ready => "ready",
            },
            width: row.width,
            height: row.height,
            has_thumbnails: row.thumbnail.is_some(),
            created_by: row.created_by,
            created_at: row.created_at,
            uploaded_at: row.uploaded_at,
        }
    }
}

fn place(id: AttachmentId) -> String {
    format!("/api/v1/attachments/{id}/")
}

fn created(row: attachment::Model) -> HttpResponse {
    let place = (header::LOCATION, place(row.id));
    HttpResponse::Created().insert_header(place).json(Attachment::from(row))
}

/// A file to be announced.
#[derive(Deserialize, ToSchema, Validate)]
struct CreateAttachment {
    /// The page.
    #[schema(value_type = uuid::Uuid)]
    document_id: DocumentId,
    /// What people call it. What could hurt on a disk is taken out of it.
    #[validate(length(max = 4096, message = "takes at most 4096 characters"))]
    #[schema(example = "photo.jpg")]
    name: String,
    /// Bytes that will come: as many have to.
    #[schema(example = 240_113)]
    size: Option<u64>,
    /// SHA-256 of them in hexadecimal: other bytes are refused.
    sha256: Option<String>,
}

/// What a file that comes in one request is.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Described {
    /// What people call it; of a form, the file's own name when left out.
    #[param(example = "photo.jpg", max_length = 4096)]
    name: Option<String>,
    /// SHA-256 of the bytes in hexadecimal: other bytes are refused.
    sha256: Option<String>,
}

/// List the files of a page.
#[utoipa::path(tag = "attachments", operation_id = "attachments.list", params(("document_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Those whose bytes have come, oldest first", body = inline(Listing<Attachment>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/documents/{document_id}/attachments/")]
async fn list(
    state: Data<State>,
    CanShared(access): CanShared<ViewDocument>,
    paging: Query<Paging>,
) -> Result<Listing<Attachment>, ApiError> {
    let all = files::list_of(&state.db, &access).await?;
    Listing::cut(all.into_iter().map(Attachment::from).collect(), &paging.0)
}

/// Add a file to a page.
///
/// Send its bytes as the body, of any media type, or as the first file of a `multipart/form-data`. What it is is found out
/// from the bytes; a body of known length is refused before it is sent when it is too long.
#[utoipa::path(tag = "attachments", operation_id = "attachments.add", params(("document_id" = uuid::Uuid, Path), Described), request_body(content = inline(crate::bytes::Bytes), content_type = "application/octet-stream", description = "The bytes"), responses((status = 201, description = "It is there", body = Attachment, headers(("Location" = String, description = "Where it is"))), (status = 408, description = "`upload_too_slow`", body = crate::problem::Problem, content_type = "application/problem+json")))]
#[post("/documents/{document_id}/attachments/")]
async fn add(
    state: Data<State>,
    CanDocument(access): CanDocument<EditDocument>,
    described: Query<Described>,
    form: Form,
) -> Result<HttpResponse, ApiError> {
    let form = form.opened().await?;
    let new = NewAttachment {
        id: None,
        name: described.0.name.or(form.name).unwrap_or_default(),
        size: form.size,
        sha256: described.0.sha256,
    };
    let row = copy::store_stream(&state.store(), &access, new, form.bytes).await;
    Ok(created(row.map_err(body::refused)?))
}

/// Announce a file, whose bytes come in a request of their own.
#[utoipa::path(tag = "attachments", operation_id = "attachments.create", request_body = CreateAttachment, responses((status = 201, description = "Now send its bytes to `content_url`, within a day", body = Attachment, headers(("Location" = String, description = "Where it is")))))]
#[post("/attachments/")]
async fn create(state: Data<State>, Known(caller): Known, body: Json<CreateAttachment>) -> Result<HttpResponse, ApiError> {
    let access = state
        .door()
        .open::<EditDocument>(who::of_caller(&caller), body.0.document_id)
        .await?;
    let new = NewAttachment {
        id: None,
        name: body.0.name,
        size: body.0.size,
        sha256: body.0.sha256,
    };
    let limits = &state.settings.attachments;
    let row = state.write(&access, async |tx: &DatabaseTransaction| {
        files::create(tx, &access, new, limits).await
    });
    Ok(created(row.await?))
}

/// Send the bytes of a file that was announced. An upload that failed may be tried again; a file is never changed.
#[utoipa::path(tag = "attachments", operation_id = "attachments.upload", params(("attachment_id" = uuid::Uuid, Path)), request_body(content = inline(crate::bytes::Bytes), content_type = "application/octet-stream", description = "The bytes"), responses((status = 200, description = "It is there", body = Attachment), (status = 408, description = "`upload_too_slow`", body = crate::problem::Problem, content_type = "application/problem+json")))]
#[put("/attachments/{attachment_id}/content/")]
async fn upload(state: Data<State>, OfFile(access, id): OfFile<EditDocument>, body: Body) -> Result<HttpResponse, ApiError> {
    let row = files::find(&state.db, &access, id).await?;
    let row = copy::store_announced(&state.store(), &access, &row, body.bytes).await;
    Ok(HttpResponse::Ok().json(Attachment::from(row.map_err(body::refused)?)))
}

/// Read what is known of a file.
#[utoipa::path(tag = "attachments", operation_id = "attachments.read", params(("attachment_id" = uuid::Uuid, Path)), responses((status = 200, description = "The file, without its bytes", body = Attachment)))]
#[get("/attachments/{attachment_id}/")]
async fn read(state: Data<State>, OfSharedFile(access, id): OfSharedFile<ViewDocument>) -> Result<HttpResponse, ApiError> {
    let row = files::find(&state.db, &access, id).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(Attachment::from(row)))
}

/// Delete a file. It can be taken back for some days; blocks that name it show nothing meanwhile.
#[utoipa::path(tag = "attachments", operation_id = "attachments.delete", params(("attachment_id" = uuid::Uuid, Path)), responses((status = 204, description = "It is not given out any more")))]
#[delete("/attachments/{attachment_id}/")]
async fn remove(state: Data<State>, OfFile(access, id): OfFile<EditDocument>) -> Result<HttpResponse, ApiError> {
    let removed = state.write(&access, async |tx: &DatabaseTransaction| files::delete(tx, &access, id).await);
    removed.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take a deleted file back.
#[utoipa::path(tag = "attachments", operation_id = "attachments.restore", params(("attachment_id" = uuid::Uuid, Path)), responses((status = 200, description = "It is there again", body = Attachment)))]
#[post("/attachments/{attachment_id}/restore/")]
async fn restore(state: Data<State>, OfFile(access, id): OfFile<EditDocument>) -> Result<HttpResponse, ApiError> {
    let back = state.write(&access, async |tx: &DatabaseTransaction| files::restore(tx, &access, id).await);
    Ok(HttpResponse::Ok().json(Attachment::from(back.await?)))
}
