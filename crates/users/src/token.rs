//! Access tokens: JWTs signed with HS256 and nothing else (RFC 8725).

use crate::{Error, KeyRing, Settings};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use kernel::{
    clock::{self, Time},
    id::*,
};
use serde::{Deserialize, Serialize};

/// Who stands behind an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// The login it was issued for.
    pub session: SessionId,
    /// When it runs out.
    pub expires_at: Time,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    iat: i64,
    exp: i64,
    jti: RefreshTokenId,
    typ: String,
}

/// What an access token is issued for: a login, and the refresh token it comes with. The latter's id names it (`jti`).
#[derive(Clone, Copy)]
pub(crate) struct Grant {
    pub user: UserId,
    pub session: SessionId,
    pub with: RefreshTokenId,
}

/// Clocks of two nodes may differ by this many seconds.
const SKEW_SECS: u64 = 2;
/// No token of ours is longer.
const MAX_LEN: usize = 2_048;

/// Issues an access token.
pub(crate) fn issue(ring: &KeyRing, settings: &Settings, grant: Grant) -> Result<String, Error> {
    let now = clock::now().timestamp();
    let (kid, key) = ring.signing();
    let claims = Claims {
        iss: settings.issuer.clone(),
        aud: settings.audience.clone(),
        sub: grant.user,
        sid: grant.session,
        iat: now,
        exp: now.saturating_add(i64::try_from(settings.access_ttl.as_secs()).unwrap_or(i64::MAX)),
        jti: grant.with,
        typ: "access".to_owned(),
    };
    encode(&header(kid), &claims, key).map_err(|e| Error::Internal(e.to_string()))
}

/// The only header a token of ours has.
fn header(kid: &str) -> Header {
    Header {
        kid: Some(kid.to_owned()),
        ..Header::new(Algorithm::HS256)
    }
}

/// Checks a token: algorithm, key, signature, issuer, audience, time and kind.
pub(crate) fn verify(ring: &KeyRing, settings: &Settings, token: &str) -> Result<Caller, Error> {
    let refused = |_| Error::Unauthenticated;
    if token.len() > MAX_LEN {
        return Err(Error::Unauthenticated);
    }
    let theirs = decode_header(token).map_err(refused)?;
    let kid = theirs.kid.as_deref().ok_or(Error::Unauthenticated)?;
    let key = ring.verifying(kid).ok_or(Error::Unauthenticated)?;
    // Another algorithm, or any field that we do not write (jku, jwk, x5u, crit, b64, …): somebody wants to choose how
    // the token is verified.
    if theirs != header(kid) {
        return Err(Error::Unauthenticated);
    }
    let mut rules = Validation::new(Algorithm::HS256);
    rules.leeway = SKEW_SECS;
    rules.set_issuer(&[&settings.issuer]);
    rules.set_audience(&[&settings.audience]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let claims = decode::<Claims>(token, key, &rules).map_err(refused)?.claims;
    let expires_at = chrono::DateTime::from_timestamp(claims.exp, 0).ok_or(Error::Unauthenticated)?;
    if claims.typ != "access" {
        return Err(Error::Unauthenticated);
    }
    Ok(Caller {
        user: claims.sub,
        session: claims.sid,
        expires_at,
    })
}
