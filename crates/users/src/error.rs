//! What can go wrong with accounts and logins.

use kernel::error::{Explain, Field, Kind};
use sea_orm::DbErr;
use std::time::Duration;

/// A failure of this crate's verbs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No token, or none that is good.
    #[error("a valid access token is needed")]
    Unauthenticated,
    /// Unknown address or wrong password; the answer does not say which.
    #[error("the e-mail address or the password is wrong")]
    InvalidCredentials,
    /// The refresh token is unknown, spent long ago, or past its time.
    #[error("the refresh token is not valid")]
    InvalidRefreshToken,
    /// A spent refresh token came back: somebody else may have it, so the login was ended.
    #[error("the refresh token was used before; the login has been ended")]
    RefreshTokenReused,
    /// Who they are was proven too long ago for this.
    #[error("give your password again first: this needs a fresh login")]
    FreshLoginRequired,
    /// The address has an account already.
    #[error("there is an account with this e-mail address")]
    EmailTaken,
    /// Too many wrong secrets from there; the next is looked at after this time.
    #[error("too many failed attempts; try again in {} seconds", .0.as_secs_f64().ceil())]
    TooManyAttempts(Duration),
    /// The caller has no such API key.
    #[error("you have no such API key")]
    KeyNotFound,
    /// Somebody has as many API keys as one may have.
    #[error("you have too many API keys; revoke some")]
    TooManyKeys,
    /// Bad fields, all of them.
    #[error("the input is not valid")]
    Invalid(Vec<Field>),
    /// A login with another provider that did not work out.
    #[error(transparent)]
    Oidc(#[from] crate::oidc::Problem),
    /// A fault of ours.
    #[error("internal: {0}")]
    Internal(String),
    /// The database's own.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Unauthenticated | Self::InvalidCredentials | Self::InvalidRefreshToken | Self::RefreshTokenReused => {
                Kind::Unauthenticated
            }
            Self::FreshLoginRequired => Kind::Forbidden,
            Self::EmailTaken => Kind::Conflict,
            Self::TooManyAttempts(_) => Kind::Limited,
            Self::KeyNotFound => Kind::NotFound,
            Self::TooManyKeys => Kind::Conflict,
            Self::Invalid(_) => Kind::Invalid,
            Self::Oidc(e) => e.kind(),
            Self::Internal(_) => Kind::Internal,
            Self::Db(e) => e.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::InvalidCredentials => "invalid_credentials",
            Self::InvalidRefreshToken => "invalid_refresh_token",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::FreshLoginRequired => "fresh_login_required",
            Self::EmailTaken => "email_taken",
            Self::TooManyAttempts(_) => "too_many_attempts",
            Self::KeyNotFound => "api_key_not_found",
            Self::TooManyKeys => "too_many_api_keys",
            Self::Invalid(_) => "invalid",
            Self::Oidc(e) => e.code(),
            Self::Internal(_) => "internal",
            Self::Db(e) => e.code(),
        }
    }

    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Invalid(fields) => fields.clone(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyAttempts(wait) => Some(*wait),
            _ => None,
        }
    }
}
