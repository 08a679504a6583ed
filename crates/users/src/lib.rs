//! Accounts, passwords, logins and tokens.
//!
//! A login is a session: a family of refresh tokens, each good once. Access tokens are short-lived JWTs that carry the
//! session's id. Secrets are handed out once and kept as hashes.

pub mod account;
pub mod api_key;
pub mod error;
pub mod fresh;
pub mod keys;
pub mod newcomer;
pub(crate) mod password;
pub mod scope;
pub mod session;
pub mod settings;
pub(crate) mod standing;
pub mod token;

#[cfg(test)]
mod tests;

pub use account::{Credentials, NewUser, SignedIn};
pub use error::Error;
pub use keys::{KeyError, KeyRing};
pub use session::Client;
pub use settings::Settings;
pub use token::{Bearer, Caller, Holder, Through};

use kernel::{id::ShareLinkId, secret::Mint};
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
    standings: standing::Standings,
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
                standings: standing::Standings::default(),
            }),
        }
    }

    /// Who stands behind a token: an access token of a login that goes on, an API key, or the token of a share link.
    /// Whether a share link still opens anything is the door's to say.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for anything else.
    pub async fn authenticate(&self, token: &str) -> Result<Bearer, Error> {
        if token.starts_with(api_key::PREFIX) {
            return Ok(Bearer::Person(api_key::authenticate(self, token).await?));
        }
        let bearer = token::verify(&self.inner.ring, &self.inner.settings, token)?;
        if let Bearer::Person(caller) = &bearer
            && let Some(session) = caller.session()
        {
            self.inner.standings.check(&self.inner.db, caller.user, session).await?;
        }
        Ok(bearer)
    }

    /// Who stands behind a token of a person; a share link's is refused.
    ///
    /// # Errors
    /// As [`Accounts::authenticate`].
    pub async fn person(&self, token: &str) -> Result<Caller, Error> {
        match self.authenticate(token).await? {
            Bearer::Person(caller) => Ok(caller),
            Bearer::Link(_) => Err(Error::Unauthenticated),
        }
    }

    /// A token for whoever holds a share link: it opens what the link opens, for as long as the link does.
    ///
    /// # Errors
    /// Only faults of ours.
    pub fn link_token(&self, link: ShareLinkId, generation: i32) -> Result<(String, u64), Error> {
        token::issue_link(&self.inner.ring, &self.inner.settings, link, generation)
    }

    /// Forgets which logins and keys were found to be good: some may have ended.
    pub fn forget_standings(&self) {
        self.inner.standings.forget();
    }

    /// What derives the secrets in letters and links.
    pub fn mint(&self) -> Mint {
        self.inner.ring.mint()
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
