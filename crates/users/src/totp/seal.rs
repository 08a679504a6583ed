//! Secrets of second factors in the database: encrypted (AES-256-GCM) under a key that stands nowhere in it, and bound to
//! their account, so that neither a copy of the table nor a swapped row gives anybody a code.
//!
//! A sealed secret is the length of the key's id, the id, the nonce, and what was encrypted with its tag.

use crate::{Error, KeyRing};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use kernel::id::UserId;

/// What the keys are derived for.
const PURPOSE: &str = "sheaf totp secrets";

fn fault<E>(what: &'static str) -> impl Fn(E) -> Error {
    move |_| Error::Internal(what.to_owned())
}

/// Seals a secret with the first key of the ring.
pub(super) fn seal(ring: &KeyRing, user: UserId, secret: &[u8]) -> Result<Vec<u8>, Error> {
    let (kid, key) = ring.derive(PURPOSE).into_iter().next().ok_or_else(|| fault("no key")(()))?;
    let key = RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(fault("the key cannot seal"))?;
    let mut sealed = secret.to_vec();
    let nonce = key
        .seal_in_place_append_tag(Aad::from(user.0.as_bytes()), &mut sealed)
        .map_err(fault("a secret cannot be sealed"))?;
    let length = u8::try_from(kid.len()).map_err(fault("the id of a key is too long"))?;
    Ok([&[length], kid.as_bytes(), nonce.as_ref(), &sealed].concat())
}

/// Whether a secret was sealed with another key than the ring's first.
pub(super) fn is_outdated(ring: &KeyRing, sealed: &[u8]) -> bool {
    let (kid, _) = ring.signing();
    let Some((length, rest)) = sealed.split_first() else { return false };
    rest.get(..usize::from(*length)) != Some(kid.as_bytes())
}

/// Opens what any key of the ring has sealed for this account.
pub(super) fn open(ring: &KeyRing, user: UserId, sealed: &[u8]) -> Result<Vec<u8>, Error> {
    let broken = || Error::Internal("the secret of a second factor cannot be opened; was its key removed?".to_owned());
    let (length, rest) = sealed.split_first().ok_or_else(broken)?;
    let (kid, rest) = rest.split_at_checked(usize::from(*length)).ok_or_else(broken)?;
    let (nonce, rest) = rest.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
    let keys = ring.derive(PURPOSE);
    let (_, key) = keys.iter().find(|(id, _)| id.as_bytes() == kid).ok_or_else(broken)?;
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(fault("the key cannot open"))?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
    let mut opened = rest.to_vec();
    let secret = key
        .open_in_place(nonce, Aad::from(user.0.as_bytes()), &mut opened)
        .map_err(|_| broken())?;
    Ok(secret.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    fn ring(text: &str) -> KeyRing {
        KeyRing::parse(&SecretString::from(text.to_owned())).expect("a ring")
    }

    fn key(id: &str, byte: u8) -> String {
        use base64::{Engine, engine::general_purpose::STANDARD};
        format!("{id}:{}", STANDARD.encode([byte; 32]))
    }

    #[test]
    fn a_secret_opens_for_its_account_under_its_key_only() {
        let (ada, ben, secret) = (UserId::new(), UserId::new(), b"twenty bytes of them");
        let old = ring(&key("old", 1));
        let sealed = seal(&old, ada, secret).expect("seals");
        assert!(!sealed.windows(secret.len()).any(|part| part == secret));
        assert_eq!(open(&old, ada, &sealed).expect("opens"), secret);
        let both = ring(&format!("{},{}", key("new", 2), key("old", 1)));
        assert_eq!(open(&both, ada, &sealed).expect("opens with an older key"), secret);
        assert!(!is_outdated(&old, &sealed) && is_outdated(&both, &sealed));
        assert!(open(&old, ben, &sealed).is_err(), "another account's");
        assert!(open(&ring(&key("old", 2)), ada, &sealed).is_err(), "another key of the same id");
        assert!(open(&ring(&key("new", 1)), ada, &sealed).is_err(), "a key that is gone");
        for cut in [0, 1, 4, sealed.len() - 1] {
            assert!(open(&old, ada, &sealed[..cut]).is_err(), "{cut}");
        }
        assert_ne!(seal(&old, ada, secret).expect("seals"), sealed, "another nonce each time");
    }
}
