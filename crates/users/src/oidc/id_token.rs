//! The provider's signed token, checked as OpenID Connect Core 1.0, section 3.1.3.7, wants it.

use super::Provider;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, Jwk, PublicKeyUse},
};
use kernel::clock;
use serde_json::{Map, Value};

/// Longer than any token that tells what is wanted.
const MAX_LEN: usize = 16 << 10;
/// How far two clocks may differ.
const SKEW_SECS: u64 = 60;
/// With a key of two halves only: of a shared one we would have to believe that nobody else has it, and `none` proves
/// nothing.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Why a token is not believed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// None of the provider's keys fits.
    #[error("its token is signed with a key that it does not publish")]
    UnknownKey,
    /// Something else.
    #[error("its token {0}")]
    Because(&'static str),
}

/// What a token says of somebody.
#[derive(Debug)]
pub(super) struct Claims {
    pub subject: String,
    pub all: Map<String, Value>,
}

/// Whether a key may have made signatures of this algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, EdDSA};
    let is_family = match key.algorithm {
        AlgorithmParameters::RSA(_) => !matches!(algorithm, ES256 | ES384 | EdDSA),
        AlgorithmParameters::EllipticCurve(_) => matches!(algorithm, ES256 | ES384),
        AlgorithmParameters::OctetKeyPair(_) => algorithm == EdDSA,
        _ => false,
    };
    let is_for_signing = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let is_named = key
        .common
        .key_algorithm
        .is_none_or(|named| named.to_string() == format!("{algorithm:?}"));
    is_family && is_for_signing && is_named
}

/// The key that a token names; where it names none, the only one there is.
fn key_for(keys: &[Jwk], kid: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Refused> {
    let named = |key: &&Jwk| kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid));
    let mut fitting = keys.iter().filter(|key| fits(key, algorithm)).filter(named);
    let key = fitting.next().ok_or(Refused::UnknownKey)?;
    if fitting.next().is_some() {
        return Err(Refused::Because("does not say which key it is signed with"));
    }
    DecodingKey::from_jwk(key).map_err(|_| Refused::Because("is signed with a broken key"))
}

/// Checks a token: algorithm, key, signature, issuer, audience, time and nonce.
pub(super) fn verify(token: &str, keys: &[Jwk], provider: &Provider, nonce: &str) -> Result<Claims, Refused> {
    if token.len() > MAX_LEN {
        return Err(Refused::Because("is too long"));
    }
    let header = decode_header(token).map_err(|_| Refused::Because("has no header that is understood"))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Refused::Because("is signed with an algorithm that is not accepted"));
    }
    let key = key_for(keys, header.kid.as_deref(), header.alg)?;
    let mut rules = Validation::new(header.alg);
    rules.leeway = SKEW_SECS;
    rules.validate_nbf = true;
    rules.set_issuer(&[&provider.issuer]);
    rules.set_audience(&[&provider.client_id]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let all = decode::<Map<String, Value>>(token, &key, &rules)
        .map_err(|error| Refused::Because(words(error.kind())))?
        .claims;
    check(&all, provider, nonce)?;
    let subject = all.get("sub").and_then(Value::as_str).filter(|sub| (1..=255).contains(&sub.len()));
    let subject = subject.ok_or(Refused::Because("names nobody"))?.to_owned();
    Ok(Claims { subject, all })
}

fn words(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => "is not signed by it",
        ErrorKind::ExpiredSignature => "has run out",
        ErrorKind::ImmatureSignature => "is not good yet",
        ErrorKind::InvalidIssuer => "is from another issuer",
        ErrorKind::InvalidAudience => "is for somebody else",
        ErrorKind::MissingRequiredClaim(_) => "lacks what it has to say",
        _ => "is not understood",
    }
}

/// What the library does not check.
fn check(claims: &Map<String, Value>, provider: &Provider, nonce: &str) -> Result<(), Refused> {
    let is_ours = |value: &Value| value.as_str() == Some(&provider.client_id);
    let audiences = claims.get("aud").and_then(Value::as_array).map_or(1, Vec::len);
    match claims.get("azp") {
        Some(party) if !is_ours(party) => return Err(Refused::Because("was asked for by somebody else")),
        None if audiences != 1 => return Err(Refused::Because("does not say which of its audiences asked for it")),
        _ => {}
    }
    if claims.get("nonce").and_then(Value::as_str) != Some(nonce) {
        return Err(Refused::Because("belongs to another login"));
    }
    let latest = clock::now().timestamp() + i64::try_from(SKEW_SECS).unwrap_or(0);
    match claims.get("iat").and_then(Value::as_i64) {
        Some(at) if at <= latest => Ok(()),
        _ => Err(Refused::Because("does not say when it was made")),
    }
}
