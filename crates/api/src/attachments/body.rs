//! The bytes of an upload, as they come: as the body itself, or as the first file of a form. Nothing of them is read before
//! it is decided that the caller may send them.

use crate::{extract, problem::ApiError};
use ::attachments::Error;
use actix_multipart::Multipart;
use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
};
use backends::files::FilesError;
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, future::LocalBoxFuture, stream::LocalBoxStream};
use std::fmt::Display;

/// Fields of a form before its file; they are passed over.
const MOST_FIELDS: usize = 16;
/// Bytes of each of them.
const FIELD_BYTES: usize = 64 << 10;

/// The bytes of a body.
pub(crate) struct Body {
    /// They.
    pub bytes: LocalBoxStream<'static, Result<Bytes, String>>,
    /// How many, when the client says so.
    size: Option<u64>,
}

impl FromRequest for Body {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            extract::door(&request).await;
            check_encoding(&request)?;
            Ok(Self {
                size: length(&request),
                bytes: told(payload),
            })
        })
    }
}

/// Why bytes stopped, in words.
fn told<E: Display + 'static>(bytes: impl Stream<Item = Result<Bytes, E>> + 'static) -> LocalBoxStream<'static, Result<Bytes, String>> {
    bytes.map_err(|error| error.to_string()).boxed_local()
}

fn length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// What is stored is what was sent; a compressed body would be something else.
fn check_encoding(request: &HttpRequest) -> Result<(), ApiError> {
    match request.headers().get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send the bytes as they are, without Content-Encoding",
        )),
        _ => Ok(()),
    }
}

/// A body, or a form with a file in it.
pub(crate) enum Form {
    /// The body is the file.
    Plain(Body),
    /// It is in a form.
    Multipart(Box<Multipart>),
}

/// A file on its way in.
pub(crate) struct Incoming {
    /// What the form calls it.
    pub name: Option<String>,
    /// Bytes that come, when that is known.
    pub size: Option<u64>,
    /// They.
    pub bytes: LocalBoxStream<'static, Result<Bytes, String>>,
}

impl FromRequest for Form {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = matches!(request.mime_type(), Ok(Some(mime)) if mime.essence_str() == "multipart/form-data");
        if !is_form {
            let body = Body::from_request(request, payload);
            return Box::pin(async move { body.await.map(Self::Plain) });
        }
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            extract::door(&request).await;
            check_encoding(&request)?;
            Ok(Self::Multipart(Box::new(Multipart::new(request.headers(), payload))))
        })
    }
}

fn bad_form(detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_body", detail)
}

impl Form {
    /// The file in it.
    pub(crate) async fn opened(self) -> Result<Incoming, ApiError> {
        match self {
            Self::Plain(body) => Ok(Incoming {
                name: None,
                size: body.size,
                bytes: body.bytes,
            }),
            Self::Multipart(form) => file_of(*form).await,
        }
    }
}

async fn file_of(mut form: Multipart) -> Result<Incoming, ApiError> {
    for _ in 0..MOST_FIELDS {
        let field = form
            .try_next()
            .await
            .map_err(|error| bad_form(format!("the form cannot be read: {error}")))?;
        let Some(mut field) = field else { break };
        let name = field.content_disposition().and_then(|said| said.get_filename().map(str::to_owned));
        if let Some(name) = name {
            // The form has to live as long as its field; what comes behind the file is not looked at.
            let bytes = field.map(move |some| (some, &form).0.map_err(|error| error.to_string()));
            return Ok(Incoming {
                name: Some(name),
                size: None,
                bytes: bytes.boxed_local(),
            });
        }
        pass_over(&mut field).await?;
    }
    Err(bad_form("the form has no file in it"))
}

async fn pass_over(field: &mut actix_multipart::Field) -> Result<(), ApiError> {
    let mut left = FIELD_BYTES;
    while let Some(some) = field.next().await {
        let some = some.map_err(|error| bad_form(format!("the form cannot be read: {error}")))?;
        left = left
            .checked_sub(some.len())
            .ok_or_else(|| bad_form("a field before the file is too long"))?;
    }
    Ok(())
}

/// An upload that failed, in the words of HTTP where it has some.
pub(crate) fn refused(error: Error) -> ApiError {
    match error {
        Error::TooSlow => ApiError::new(StatusCode::REQUEST_TIMEOUT, "upload_too_slow", error.to_string()),
        Error::Files(FilesError::Interrupted(_)) => bad_form("the body ended before its end"),
        other => other.into(),
    }
}
