//! Secrets that are handed out once and kept only as a hash: random ones, and ones that can be derived again.

use hmac::{Hmac, KeyInit, Mac};
use rand::RngExt;
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};
use uuid::Uuid;

/// 256 random bits as 64 hexadecimal digits: more than can be guessed, nothing that needs escaping.
pub fn token() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill(&mut bytes);
    digits(&bytes)
}

/// What is kept of a secret: its SHA-256 in hexadecimal. Enough for a secret that cannot be guessed; not for a password.
pub fn hash(secret: &str) -> String {
    digits(&Sha256::digest(secret.as_bytes()))
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The bytes behind hexadecimal digits.
fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let pairs = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    pairs.collect()
}

/// Derives secrets from the ids of the rows that they belong to (HMAC-SHA256). So neither a table nor a job has to hold a
/// secret that is mailed or shown again; what is kept is the hash, which also tells whether a secret still is the one that
/// was handed out. Cheap to clone.
#[derive(Clone)]
pub struct Mint {
    /// The first derives; the others know again what was derived before the first came.
    keys: Arc<[[u8; 32]]>,
}

impl fmt::Debug for Mint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mint").field("keys", &self.keys.len()).finish()
    }
}

impl Mint {
    /// A mint of these keys, newest first.
    pub fn new(keys: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
        }
    }

    /// The secret of a row for a purpose (`invitation`), and its hash. A row that gets another secret counts
    /// `generation` up.
    pub fn issue(&self, purpose: &str, row: Uuid, generation: i64) -> (String, String) {
        let key = self.keys.first().copied().unwrap_or_default();
        let secret = derive(&key, purpose, row, generation);
        let kept = hash(&secret);
        (secret, kept)
    }

    /// What proves later that this text was handed out here for a purpose.
    pub fn sign(&self, purpose: &str, text: &str) -> String {
        let key = self.keys.first().copied().unwrap_or_default();
        signing(&key, purpose, text).map_or_else(token, |mac| digits(&mac.finalize().into_bytes()))
    }

    /// Whether [`Mint::sign`] gave this for a text and a purpose, with any of the keys.
    pub fn has_signed(&self, purpose: &str, text: &str, signature: &str) -> bool {
        let Some(given) = bytes_of(signature) else { return false };
        let mut macs = self.keys.iter().filter_map(|key| signing(key, purpose, text));
        macs.any(|mac| mac.verify_slice(&given).is_ok())
    }

    /// The secret again whose hash was kept; none when its key is gone.
    pub fn again(&self, purpose: &str, row: Uuid, generation: i64, kept: &str) -> Option<String> {
        let mut secrets = self.keys.iter().map(|key| derive(key, purpose, row, generation));
        secrets.find(|secret| hash(secret) == kept)
    }
}

/// What proves that a text was handed out for a purpose.
fn signing(key: &[u8; 32], purpose: &str, text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    // No purpose of a derived secret begins so: one is never the other.
    mac.update(b"signed:");
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(text.as_bytes());
    Some(mac)
}

fn derive(key: &[u8; 32], purpose: &str, row: Uuid, generation: i64) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        // HMAC takes keys of every length.
        return token();
    };
    // The purpose ends at the zero byte, which no purpose has in it.
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(row.as_bytes());
    mac.update(&generation.to_be_bytes());
    digits(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_good_for_its_text_and_purpose_under_any_key() {
        let (one, both) = (Mint::new([[1; 32]]), Mint::new([[2; 32], [1; 32]]));
        let signature = one.sign("url", "text");
        assert!(one.has_signed("url", "text", &signature) && both.has_signed("url", "text", &signature));
        assert!(!one.has_signed("url", "text", &both.sign("url", "text")));
        for (purpose, text, given) in [
            ("url", "texts", signature.as_str()),
            ("ur", "text", &signature),
            ("url", "text", ""),
            ("url", "text", "00"),
            ("url", "text", "é"),
            ("url", "text", &signature[2..]),
        ] {
            assert!(!one.has_signed(purpose, text, given), "{purpose} {text} {given}");
        }
    }

    #[test]
    fn a_secret_is_derived_again_also_under_an_older_key_and_only_for_its_row() {
        let (old, new, row) = ([1; 32], [2; 32], Uuid::from_u128(7));
        let (secret, kept) = Mint::new([old]).issue("invitation", row, 0);
        assert_eq!((secret.len(), hash(&secret)), (64, kept.clone()));
        let both = Mint::new([new, old]);
        assert_eq!(both.again("invitation", row, 0, &kept), Some(secret.clone()));
        assert_ne!(both.issue("invitation", row, 0).0, secret);
        for (purpose, row, generation) in [("reset", row, 0), ("invitation", Uuid::from_u128(8), 0), ("invitation", row, 1)] {
            assert_eq!(both.again(purpose, row, generation, &kept), None);
        }
        assert_eq!(Mint::new([new]).again("invitation", row, 0, &kept), None);
    }
}
