//! Which names the product answers to. A page of somebody else's that points its own name at us is refused (DNS
//! rebinding), and no foreign name gets into a cache.

use super::Edge;
use crate::problem::ApiError;
use actix_web::{
    dev::ServiceRequest,
    http::{StatusCode, header},
};

/// The name in an authority, without its port.
pub(crate) fn name(authority: &str) -> &str {
    match authority.rfind(':') {
        // In an IPv6 address in brackets colons are part of the name.
        Some(colon) if !authority.ends_with(']') => &authority[..colon],
        _ => authority,
    }
}

pub(super) fn check(request: &ServiceRequest, edge: &Edge) -> Result<(), ApiError> {
    // Balancers ask for health by address.
    if edge.allowed_hosts.is_empty() || request.path().starts_with("/health/") {
        return Ok(());
    }
    let in_header = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has it in the request line.
    let asked = request.uri().authority().map(|authority| authority.as_str()).or(in_header);
    let is_ours = |asked: &str| edge.allowed_hosts.iter().any(|host| host.eq_ignore_ascii_case(name(asked)));
    if asked.is_some_and(is_ours) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::MISDIRECTED_REQUEST,
        "host_not_allowed",
        "the product does not answer to this name",
    ))
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_port_is_no_part_of_a_name() {
        assert_eq!(name("example.com"), "example.com");
        assert_eq!(name("example.com:8000"), "example.com");
        assert_eq!(name("[::1]:8000"), "[::1]");
        assert_eq!(name("[::1]"), "[::1]");
    }
}
