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
    /// The token of a letter is unknown, used, replaced by a newer one, or past its time.
    #[error("this link is not good any more; ask for a new letter")]
    InvalidToken,
    /// The address has to be proven before anybody signs in.
    #[error("prove your e-mail address first; the letter has a link for that")]
    EmailUnverified,
    /// The password that was given again is another.
    #[error("the password is wrong")]
    WrongPassword,
    /// The account has no password, only a login with another provider.
    #[error("this account has no password; sign in again, or set one with a letter")]
    NoPassword,
    /// The code of the second factor is wrong, or was used before.
    #[error("the code is wrong, or was used before")]
    WrongCode,
    /// Too many wrong codes for this account; recovery codes are still taken.
    #[error("too many wrong codes; wait, or use a recovery code")]
    TooManyCodes,
    /// The login that waits for a code is unknown, over, or has seen too many wrong ones.
    #[error("this login is not waiting for a code any more; sign in again")]
    InvalidMfaToken,
    /// There is a second factor already.
    #[error("there is a second factor already")]
    TotpEnabled,
    /// There is no second factor.
    #[error("there is no second factor")]
    TotpMissing,
    /// There is no such login of this person.
    #[error("session not found")]
    SessionNotFound,
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
            Self::Unauthenticated
            | Self::InvalidCredentials
            | Self::InvalidRefreshToken
            | Self::RefreshTokenReused
            | Self::InvalidMfaToken => Kind::Unauthenticated,
            Self::FreshLoginRequired | Self::EmailUnverified | Self::WrongPassword | Self::WrongCode => Kind::Forbidden,
            Self::SessionNotFound | Self::KeyNotFound => Kind::NotFound,
            Self::EmailTaken | Self::NoPassword | Self::TotpEnabled | Self::TotpMissing | Self::TooManyKeys => Kind::Conflict,
            Self::TooManyCodes | Self::TooManyAttempts(_) => Kind::Limited,
            Self::Invalid(_) | Self::InvalidToken => Kind::Invalid,
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
            Self::InvalidToken => "invalid_token",
            Self::EmailUnverified => "email_unverified",
            Self::WrongPassword => "wrong_password",
            Self::NoPassword => "no_password",
            Self::WrongCode => "wrong_code",
            Self::TooManyCodes => "too_many_codes",
            Self::InvalidMfaToken => "invalid_mfa_token",
            Self::TotpEnabled => "totp_enabled",
            Self::TotpMissing => "totp_not_enabled",
            Self::SessionNotFound => "session_not_found",
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
            Self::InvalidToken => vec![Field::new("/token", "invalid_token", "is not good any more")],
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
