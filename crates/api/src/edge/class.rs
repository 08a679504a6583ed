//! Which limit a request falls under.

use actix_web::http::Method;

/// Kinds of requests that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Tries a secret, or sends mail to somebody: strangers may call it.
    Auth,
    /// Reads.
    Read,
    /// Everything else.
    Write,
}

/// Paths where a secret is tried that is no token in a header.
const SECRETS: [&str; 2] = ["/api/v1/auth/", "/api/v1/invitations/"];
/// Paths that machines and newcomers ask for, and that do no work.
const FREE: [&str; 4] = ["/health/", "/metrics/", "/version/", "/docs/"];

impl Class {
    /// The class of a request whose path ends with a slash; none when it is not counted.
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        let is_free = path == "/" || path == "/docs" || path == crate::openapi::PATH || FREE.iter().any(|free| path.starts_with(free));
        if is_free {
            return None;
        }
        let is_secret = SECRETS.iter().any(|secret| path.starts_with(secret)) || path.ends_with("/unlock/");
        Some(match is_secret {
            true => Self::Auth,
            false if method.is_safe() => Self::Read,
            false => Self::Write,
        })
    }

    /// Its name in headers and keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Read => "reads",
            Self::Write => "writes",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_strict_and_machines_are_not_counted() {
        let of = |method, path| Class::of(&method, path);
        for path in [
            "/api/v1/auth/login/",
            "/api/v1/auth/password/reset/",
            "/api/v1/share-links/x/unlock/",
        ] {
            assert_eq!(of(Method::POST, path), Some(Class::Auth), "{path}");
        }
        assert_eq!(of(Method::GET, "/api/v1/workspaces/"), Some(Class::Read));
        assert_eq!(of(Method::GET, "/ws/"), Some(Class::Read));
        assert_eq!(of(Method::POST, "/api/v1/workspaces/"), Some(Class::Write));
        assert_eq!(of(Method::GET, "/nothing/"), Some(Class::Read));
        for path in [
            "/",
            "/health/",
            "/health/ready/",
            "/version/",
            "/docs",
            "/docs/index.css",
            "/api/v1/openapi.json",
        ] {
            assert_eq!(of(Method::GET, path), None, "{path}");
        }
    }
}
