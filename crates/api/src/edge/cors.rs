//! Which pages of other origins may call the product (CORS). None, unless the configuration names them.

use super::Edge;
use actix_cors::Cors;
use actix_web::{
    http::Method,
    middleware::{Compat, Condition},
};

/// What a page may send.
const SENT: [&str; 8] = [
    "authorization",
    "content-type",
    "accept",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "last-event-id",
    "x-request-id",
];
/// What a page may see of an answer, besides what every page may.
const SEEN: [&str; 10] = [
    "etag",
    "link",
    "location",
    "content-disposition",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-request-id",
    "www-authenticate",
    "deprecation",
];
/// Seconds for which a browser need not ask again.
const REMEMBERED: usize = 3_600;

/// The middleware; it does nothing when no origin is named.
pub fn cors(edge: &Edge) -> Compat<Condition<Cors>> {
    let mut cors = Cors::default()
        .allowed_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allowed_headers(SENT)
        .expose_headers(SEEN)
        .max_age(REMEMBERED);
    if edge.cors_origins.iter().any(|origin| origin == "*") {
        // Anybody's page, and so none that a browser lends its cookies to.
        cors = cors.allow_any_origin().send_wildcard();
    } else {
        for origin in &edge.cors_origins {
            cors = cors.allowed_origin(origin);
        }
        cors = cors.supports_credentials();
    }
    // A page of an origin that is not named gets its answer without the header that would let it read it; its preflight
    // is refused.
    let cors = cors.block_on_origin_mismatch(false);
    Compat::new(Condition::new(!edge.cors_origins.is_empty(), cors))
}

#[cfg(test)]
mod tests {
    use super::{SEEN, SENT};
    use actix_web::http::header::HeaderName;

    #[test]
    fn every_listed_header_is_a_header_in_lower_case() {
        for name in SENT.iter().chain(&SEEN) {
            assert!(
                HeaderName::from_bytes(name.as_bytes()).is_ok_and(|parsed| parsed.as_str() == *name),
                "{name}"
            );
        }
    }
}
