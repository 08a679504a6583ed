//! Accounts, passwords, logins and tokens.
//!
//! A login is a session: a family of refresh tokens, each good once. Access tokens are short-lived JWTs that carry the
//! session's id. Secrets are handed out once and kept as hashes.

pub mod account;
pub mod error;
pub mod keys;
pub(crate) mod password;
pub mod session;
pub mod settings;
pub mod token;

#[cfg(test)]
mod tests;

pub use account::{Credentials, NewUser, SignedIn};
pub use error::Error;
pub use keys::{KeyError, KeyRing};
pub use session::Client;
pub use settings::Settings;
pub use token::Caller;

use sea_orm::DatabaseConnection;
use std::sync::Arc;

/// Everything the verbs of this crate need; cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    inner: Arc<Inner>,
}

struct Inner {
    db: DatabaseConnection,
    ring: KeyRing,
    hasher: password::Hasher,
    settings: Settings,
}

impl Accounts {
    /// Accounts in a database, with the keys that sign access tokens.
    pub fn new(db: DatabaseConnection, ring: KeyRing, settings: Settings) -> Self {
        let hasher = password::Hasher::new(&settings);
        Self {
            inner: Arc::new(Inner {
                db,
                ring,
                hasher,
                settings,
            }),
        }
    }

    /// Who an access token belongs to.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for anything but a token of ours that is still good.
    pub fn authenticate(&self, token: &str) -> Result<Caller, Error> {
        token::verify(&self.inner.ring, &self.inner.settings, token)
    }

    pub(crate) fn db(&self) -> &DatabaseConnection {
        &self.inner.db
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn hasher(&self) -> &password::Hasher {
        &self.inner.hasher
    }

    pub(crate) fn ring(&self) -> &KeyRing {
        &self.inner.ring
    }
}
