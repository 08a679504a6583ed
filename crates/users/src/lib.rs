//! Accounts, passwords, logins and tokens.
//!
//! A login is a session: a family of refresh tokens, each good once. Access tokens are short-lived JWTs that carry the
//! session's id. Secrets are handed out once and kept as hashes.

pub mod account;
pub mod api_key;
pub mod avatar;
pub mod deletion;
pub mod error;
pub mod export;
pub mod fresh;
pub mod keys;
pub mod lockout;
pub mod logins;
pub mod mailed;
pub mod mfa;
pub mod newcomer;
pub mod oidc;
pub(crate) mod password;
pub mod profile;
pub mod reauthenticate;
pub mod reset;
pub mod scope;
pub mod session;
pub mod settings;
pub(crate) mod standing;
pub mod ticket;
pub mod token;
pub mod totp;
pub mod verification;

#[cfg(test)]
mod tests;

pub use account::{Credentials, NewUser, SignedIn};
pub use error::Error;
pub use keys::{KeyError, KeyRing};
pub use mfa::Entered;
pub use session::Client;
pub use settings::Settings;
pub use token::{Bearer, Caller, Holder, Through};

use backends::limits::Limits;
use kernel::{clock::Time, id::*, secret::Mint};
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
    sources: oidc::Sources,
    settings: Settings,
    standings: standing::Standings,
    limits: Limits,
}

impl Accounts {
    /// Accounts in a database, with the keys that sign access tokens.
    pub fn new(db: DatabaseConnection, ring: KeyRing, settings: Settings) -> Self {
        Self::counting(db, ring, settings, Limits::memory())
    }

    /// The same, with failures counted where other nodes see them.
    pub fn counting(db: DatabaseConnection, ring: KeyRing, settings: Settings, limits: Limits) -> Self {
        let hasher = password::Hasher::new(&settings);
        let sources = oidc::Sources::new(&settings.oidc);
        Self {
            inner: Arc::new(Inner {
                db,
                ring,
                hasher,
                sources,
                settings,
                standings: standing::Standings::default(),
                limits,
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

    /// The hash of a password that guards something else than an account.
    ///
    /// # Errors
    /// Only faults of ours.
    pub async fn hash_password(&self, password: String) -> Result<String, Error> {
        self.inner.hasher.hash(password).await
    }

    /// Whether a password is the one of a hash.
    ///
    /// # Errors
    /// Only faults of ours.
    pub async fn is_password(&self, password: String, hash: String) -> Result<bool, Error> {
        self.inner.hasher.verify(password, Some(hash)).await
    }

    /// Whom requests with this token are counted for. It is found without the database, so the login may be over and the
    /// key unknown; but nobody is found who could be counted for in place of somebody else.
    pub fn counted_for(&self, token: &str) -> Option<String> {
        if token.starts_with(api_key::PREFIX) {
            return Some(format!("key:{}", kernel::secret::hash(token)));
        }
        match token::verify(&self.inner.ring, &self.inner.settings, token).ok()? {
            Bearer::Person(caller) => Some(format!("user:{}", caller.user)),
            Bearer::Link(holder) => Some(format!("link:{}", holder.link)),
        }
    }

    /// Insists that a login goes on and that its account is open.
    pub(crate) async fn goes_on(&self, user: UserId, session: SessionId) -> Result<(), Error> {
        self.inner.standings.check(&self.inner.db, user, session).await
    }

    /// A token for whoever holds a share link: it opens what the link opens, for as long as the link does.
    ///
    /// # Errors
    /// Only faults of ours.
    pub fn link_token(&self, link: ShareLinkId, generation: i32, until: Option<Time>) -> Result<(String, u64), Error> {
        token::issue_link(&self.inner.ring, &self.inner.settings, (link, generation), until)
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

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    pub(crate) fn hasher(&self) -> &password::Hasher {
        &self.inner.hasher
    }

    pub(crate) fn sources(&self) -> &oidc::Sources {
        &self.inner.sources
    }

    pub(crate) fn ring(&self) -> &KeyRing {
        &self.inner.ring
    }
}
