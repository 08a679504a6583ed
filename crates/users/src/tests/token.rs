//! Access tokens as an attacker would write them (RFC 8725): all but ours are refused.

use super::{Stage, cheap};
use crate::{
    Bearer, Error, KeyRing, Settings,
    token::{self, Caller, Grant},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use kernel::{clock, id::*};
use serde_json::{Value, json};

const SECRET: [u8; 32] = [7; 32];

fn ring(keys: &[(&str, [u8; 32])]) -> KeyRing {
    let text: Vec<String> = keys.iter().map(|(kid, key)| format!("{kid}:{}", STANDARD.encode(key))).collect();
    KeyRing::parse(&text.join(",").into()).expect("the ring can be read")
}

fn ours() -> KeyRing {
    ring(&[("k1", SECRET), ("k0", [8; 32])])
}

fn header() -> Value {
    json!({"typ": "JWT", "alg": "HS256", "kid": "k1"})
}

fn claims() -> Value {
    let now = clock::now().timestamp();
    json!({
        "iss": "sheaf", "aud": "sheaf", "sub": UserId::new(), "sid": SessionId::new(), "iat": now, "exp": now + 60,
        "jti": RefreshTokenId::new(), "typ": "access",
    })
}

/// A token of any header and claims, rightly signed.
fn forge(header: &Value, claims: &Value, algorithm: Algorithm) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = crypto::sign(message.as_bytes(), &EncodingKey::from_secret(&SECRET), algorithm).expect("signs");
    format!("{message}.{signature}")
}

fn verify(token: &str) -> Result<Caller, Error> {
    match token::verify(&ours(), &Settings::default(), token)? {
        Bearer::Person(caller) => Ok(caller),
        Bearer::Link(_) => panic!("a link's"),
    }
}

fn refused(token: &str, why: impl std::fmt::Debug) {
    assert!(matches!(verify(token), Err(Error::Unauthenticated)), "{why:?}: {token}");
}

/// The good token with one field set; `null` takes it away.
fn with(mut object: Value, field: &str, value: &Value) -> Value {
    match object.as_object_mut() {
        Some(fields) if value.is_null() => fields.remove(field),
        Some(fields) => fields.insert(field.to_owned(), value.clone()),
        None => None,
    };
    object
}

#[test]
fn a_token_of_ours_tells_who_calls() {
    let claims = claims();
    let caller = verify(&forge(&header(), &claims, Algorithm::HS256)).expect("this is what ours look like");
    assert_eq!(
        json!([caller.user, caller.session(), caller.expires_at.timestamp()]),
        json!([claims["sub"], claims["sid"], claims["exp"]])
    );
}

#[test]
fn a_token_names_only_what_it_needs() {
    let grant = Grant {
        user: UserId::new(),
        session: SessionId::new(),
        with: RefreshTokenId::new(),
    };
    let token = token::issue(&ours(), &Settings::default(), grant).expect("issues");
    let part = |n: usize| {
        URL_SAFE_NO_PAD
            .decode(token.split('.').nth(n).expect("three parts"))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
    };
    assert_eq!(part(0), Some(header()));
    let claims = part(1).expect("is JSON");
    let mut names: Vec<&String> = claims.as_object().expect("is an object").keys().collect();
    names.sort_unstable();
    assert_eq!(names, ["aud", "exp", "iat", "iss", "jti", "sid", "sub", "typ"]);
    assert_eq!(
        claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat),
        Some(900)
    );
    let caller = verify(&token).expect("verifies");
    assert_eq!((caller.user, caller.session()), (grant.user, Some(grant.session)));
}

#[test]
fn no_other_algorithm() {
    for (name, algorithm) in [("HS384", Algorithm::HS384), ("HS512", Algorithm::HS512)] {
        refused(&forge(&with(header(), "alg", &json!(name)), &claims(), algorithm), name);
        refused(&forge(&header(), &claims(), algorithm), "signed with another than it says");
    }
    for alg in [
        json!("none"),
        json!("None"),
        json!("NONE"),
        json!(""),
        json!("HS512"),
        json!("RS256"),
        json!("ES256"),
        json!("hs256"),
        json!(["HS256"]),
        json!(256),
        Value::Null,
    ] {
        let token = forge(&with(header(), "alg", &alg), &claims(), Algorithm::HS256);
        refused(&token, &alg);
        let unsigned = token.rsplit_once('.').map_or("", |(message, _)| message);
        refused(unsigned, &alg);
        refused(&format!("{unsigned}."), &alg);
    }
}

