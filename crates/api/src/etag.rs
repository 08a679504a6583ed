//! Entity tags: which version of a resource a client has seen, so that it does not overwrite what it has not
//! (RFC 9110, section 13.1).

use crate::problem::ApiError;
use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        StatusCode,
        header::{self, EntityTag, Header},
    },
};
use serde::Serialize;
use std::future::{Ready, ready};

/// The version of a resource, as one caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(EntityTag);

impl Tag {
    /// A tag of numbers, ids and names that change whenever the resource does, without quotes or spaces in them.
    pub fn of(parts: &[String]) -> Self {
        Self(EntityTag::new_strong(parts.join("-")))
    }

    /// As it stands in the `ETag` header.
    pub fn header(&self) -> (header::HeaderName, String) {
        (header::ETAG, self.0.to_string())
    }

    /// Answers a read: with the resource, or with 304 when the client has this version already.
    pub fn answer(&self, request: &HttpRequest, resource: &impl Serialize) -> HttpResponse {
        let mut answer = if self.is_known_to(request) {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        answer
            .insert_header(self.header())
            .insert_header((header::CACHE_CONTROL, "private, no-cache"));
        if self.is_known_to(request) {
            answer.finish()
        } else {
            answer.json(resource)
        }
    }

    /// Whether the client has this version already.
    pub fn is_known_to(&self, request: &HttpRequest) -> bool {
        if !request.headers().contains_key(header::IF_NONE_MATCH) {
            return false;
        }
        match header::IfNoneMatch::parse(request) {
            Ok(header::IfNoneMatch::Any) => true,
            Ok(header::IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&self.0)),
            Err(_) => false,
        }
    }
}

/// The versions that a write is meant for; any, when the client does not say.
pub struct IfMatch(Option<header::IfMatch>);

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let is_given = request.headers().contains_key(header::IF_MATCH);
        // A tag that is none of ours matches nothing.
        let parse = || header::IfMatch::parse(request).unwrap_or_else(|_| header::IfMatch::Items(Vec::new()));
        ready(Ok(Self(is_given.then(parse))))
    }
}

impl IfMatch {
    /// Whether the client said which version it means.
    pub fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Insists that the resource is of a version the client means.
    ///
    /// # Errors
    /// 412 when it has changed since.
    pub fn allows(&self, tag: &Tag) -> Result<(), ApiError> {
        match &self.0 {
            None | Some(header::IfMatch::Any) => Ok(()),
            Some(header::IfMatch::Items(tags)) if tags.iter().any(|given| given.strong_eq(&tag.0)) => Ok(()),
            Some(header::IfMatch::Items(_)) => Err(ApiError::new(
                StatusCode::PRECONDITION_FAILED,
                "stale",
                "this has changed since you read it; read it again",
            )),
        }
    }
}
