//! JSON bodies: read under a limit, and refused with the name of every bad field. Nothing is said about a body before it
//! is decided that the caller may send one.

use crate::{extract, problem::ApiError, state::State};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web::{BytesMut, Data},
};
use futures::{StreamExt, future::LocalBoxFuture};
use kernel::error::Field;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use std::borrow::Cow;
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

/// A body of `T`, parsed and validated.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Json<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            extract::door(&request).await;
            check_type(&request)?;
            let body = body_up_to(&request, payload, limit_for(&request)).await?;
            parse(&body).map(Json)
        })
    }
}

/// A body that may be left out altogether: then it says what `T` says by default.
pub struct OrNothing<T>(pub T);

impl<T: DeserializeOwned + Validate + Default + 'static> FromRequest for OrNothing<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            extract::door(&request).await;
            let body = body_up_to(&request, payload, limit_for(&request)).await?;
            if body.is_empty() {
                return Ok(Self(T::default()));
            }
            check_type(&request)?;
            parse(&body).map(Self)
        })
    }
}

/// Tells an absent field from one that is null.
pub(crate) fn maybe<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

fn check_type(request: &HttpRequest) -> Result<(), ApiError> {
    let refused = |detail: &str| Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    let is_json = match request.mime_type() {
        Ok(Some(mime)) => mime.subtype() == mime::JSON || mime.suffix() == Some(mime::JSON),
        _ => false,
    };
    if !is_json {
        return refused("send application/json");
    }
    match request.headers().get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => refused("send the body uncompressed"),
        _ => Ok(()),
    }
}

fn limit_for(request: &HttpRequest) -> usize {
    let settings = request
        .app_data::<Data<State>>()
        .map(|state| state.settings.clone())
        .unwrap_or_default();
    if request.path().starts_with("/api/v1/auth/") {
        settings.auth_body_bytes
    } else {
        settings.body_bytes
    }
}

/// A body of at most so many bytes.
///
/// # Errors
/// 413 when it has more, 400 when it breaks off.
pub(crate) async fn body_up_to(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<BytesMut, ApiError> {
    let too_large = || {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("a body here has at most {limit} bytes"),
        )
    };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "bad_body", "the body could not be read"))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn parse<T: DeserializeOwned + Validate>(body: &[u8]) -> Result<T, ApiError> {
    let bad_json = |error: &serde_json::Error| ApiError::new(StatusCode::BAD_REQUEST, "bad_json", format!("the body is not JSON: {error}"));
    // An array would be read as the fields of an object in their order, which no client means.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::invalid(vec![Field::new("", "invalid", "is an object")]));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            ApiError::invalid(vec![bad_field(error.path(), &inner.to_string())])
        } else {
            bad_json(inner)
        }
    })?;
    reader.end().map_err(|error| bad_json(&error))?;
    value.validate().map_err(|errors| ApiError::invalid(fields("", &errors)))?;
    Ok(value)
}

/// What serde says about a field, with the field's pointer. It names a missing one only in its sentence.
pub(crate) fn bad_field(path: &serde_path_to_error::Path, sentence: &str) -> Field {
    let at = pointer(path);
    // The pointer says better where it is than the line and column.
    let sentence = sentence.rsplit_once(" at line ").map_or(sentence, |(sentence, _)| sentence);
    let missing = sentence.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match missing {
        Some(name) => Field::new(format!("{at}/{}", escape(name)), "required", "is required"),
        None => Field::new(at, "invalid", shortened(sentence)),
    }
}

/// A path of serde's as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let part = |segment: &Segment| match segment {
        Segment::Map { key } => Some(format!("/{}", escape(key))),
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(part).collect()
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A sentence that repeats what was sent, cut where it gets long.
fn shortened(sentence: &str) -> String {
    match sentence.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &sentence[..end]),
        None => sentence.to_owned(),
    }
}

/// All that validation found, with pointers, in the order of the pointers.
fn fields(at: &str, errors: &ValidationErrors) -> Vec<Field> {
    let mut out = Vec::new();
    for (name, kind) in errors.errors() {
        let pointer = format!("{at}/{name}");
        match kind {
            ValidationErrorsKind::Field(errors) => out.extend(errors.iter().map(|error| field(&pointer, error))),
            ValidationErrorsKind::Struct(errors) => out.extend(fields(&pointer, errors)),
            ValidationErrorsKind::List(items) => items
                .iter()
                .for_each(|(i, errors)| out.extend(fields(&format!("{pointer}/{i}"), errors))),
        }
    }
    out.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    out
}

fn field(pointer: &str, error: &ValidationError) -> Field {
    let code = match error.code {
        Cow::Borrowed(code) => code,
        Cow::Owned(_) => "invalid",
    };
    let detail = error
        .message
        .as_ref()
        .map_or_else(|| format!("does not satisfy {code}"), ToString::to_string);
    Field::new(pointer, code, detail)
}

#[cfg(test)]
mod tests;
