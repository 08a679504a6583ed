//! Errors as RFC 9457 problems, whatever went wrong: one translator for all crates, the only place that knows statuses.

use actix_http::ws::HandshakeError;
use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{Method, StatusCode, header},
};
use kernel::error::{Explain, Field, Kind};
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;
use utoipa::ToSchema;

/// The media type of every error.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The request that an error answers.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// Its path.
    pub path: String,
    /// Whether people reach the product over https alone.
    pub is_https: bool,
}

/// An error on its way out.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    detail: String,
    fields: Vec<Field>,
    allow: Option<String>,
    /// Seconds until it is worth trying again.
    retry_after: Option<u64>,
    more: Option<Box<Map<String, Value>>>,
}

/// A problem document (RFC 9457).
#[derive(Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; stable.
    #[schema(example = "https://sheaf.dev/problems/document_not_found")]
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    #[schema(example = "Not Found")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    pub status: u16,
    /// One sentence about this occurrence.
    #[schema(example = "document not found")]
    pub detail: String,
    /// The path that was asked for.
    #[schema(example = "/api/v1/documents/0b9c6f0e-6f0e-4b7e-8a51-1f7a3f6f2f11/")]
    pub instance: String,
    /// A stable code to branch on.
    #[schema(example = "document_not_found")]
    pub code: String,
    /// The request's id, as in `X-Request-Id` and the log.
    pub request_id: String,
    /// Every bad field at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<BadField>,
    /// What else a problem of this kind says.
    #[serde(flatten)]
    #[schema(ignore)]
    pub more: Map<String, Value>,
}

/// One bad field of a request.
#[derive(Serialize, ToSchema)]
pub struct BadField {
    /// Where it stands in the body (RFC 6901).
    #[schema(example = "/email")]
    pub pointer: String,
    /// A stable code.
    #[schema(example = "invalid")]
    pub code: String,
    /// What is wrong with it.
    pub detail: String,
}

fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Gone => StatusCode::GONE,
        Kind::Stale => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Locked => StatusCode::LOCKED,
        Kind::Limited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What whoever asked is told of a failure. What went wrong inside is for the log, which is written here, once, in the
/// span of the request.
fn told(error: &impl Explain) -> String {
    match (error.kind(), error.code()) {
        (Kind::Internal, _) => {
            tracing::error!(%error, "internal error");
            "something went wrong on our side".to_owned()
        }
        (Kind::Unavailable, _) => {
            tracing::warn!(%error, "temporarily unavailable");
            "temporarily unavailable; try again".to_owned()
        }
        // A constraint of the database that no crate has put into words: its text names tables.
        (_, "conflict") => {
            tracing::warn!(%error, "a constraint without words");
            "this conflicts with what is there already".to_owned()
        }
        (_, "not_found") => "not found".to_owned(),
        _ => error.to_string(),
    }
}

/// A wait in the only unit that `Retry-After` has; never less than the wait.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn more(error: &impl Explain) -> Option<Box<Map<String, Value>>> {
    let members: Map<String, Value> = error
        .more()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    (!members.is_empty()).then(|| Box::new(members))
}

impl<E: Explain> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self {
            fields: error.fields(),
            retry_after: error.retry_after().map(whole_seconds),
            more: more(&error),
            ..Self::new(status_of(error.kind()), error.code(), told(&error))
        }
    }
}

