//! Access tokens: JWTs signed with HS256 and nothing else (RFC 8725).

use crate::{Error, KeyRing, Settings, api_key::Key};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use kernel::{
    clock::{self, Time},
    id::*,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Who stands behind a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// Somebody with an account.
    Person(Caller),
    /// Whoever holds a share link: nobody we know.
    Link(Holder),
}

impl Bearer {
    /// When the token runs out.
    pub fn expires_at(&self) -> Time {
        match self {
            Self::Person(caller) => caller.expires_at,
            Self::Link(holder) => holder.expires_at,
        }
    }
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// How they come.
    pub through: Through,
    /// When the token runs out.
    pub expires_at: Time,
}

/// How somebody comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Through {
    /// With an access token of a login.
    Session(SessionId),
    /// With an API key.
    Key(Arc<Key>),
}

impl Caller {
    /// The login; none for who comes with a key.
    pub fn session(&self) -> Option<SessionId> {
        match &self.through {
            Through::Session(session) => Some(*session),
            Through::Key(_) => None,
        }
    }

    /// The key; none for who comes with a login.
    pub fn key(&self) -> Option<&Arc<Key>> {
        match &self.through {
            Through::Session(_) => None,
            Through::Key(key) => Some(key),
        }
    }
}

/// Whoever holds a share link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The link.
    pub link: ShareLinkId,
    /// Which of its passwords they gave.
    pub generation: i32,
    /// Tells those who hold one link apart.
    pub visitor: UserId,
    /// When the token runs out.
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

/// What stands in the token of a share link. Its subject is no user, and its kind is another.
#[derive(Serialize, Deserialize)]
struct LinkClaims {
    iss: String,
    aud: String,
    sub: ShareLinkId,
    generation: i32,
    visitor: UserId,
    iat: i64,
    exp: i64,
    typ: String,
}

/// The kind alone.
#[derive(Deserialize)]
struct Kind {
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

/// Issues a token for whoever holds a share link. Gives it and the seconds it is good.
pub(crate) fn issue_link(
    ring: &KeyRing,
    settings: &Settings,
    (link, generation): (ShareLinkId, i32),
    until: Option<Time>,
) -> Result<(String, u64), Error> {
    let now = clock::now().timestamp();
    let (kid, key) = ring.signing();
    // No longer than the link itself.
    let left = until.map_or(u64::MAX, |until| u64::try_from(until.timestamp() - now).unwrap_or_default());
    let ttl = settings.link_ttl.as_secs().min(left);
    let claims = LinkClaims {
        iss: settings.issuer.clone(),
        aud: settings.audience.clone(),
        sub: link,
        generation,
        visitor: UserId::new(),
        iat: now,
        exp: now.saturating_add(i64::try_from(ttl).unwrap_or(i64::MAX)),
        typ: "link".to_owned(),
    };
    let token = encode(&header(kid), &claims, key).map_err(|e| Error::Internal(e.to_string()))?;
    Ok((token, ttl))
}

/// The only header a token of ours has.
fn header(kid: &str) -> Header {
    Header {
        kid: Some(kid.to_owned()),
        ..Header::new(Algorithm::HS256)
    }
}

/// Checks a token: algorithm, key, signature, issuer, audience, time and kind.
pub(crate) fn verify(ring: &KeyRing, settings: &Settings, token: &str) -> Result<Bearer, Error> {
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
    let kind = decode::<Kind>(token, key, &rules).map_err(refused)?.claims.typ;
    let expires = |exp: i64| chrono::DateTime::from_timestamp(exp, 0).ok_or(Error::Unauthenticated);
    match kind.as_str() {
        "access" => {
            let claims = decode::<Claims>(token, key, &rules).map_err(refused)?.claims;
            Ok(Bearer::Person(Caller {
                user: claims.sub,
                through: Through::Session(claims.sid),
                expires_at: expires(claims.exp)?,
            }))
        }
        "link" => {
            let claims = decode::<LinkClaims>(token, key, &rules).map_err(refused)?.claims;
            Ok(Bearer::Link(Holder {
                link: claims.sub,
                generation: claims.generation,
                visitor: claims.visitor,
                expires_at: expires(claims.exp)?,
            }))
        }
        _ => Err(Error::Unauthenticated),
    }
}
