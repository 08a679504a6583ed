//! Lifetimes and costs.

use crate::lockout::Patience;
use std::time::Duration;

/// How logins behave.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `iss` of access tokens.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    /// How long an access token is good.
    pub access_ttl: Duration,
    /// How long the token of a share link is good.
    pub link_ttl: Duration,
    /// How long a refresh token is good if it is not used.
    pub refresh_ttl: Duration,
    /// How long a login lasts, however often it is refreshed (ASVS 10.4.8).
    pub session_ttl: Duration,
    /// How long a login counts as fresh, after who they are was proven, for dangerous acts.
    pub fresh_for: Duration,
    /// How long a closed account can be kept, before it is erased.
    pub deletion_grace: Duration,
    /// How long after its use a refresh token may come again: two tabs of one browser race. Later it is theft.
    pub reuse_leeway: Duration,
    /// Logins with other providers.
    pub oidc: crate::oidc::Settings,
    /// Whether only accounts whose address was proven may sign in.
    pub require_verified_email: bool,
    /// argon2id: memory in KiB, passes and lanes. The defaults are OWASP's (19 MiB, 2, 1).
    pub hash_memory_kib: u32,
    /// See `hash_memory_kib`.
    pub hash_iterations: u32,
    /// See `hash_memory_kib`.
    pub hash_parallelism: u32,
    /// Passwords hashed at the same time; the others wait, so that logins cannot exhaust the machine.
    pub concurrent_hashes: usize,
    /// How many failed logins cost nothing, and how long is waited afterwards.
    pub patience: Patience,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            issuer: "sheaf".to_owned(),
            audience: "sheaf".to_owned(),
            access_ttl: Duration::from_secs(15 * 60),
            link_ttl: Duration::from_secs(60 * 60),
            refresh_ttl: Duration::from_secs(30 * DAY),
            session_ttl: Duration::from_secs(90 * DAY),
            fresh_for: Duration::from_secs(15 * 60),
            deletion_grace: Duration::from_secs(14 * DAY),
            reuse_leeway: Duration::from_secs(10),
            oidc: crate::oidc::Settings::default(),
            require_verified_email: false,
            hash_memory_kib: 19_456,
            hash_iterations: 2,
            hash_parallelism: 1,
            concurrent_hashes: 2,
            patience: Patience::default(),
        }
    }
}