impl ApiError {
    /// An error of the HTTP face itself.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            fields: Vec::new(),
            allow: None,
            retry_after: None,
            more: None,
        }
    }

    /// The same about another body: `at` says where a field stands in it.
    pub(crate) fn repointed(mut self, at: impl Fn(&str) -> String) -> Self {
        for field in &mut self.fields {
            field.pointer = at(&field.pointer);
        }
        self
    }

    /// A body that parses but does not make sense.
    pub fn invalid(fields: Vec<Field>) -> Self {
        Self {
            fields,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "the input is not valid")
        }
    }

    /// The same, saying more in members of its own (RFC 9457, section 3.2).
    pub fn with(self, more: Map<String, Value>) -> Self {
        Self {
            more: Some(Box::new(more)),
            ..self
        }
    }

    /// Too much, too fast: worth trying again after this time.
    pub fn rate_limited(wait: Duration) -> Self {
        Self {
            retry_after: Some(whole_seconds(wait)),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "too many requests; try again after the seconds in Retry-After",
            )
        }
    }

    /// Nobody known.
    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "a valid access token is needed")
    }

    /// No such thing.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "not found")
    }

    /// What actix itself answers when an extractor or the router fails, in our words.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(status, "too_large", "the body is too large"),
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::RANGE_NOT_SATISFIABLE => Self::new(status, "range_not_satisfiable", "there is no such part"),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(status, "method_not_allowed", "this method is not known here"),
            status if status.is_server_error() => Self::new(status, "internal", "something went wrong on our side"),
            status => Self::new(status, "bad_request", "the request does not make sense"),
        }
    }

    /// A path of ours, asked for with a method that it does not have.
    pub fn wrong_method(path: &str) -> Self {
        let methods = crate::openapi::methods_of(path);
        let allow: Vec<&str> = methods.iter().map(Method::as_str).collect();
        let allow = (!allow.is_empty()).then(|| allow.join(", "));
        Self {
            allow,
            ..Self::of_status(StatusCode::METHOD_NOT_ALLOWED)
        }
    }

    /// What an error of actix becomes. One of ours inside it is taken as it is.
    pub fn of_actix(error: &actix_web::Error) -> Self {
        if let Some(ours) = error.as_error::<Self>() {
            return ours.clone();
        }
        if let Some(handshake) = error.as_error::<HandshakeError>() {
            return Self::new(StatusCode::BAD_REQUEST, "bad_handshake", handshake.to_string());
        }
        let status = error.as_response_error().status_code();
        if status.is_server_error() {
            tracing::error!(%error, "internal error");
        }
        Self::of_status(status)
    }

    /// The document that describes this to whoever asked.
    pub fn problem(&self, to: &Asked) -> Problem {
        Problem {
            kind: format!("https://sheaf.dev/problems/{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            instance: to.path.clone(),
            code: self.code.to_owned(),
            request_id: to.id.clone(),
            errors: self
                .fields
                .iter()
                .map(|f| BadField {
                    pointer: f.pointer.clone(),
                    code: f.code.to_owned(),
                    detail: f.detail.clone(),
                })
                .collect(),
            more: self.more.as_deref().cloned().unwrap_or_default(),
        }
    }

    /// The answer to a request.
    pub fn respond(&self, to: &Asked) -> HttpResponse {
        let problem = self.problem(to);
        let mut answer = HttpResponse::build(self.status);
        answer.insert_header((header::CACHE_CONTROL, "no-store"));
        match self.status {
            StatusCode::UNAUTHORIZED => answer.insert_header((header::WWW_AUTHENTICATE, "Bearer")),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                answer.insert_header((header::RETRY_AFTER, self.retry_after.unwrap_or(1).to_string()))
            }
            StatusCode::LOCKED => match self.retry_after {
                Some(wait) => answer.insert_header((header::RETRY_AFTER, wait.to_string())),
                None => &mut answer,
            },
            _ => &mut answer,
        };
        if let Some(allow) = &self.allow {
            answer.insert_header((header::ALLOW, allow.as_str()));
        }
        answer
            .content_type(MEDIA_TYPE)
            .body(serde_json::to_string(&problem).unwrap_or_default())
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    /// Only seen when the middleware is not there to say what was asked.
    fn error_response(&self) -> HttpResponse {
        self.respond(&Asked::default())
    }
}

/// An error that has left its handler without an answer, with what was asked.
#[derive(Debug)]
pub struct Unanswered(pub ApiError, pub Asked);

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Unanswered {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = self.0.respond(&self.1);
        crate::middleware::dress(answer.headers_mut(), &self.1);
        answer
    }
}

/// For whatever no route takes: a path that is none of ours, or one of ours with another method.
pub async fn no_route(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let methods = crate::openapi::methods_of(request.path());
    if methods.is_empty() || methods.contains(request.method()) {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "no_such_route",
            "there is nothing at this path",
        ));
    }
    Err(ApiError::wrong_method(request.path()))
}
