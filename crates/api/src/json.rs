//! JSON bodies: read under a limit, and refused with the name of every bad field.

use crate::{
    problem::ApiError,
    state::State,
};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::StatusCode,
    web::{BytesMut, Data},
};
use futures::{StreamExt, future::LocalBoxFuture};
use kernel::error::Field;
use serde::de::DeserializeOwned;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

/// A body of `T`, parsed and validated.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Json<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            check_type(&request)?;
            let limit = limit_for(&request);
            let too_large = || ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("a body here has at most {limit} bytes"));
            let mut body = BytesMut::new();
            while let Some(chunk) = payload.next().await {
                let chunk = chunk.map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "bad_body", "the body could not be read"))?;
                if body.len() + chunk.len() > limit {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk);
            }
            parse(&body).map(Json)
        })
    }
}

fn check_type(request: &HttpRequest) -> Result<(), ApiError> {
    let is_json = match request.mime_type() {
        Ok(Some(mime)) => mime.subtype() == mime::JSON || mime.suffix() == Some(mime::JSON),
        _ => false,
    };
    if is_json { Ok(()) } else { Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "send application/json")) }
}

fn limit_for(request: &HttpRequest) -> usize {
    let settings = request.app_data::<Data<State>>().map(|state| state.settings.clone()).unwrap_or_default();
    if request.path().starts_with("/api/v1/auth/") { settings.auth_body_bytes } else { settings.body_bytes }
}

fn parse<T: DeserializeOwned + Validate>(body: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            let pointer = pointer(error.path());
            return ApiError::invalid(vec![Field::new(pointer, "invalid", strip_place(&inner.to_string()))]);
        }
        ApiError::new(StatusCode::BAD_REQUEST, "bad_json", format!("the body is not JSON: {inner}"))
    })?;
    reader.end().map_err(|e| ApiError::new(StatusCode::BAD_REQUEST, "bad_json", format!("the body is not JSON: {e}")))?;
    value.validate().map_err(|errors| ApiError::invalid(fields("", &errors)))?;
    Ok(value)
}

/// A path of serde's as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let part = |segment: &Segment| match segment {
        Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(part).collect()
}

/// serde's sentence without the line and column, which the pointer says better.
fn strip_place(sentence: &str) -> String {
    sentence.split(" at line ").next().unwrap_or(sentence).to_owned()
}

/// All that validation found, with pointers.
fn fields(at: &str, errors: &ValidationErrors) -> Vec<Field> {
    let mut out = Vec::new();
    for (name, kind) in errors.errors() {
        let pointer = format!("{at}/{name}");
        match kind {
            ValidationErrorsKind::Field(errors) => {
                let detail = |e: &validator::ValidationError| e.message.as_ref().map_or_else(|| format!("does not satisfy {}", e.code), ToString::to_string);
                out.extend(errors.iter().map(|e| Field::new(pointer.clone(), "invalid", detail(e))));
            }
            ValidationErrorsKind::Struct(errors) => out.extend(fields(&pointer, errors)),
            ValidationErrorsKind::List(items) => items.iter().for_each(|(i, errors)| out.extend(fields(&format!("{pointer}/{i}"), errors))),
        }
    }
    out
}
