//! Key rings in their text form.

use crate::{KeyError, KeyRing};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;

fn check(text: &str, expected: Result<&str, KeyError>) {
    let parsed = KeyRing::parse(&text.to_owned().into());
    assert_eq!(
        parsed.as_ref().map(|ring| ring.signing().0).map_err(ToString::to_string),
        expected.map_err(|e| e.to_string()),
        "{text:?}"
    );
}

#[test]
fn a_ring_is_read_or_says_what_is_wrong() {
    let (long, short) = (STANDARD.encode([7_u8; 32]), STANDARD.encode([7_u8; 31]));
    check(&format!("a:{long}"), Ok("a"));
    check(&format!(" new-1:{long},\n old_1:{long},"), Ok("new-1"));
    check("", Err(KeyError::Empty));
    check(" , ", Err(KeyError::Empty));
    check(&long, Err(KeyError::Shape));
    check(&format!("a b:{long}"), Err(KeyError::Id));
    check(&format!(":{long}"), Err(KeyError::Id));
    check(&format!("{}:{long}", "k".repeat(33)), Err(KeyError::Id));
    check("a:not base64!", Err(KeyError::NotBase64("a".to_owned())));
    check(&format!("a:{short}"), Err(KeyError::TooShort("a".to_owned(), 31)));
    check(&format!("a:{long},b:secret"), Err(KeyError::NotBase64("b".to_owned())));
    check(&format!("a:{long},a:{long}"), Err(KeyError::Twice("a".to_owned())));
}

#[test]
fn neither_an_error_nor_debug_shows_a_key() {
    let secret = STANDARD.encode("hunter2");
    let error = KeyRing::parse(&format!("a:{secret}").into()).expect_err("is too short");
    assert!(!error.to_string().contains(&secret) && !format!("{error:?}").contains(&secret));
    let text = KeyRing::generate();
    let ring = KeyRing::parse(&text).expect("a generated ring can be read");
    let (kid, secret) = text.expose_secret().split_once(':').expect("has a colon");
    assert_eq!(format!("{ring:?}"), format!("[{kid:?}]"));
    assert!(!secret.is_empty() && text.expose_secret() != KeyRing::generate().expose_secret());
}
