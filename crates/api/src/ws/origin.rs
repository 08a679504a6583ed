//! Whose page opens a socket. A browser sends its cookies along whichever page asks, so a request that bears cookies has
//! to come from a page of ours (cross-site WebSocket hijacking). One without cookies proves itself by a token alone.

use crate::{problem::ApiError, state::State};
use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
    web::Data,
};

/// Refuses a request that bears cookies and comes from a page of somebody else's.
///
/// # Errors
/// 403 `origin_not_allowed`.
pub(crate) fn check(request: &HttpRequest) -> Result<(), ApiError> {
    let headers = request.headers();
    let Some(origin) = headers.get(header::ORIGIN).filter(|_| headers.contains_key(header::COOKIE)) else {
        return Ok(());
    };
    let is_ours = origin.to_str().is_ok_and(|origin| is_ours(request, origin));
    if is_ours {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "origin_not_allowed",
        "pages of this origin may not connect with cookies",
    ))
}

fn is_ours(request: &HttpRequest, origin: &str) -> bool {
    let in_header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(|authority| authority.as_str()).or(in_header);
    let is_same = host.zip(authority(origin)).is_some_and(|(host, (from, port))| {
        let host = host.strip_suffix(port).unwrap_or(host);
        host.eq_ignore_ascii_case(from.strip_suffix(port).unwrap_or(from))
    });
    is_same || is_named(request, origin)
}

/// Whether the configuration names it. That any page may read answers (`*`) does not make it ours.
fn is_named(request: &HttpRequest, origin: &str) -> bool {
    let Some(state) = request.app_data::<Data<State>>() else {
        return false;
    };
    let edge = &state.settings.edge;
    let mut named = edge.cors_origins.iter().chain(&edge.own_origin);
    named.any(|one| one.eq_ignore_ascii_case(origin))
}

/// The authority of an origin, and the port that its scheme goes without.
fn authority(origin: &str) -> Option<(&str, &'static str)> {
    let http = origin.strip_prefix("http://").map(|rest| (rest, ":80"));
    http.or_else(|| origin.strip_prefix("https://").map(|rest| (rest, ":443")))
}