#[test]
fn no_other_key() {
    for kid in [
        json!("k2"),
        json!("k0"),
        json!(""),
        json!("../../dev/null"),
        json!("k1' OR '1'='1"),
        json!("k1\u{0}"),
        json!("K1"),
        json!(1),
        json!(["k1"]),
        Value::Null,
    ] {
        refused(&forge(&with(header(), "kid", &kid), &claims(), Algorithm::HS256), &kid);
    }
}

#[test]
fn nothing_in_the_header_that_we_do_not_write() {
    let jwk = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET), "alg": "HS256"});
    let more = [
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("jwk", jwk),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("x")),
        ("x5t#S256", json!("x")),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A128GCM")),
        ("cty", json!("JWT")),
        ("anything", json!(1)),
        ("typ", json!("at+jwt")),
        ("typ", Value::Null),
    ];
    for (field, value) in more {
        refused(&forge(&with(header(), field, &value), &claims(), Algorithm::HS256), field);
    }
}

#[test]
fn only_claims_that_are_right() {
    let now = clock::now().timestamp();
    let soon = (now + 60).to_string();
    let wrong = [
        (
            "exp",
            vec![
                json!(soon),
                json!(true),
                json!([now + 60]),
                json!({}),
                json!(-1),
                json!(now as f64 + 60.5),
                json!(u64::MAX),
                json!(1e300),
                json!(now - 10),
                json!(0),
                Value::Null,
            ],
        ),
        ("iss", vec![json!("other"), json!(""), json!(["sheaf"]), json!(1), Value::Null]),
        (
            "aud",
            vec![json!("other"), json!(["sheaf", "other"]), json!([]), json!(1), Value::Null],
        ),
        ("sub", vec![json!("ada"), json!(""), json!(1), Value::Null]),
        ("sid", vec![json!("x"), Value::Null]),
        ("jti", vec![Value::Null]),
        ("iat", vec![json!("now"), Value::Null]),
        ("typ", vec![json!("refresh"), json!("Access"), json!(1), Value::Null]),
    ];
    for (claim, values) in wrong {
        for value in values {
            refused(&forge(&header(), &with(claims(), claim, &value), Algorithm::HS256), (claim, value));
        }
    }
    assert!(
        verify(&forge(&header(), &with(claims(), "exp", &json!(now - 1)), Algorithm::HS256)).is_ok(),
        "two clocks may differ a little"
    );
}

#[test]
fn a_token_that_was_touched_anywhere_is_refused() {
    let token = forge(&header(), &claims(), Algorithm::HS256);
    for at in 0..token.len() {
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        refused(&format!("{}{other}{}", &token[..at], &token[at + 1..]), at);
    }
    let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("a token has three parts")
    };
    refused(
        &format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims().to_string())),
        "somebody else's claims",
    );
    for text in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "Bearer x",
        "\u{0}",
        &format!("{token}."),
        &format!(" {token}"),
        &format!("{token}="),
        &"x".repeat(1_000_000),
    ] {
        refused(text, "no token");
    }
}

#[test]
fn a_key_is_changed_without_ending_logins() {
    let settings = Settings::default();
    let (old, both, new) = (
        ring(&[("old", [1; 32])]),
        ring(&[("new", [2; 32]), ("old", [1; 32])]),
        ring(&[("new", [2; 32])]),
    );
    let grant = Grant {
        user: UserId::new(),
        session: SessionId::new(),
        with: RefreshTokenId::new(),
    };
    let before = token::issue(&old, &settings, grant).expect("issues");
    let after = token::issue(&both, &settings, grant).expect("issues");
    assert!(token::verify(&both, &settings, &before).is_ok() && token::verify(&both, &settings, &after).is_ok());
    assert!(token::verify(&new, &settings, &after).is_ok(), "the first key signs");
    assert!(token::verify(&new, &settings, &before).is_err(), "the old one is gone");
    assert!(
        token::verify(&ring(&[("old", [3; 32])]), &settings, &before).is_err(),
        "the name alone is not the key"
    );
}

#[tokio::test]
async fn a_refresh_token_is_no_access_token() {
    let stage = Stage::with(cheap()).await;
    let signed_in = stage.ada().await;
    assert!(stage.accounts.person(&signed_in.access_token).await.is_ok());
    assert!(matches!(
        stage.accounts.person(&signed_in.refresh_token).await,
        Err(Error::Unauthenticated)
    ));
}
