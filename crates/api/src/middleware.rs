//! What happens around every request: its id, one spelling of its path, a task of its own, and errors as problems.

use crate::problem::{ApiError, MEDIA_TYPE};
use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse},
    http::{
        StatusCode, Uri,
        header::{self, HeaderName, HeaderValue},
    },
    rt,
};
use std::time::Instant;

/// The header that names a request, coming and going.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[derive(Clone)]
struct RequestId(String);

/// The id of a request.
pub fn request_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

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
pub async fn around<S>(mut request: ServiceRequest, service: &S) -> Result<ServiceResponse<BoxBody>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>,
    S::Future: 'static,
{
    let start = Instant::now();
    let given = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| is_id(id)).map(str::to_owned);
    let id = given.unwrap_or_else(|| kernel::id::EventId::new().to_string());
    request.extensions_mut().insert(RequestId(id.clone()));
    if let Some(uri) = with_slash(request.uri()) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    let plain = request.request().clone();
    let answered = match rt::spawn(service.call(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => answer_error(&plain, &error),
        Err(panic) => {
            tracing::error!(request_id = id, %panic, "a handler panicked");
            ServiceResponse::new(plain.clone(), ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR).respond(&plain))
        }
    };
    Ok(finish(answered, &plain, (&id, start)))
}

fn answer_error(request: &HttpRequest, error: &Error) -> ServiceResponse<BoxBody> {
    let answer = match error.as_error::<ApiError>() {
        Some(error) => error.respond(request),
        None => ApiError::of_status(error.as_response_error().status_code()).respond(request),
    };
    ServiceResponse::new(request.clone(), answer)
}

/// Errors that became answers inside, headers that every answer carries, and the line in the log.
fn finish(mut response: ServiceResponse<BoxBody>, request: &HttpRequest, of: (&str, Instant)) -> ServiceResponse<BoxBody> {
    let (id, start) = of;
    let is_plain_error = {
        let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == MEDIA_TYPE);
        response.status().is_client_error() | response.status().is_server_error() && !(is_problem && has_body(&response))
    };
    if let Some(error) = response.response().error().and_then(|e| e.as_error::<ApiError>().cloned()) {
        response = ServiceResponse::new(request.clone(), error.respond(request));
    } else if is_plain_error && !has_body(&response) {
        let error = ApiError::of_status(response.status());
        response = ServiceResponse::new(request.clone(), error.respond(request));
    } else if is_plain_error && response.response().error().is_some() {
        response = ServiceResponse::new(request.clone(), ApiError::of_status(response.status()).respond(request));
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // The path, never the query: tokens may stand in it.
    tracing::info!(
        request_id = id,
        method = %request.method(),
        path = request.match_pattern().unwrap_or_else(|| "(no route)".to_owned()),
        status = response.status().as_u16(),
        duration_ms = start.elapsed().as_millis() as u64,
        "request"
    );
    response
}

fn has_body(response: &ServiceResponse<BoxBody>) -> bool {
    !matches!(response.response().body().size(), actix_web::body::BodySize::None | actix_web::body::BodySize::Sized(0))
}
