//! What happens around every request: its id, one spelling of its path, a task of its own, errors as problems, and a
//! line in the log.

use crate::{
    problem::{ApiError, Asked, Unanswered},
    state::State,
};
use actix_web::{
    Error, HttpResponse, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode, Uri,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    rt,
    web::Data,
};
use std::{rc::Rc, time::Instant};
use tracing::Instrument;

/// The header that names a request, coming and going.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What answers that are no pages may load: nothing.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// A browser that came over https once comes so for a year.
const ONLY_HTTPS: HeaderValue = HeaderValue::from_static("max-age=31536000");

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A request as it came in.
struct Arrival {
    asked: Asked,
    method: Method,
    at: Instant,
}

impl Arrival {
    fn of(request: &ServiceRequest) -> Self {
        let given = request
            .headers()
            .get(&REQUEST_ID)
            .and_then(|id| id.to_str().ok())
            .filter(|id| is_id(id));
        let id = given.map_or_else(|| kernel::id::EventId::new().to_string(), str::to_owned);
        let asked = Asked {
            id,
            path: request.path().to_owned(),
            is_https: request.app_data::<Data<State>>().is_some_and(|state| state.settings.edge.is_https),
        };
        Self {
            asked,
            method: request.method().clone(),
            at: Instant::now(),
        }
    }

    /// Names the route, never the path or the query: tokens may stand in them.
    fn log(&self, route: &str, status: StatusCode) {
        let duration_ms = u64::try_from(self.at.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(request_id = self.asked.id, method = %self.method, route, status = status.as_u16(), duration_ms, "request");
    }
}

/// Both spellings of a path, with and without the slash at its end, are one; never by a redirect, which would lose a
/// body. Left alone are the OpenAPI document and the docs page, whose parts are files.
fn with_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if path.ends_with('/') || path == "/docs" || path.starts_with("/docs/") || path == crate::openapi::PATH {
        return None;
    }
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    format!("{path}/{query}").parse().ok()
}

/// Gives a request the form that routes know: a slash at the end of its path, and GET for HEAD (the connection leaves
/// the body out).
fn normalise(request: &mut ServiceRequest) {
    if let Some(uri) = with_slash(request.uri()) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
}

/// Handles one request. The handler runs in a task of its own, so that a client that goes away does not stop a
/// transaction half-way, and a panic costs one answer.
///
/// # Errors
/// What found no answer inside, as one that answers itself.
pub async fn handle(mut request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let arrival = Rc::new(Arrival::of(&request));
    let span = tracing::info_span!("request", request_id = arrival.asked.id);
    normalise(&mut request);
    let signals = request.app_data::<Data<State>>().map(|state| state.signals.clone());
    let of_task = arrival.clone();
    let task = async move {
        match next.call(request).await {
            Ok(response) => {
                let response = finish(response, &of_task);
                if let Some(signals) = signals.filter(|_| may_have_written(&of_task.method, response.status())) {
                    signals.appended();
                }
                Ok(response)
            }
            Err(error) => Err(unanswered(ApiError::of_actix(&error), &of_task)),
        }
    };
    rt::spawn(task.instrument(span.clone())).await.unwrap_or_else(|panic| {
        let _inside = span.enter();
        tracing::error!(%panic, "a handler panicked");
        Err(unanswered(ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR), &arrival))
    })
}

/// Whether a request may have left facts for the relay. Also one that failed may: a spent token that came back ends a
/// login.
fn may_have_written(method: &Method, status: StatusCode) -> bool {
    !method.is_safe() && (status.is_success() || status == StatusCode::UNAUTHORIZED)
}

/// For what failed outside of every route, where there is no response to put the problem in.
fn unanswered(error: ApiError, arrival: &Arrival) -> Error {
    let unanswered = Unanswered(error, arrival.asked.clone());
    arrival.log("(none)", unanswered.status_code());
    unanswered.into()
}

/// Errors that became answers inside get their problem; every answer gets its headers, and a line in the log.
fn finish(response: ServiceResponse<BoxBody>, arrival: &Arrival) -> ServiceResponse<BoxBody> {
    let route = response.request().match_pattern().unwrap_or_else(|| "(none)".to_owned());
    let mut response = match failure(&response) {
        Some(error) => with_headers_of(response, error.respond(&arrival.asked)),
        None => response,
    };
    dress(response.headers_mut(), &arrival.asked);
    arrival.log(&route, response.status());
    response
}

/// Another answer in place of one, with the headers that the first was given on its way and the other does not have.
fn with_headers_of(response: ServiceResponse<BoxBody>, mut answer: HttpResponse) -> ServiceResponse<BoxBody> {
    for (name, value) in response.headers() {
        if !answer.headers().contains_key(name) {
            answer.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response.into_response(answer)
}

/// The failure in an answer that is no problem document yet.
fn failure(response: &ServiceResponse<BoxBody>) -> Option<ApiError> {
    if let Some(error) = response.response().error() {
        return Some(ApiError::of_actix(error));
    }
    let status = response.status();
    let is_bare = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
    if !is_bare || status.as_u16() < 400 {
        return None;
    }
    let wrong_method = status == StatusCode::METHOD_NOT_ALLOWED;
    Some(if wrong_method {
        ApiError::wrong_method(response.request().path())
    } else {
        ApiError::of_status(status)
    })
}

/// Puts on an answer what every answer wears.
pub(crate) fn dress(headers: &mut HeaderMap, asked: &Asked) {
    if let Ok(value) = HeaderValue::from_str(&asked.id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if asked.is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ONLY_HTTPS);
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    }
    // What is one caller's is for no cache, unless its handler says otherwise.
    if asked.path.starts_with("/api/") && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
