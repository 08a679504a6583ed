//! Pictures of people: sent raw, kept small, shown to who may know of the person.

use super::people::may_know;
use crate::{
    etag::Tag,
    extract::{At, Known, door},
    problem::ApiError,
    state::State,
};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, delete,
    dev::Payload,
    get,
    http::{StatusCode, header},
    put,
    web::{BytesMut, Data},
};
use futures::{StreamExt, future::LocalBoxFuture};
use kernel::id::*;
use serde::Serialize;
use users::avatar;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(set).service(remove).service(show);
}

/// A picture that was set.
#[derive(Serialize, ToSchema)]
struct Avatar {
    /// Its version, as in the `ETag` of the picture.
    #[schema(example = "9f86d081884c7d65")]
    avatar: String,
}

/// The bytes of an image, of whatever type they say they are.
struct Upload(Vec<u8>);

impl FromRequest for Upload {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            door(&request).await;
            read(&request, payload).await.map(Self)
        })
    }
}

async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Vec<u8>, ApiError> {
    let is_plain = |value: &header::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    let is_image = matches!(request.mime_type(), Ok(Some(mime)) if mime.type_() == mime::IMAGE || mime == mime::APPLICATION_OCTET_STREAM);
    if !is_image
        || request
            .headers()
            .get(header::CONTENT_ENCODING)
            .is_some_and(|value| !is_plain(value))
    {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send the bytes of an image, as image/png, image/jpeg, image/webp or image/gif",
        ));
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "bad_body", "the body could not be read"))?;
        if bytes.len() + chunk.len() > avatar::MAX_BYTES {
            let detail = format!("a picture has at most {} bytes", avatar::MAX_BYTES);
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.to_vec())
}

/// Set your picture.
///
/// Send a PNG, JPEG, WebP or GIF of at most 5 MiB. Its middle square is kept, 256 pixels wide, and nothing else of the
/// file.
#[utoipa::path(tag = "users", operation_id = "users.set_avatar", request_body(content = inline(crate::bytes::Bytes), content_type = "image/*", description = "The image"), responses((status = 200, description = "Set", body = Avatar)))]
#[put("/users/me/avatar/")]
async fn set(state: Data<State>, Known(caller): Known, image: Upload) -> Result<HttpResponse, ApiError> {
    let row = avatar::set(&state.accounts, caller.user, image.0).await?;
    Ok(HttpResponse::Ok().json(Avatar { avatar: row.hash }))
}

/// Remove your picture.
#[utoipa::path(tag = "users", operation_id = "users.remove_avatar", responses((status = 204, description = "There is none now")))]
#[delete("/users/me/avatar/")]
async fn remove(state: Data<State>, Known(caller): Known) -> Result<HttpResponse, ApiError> {
    avatar::remove(&state.accounts, caller.user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// See the picture of somebody you share a workspace with, or your own.
#[utoipa::path(tag = "users", operation_id = "users.avatar", params(("user_id" = uuid::Uuid, Path)), responses((status = 200, description = "A PNG of 256 × 256 pixels", content_type = "image/png", body = inline(crate::bytes::Bytes), headers(("ETag" = String, description = "Its version")))))]
#[get("/users/{user_id}/avatar/")]
async fn show(state: Data<State>, Known(caller): Known, At(id): At<UserId>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    may_know(&state, &caller, id).await?;
    let row = avatar::find(&state.db, id).await?.ok_or_else(ApiError::not_found)?;
    let tag = Tag::of(std::slice::from_ref(&row.hash));
    let mut answer = match tag.is_known_to(&request) {
        true => HttpResponse::NotModified(),
        false => HttpResponse::Ok(),
    };
    answer
        .insert_header(tag.header())
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; sandbox",
        ))
        .insert_header(("Cross-Origin-Resource-Policy", "same-site"))
        .insert_header((header::CONTENT_DISPOSITION, "inline; filename=\"avatar.png\""));
    if tag.is_known_to(&request) {
        return Ok(answer.finish());
    }
    Ok(answer.content_type("image/png").body(row.bytes))
}
