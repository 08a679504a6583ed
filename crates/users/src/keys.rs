//! The keys that sign access tokens: the first signs, all verify, so that a key can be changed without a restart of
//! everybody's login.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{DecodingKey, EncodingKey};
use kernel::secret::Mint;
use rand::RngExt;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;
use std::fmt;

/// Shorter keys can be guessed from one token.
const MIN_BYTES: usize = 32;

/// What is wrong with a key ring's text. Never tells a key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing to sign with.
    #[error("there is no signing key")]
    Empty,
    /// No colon.
    #[error("a signing key is written kid:base64")]
    Shape,
    /// The part before the colon.
    #[error("the id of a signing key has 1 to 32 letters, digits, - and _")]
    Id,
    /// The part behind the colon.
    #[error("the signing key {0} is not base64")]
    NotBase64(String),
    /// Guessable.
    #[error("the signing key {0} has {1} bytes; it needs at least {MIN_BYTES}")]
    TooShort(String, usize),
    /// Two keys of one id: which one verifies would be chance.
    #[error("there are two signing keys with the id {0}")]
    Twice(String),
}

struct Key {
    kid: String,
    secret: SecretSlice<u8>,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// Signing keys by their ids.
pub struct KeyRing {
    keys: Vec<Key>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.kid)).finish()
    }
}

impl KeyRing {
    /// Reads `kid:base64[,kid:base64…]`, white space and newlines allowed around each.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &SecretString) -> Result<Self, KeyError> {
        let mut keys: Vec<Key> = Vec::new();
        for part in text
            .expose_secret()
            .split([',', '\n'])
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let key = key(part)?;
            if keys.iter().any(|other| other.kid == key.kid) {
                return Err(KeyError::Twice(key.kid));
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeyError::Empty) } else { Ok(Self { keys }) }
    }

    /// A new ring of one random key, in its text form.
    pub fn generate() -> SecretString {
        let mut bytes = [0_u8; 32];
        let mut name = [0_u8; 4];
        rand::rng().fill(&mut bytes);
        rand::rng().fill(&mut name);
        format!("{}:{}", hex::encode(name), STANDARD.encode(bytes)).into()
    }

    /// The key that signs: its id and itself.
    pub(crate) fn signing(&self) -> (&str, &EncodingKey) {
        (&self.keys[0].kid, &self.keys[0].encoding)
    }

    /// A key of its own for another purpose from each key of the ring, in the same order (HMAC-SHA256 of the purpose's
    /// name, as RFC 5869 expands): whoever learns one cannot sign tokens with it.
    pub fn derive(&self, purpose: &str) -> Vec<(String, [u8; 32])> {
        let derived = |key: &Key| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.secret.expose_secret()).ok()?;
            mac.update(purpose.as_bytes());
            Some((key.kid.clone(), mac.finalize().into_bytes().into()))
        };
        self.keys.iter().filter_map(derived).collect()
    }

    /// What derives the secrets in letters and links.
    pub fn mint(&self) -> Mint {
        Mint::new(self.derive("sheaf secrets").into_iter().map(|(_, key)| key))
    }

    /// The key of an id. Compared with what is in the ring, never looked up anywhere else.
    pub(crate) fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        self.keys.iter().find(|key| key.kid == kid).map(|key| &key.decoding)
    }
}

fn key(part: &str) -> Result<Key, KeyError> {
    let (kid, secret) = part.split_once(':').ok_or(KeyError::Shape)?;
    let is_id = (1..=32).contains(&kid.len()) && kid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !is_id {
        return Err(KeyError::Id);
    }
    let kid = kid.to_owned();
    let Ok(secret) = STANDARD.decode(secret) else {
        return Err(KeyError::NotBase64(kid));
    };
    if secret.len() < MIN_BYTES {
        return Err(KeyError::TooShort(kid, secret.len()));
    }
    Ok(Key {
        kid,
        encoding: EncodingKey::from_secret(&secret),
        decoding: DecodingKey::from_secret(&secret),
        secret: secret.into(),
    })
}
