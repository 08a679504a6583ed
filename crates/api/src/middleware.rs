//! What happens around every request: its id, one spelling of its path, a task of its own, and errors as problems.

use crate::problem::{ApiError, Asked, Unanswered};
use actix_web::{
    Error,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode, Uri,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
    rt,
};
use std::time::Instant;

/// The header that names a request, coming and going.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Both spellings of a path, with and without the slash at its end, are one; never by a redirect, which would lose a
/// body. Left alone are files: whatever has a dot in its last part, and the docs page.
fn with_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let last = path.rsplit('/').next().unwrap_or_default();
    if path.ends_with('/') || last.contains('.') || path.starts_with("/docs") {
        return None;
    }
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    format!("{path}/{query}").parse().ok()
}

/// Handles one request. The handler runs in a task of its own, so that a client that goes away does not stop a
/// transaction half-way, and a panic costs one answer.
///
/// # Errors
/// Never: errors become answers here.
pub async fn handle(mut request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let start = Instant::now();
    let given = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| is_id(id)).map(str::to_owned);
    let asked = Asked { id: given.unwrap_or_else(|| kernel::id::EventId::new().to_string()), path: request.path().to_owned() };
    if let Some(uri) = with_slash(request.uri()) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    match rt::spawn(async move { next.call(request).await }).await {
        Ok(Ok(response)) => Ok(finish(response, &asked, start)),
        Ok(Err(error)) => {
            let error = error.as_error::<ApiError>().cloned().unwrap_or_else(|| ApiError::of_status(error.as_response_error().status_code()));
            Err(Unanswered(error, asked).into())
        }
        Err(panic) => {
            tracing::error!(request_id = asked.id, %panic, "a handler panicked");
            Err(Unanswered(ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR), asked).into())
        }
    }
}

/// Errors that became answers inside get their problem; every answer gets its headers, and a line in the log.
fn finish(response: ServiceResponse<BoxBody>, asked: &Asked, start: Instant) -> ServiceResponse<BoxBody> {
    let failed = response.response().error().map(|error| {
        error.as_error::<ApiError>().cloned().unwrap_or_else(|| ApiError::of_status(error.as_response_error().status_code()))
    });
    let is_bare = response.status().as_u16() >= 400 && !has_body(&response);
    let failed = failed.or_else(|| is_bare.then(|| ApiError::of_status(response.status())));
    let request = response.request().clone();
    let mut response = match failed {
        Some(error) => response.into_response(error.respond(asked)),
        None => response,
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&asked.id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // The route, never the query: tokens may stand in it.
    tracing::info!(
        request_id = asked.id,
        method = %request.method(),
        route = request.match_pattern().unwrap_or_else(|| "(none)".to_owned()),
        status = response.status().as_u16(),
        duration_ms = start.elapsed().as_millis() as u64,
        "request"
    );
    response
}

fn has_body(response: &ServiceResponse<BoxBody>) -> bool {
    !matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0))
}
