//! Keys for programs: what may be asked for, and when they are refused.

use super::{Stage, accounts_in, cheap};
use crate::{
    Caller, Error, SignedIn,
    api_key::manage::{self, Wish},
    scope::Verb,
};
use entity::api_key;
use kernel::clock;
use sea_orm::EntityTrait;
use std::time::Duration;

const RESOURCES: [&str; 2] = ["documents", "blocks"];

fn wish(scopes: &[&str]) -> Wish {
    Wish {
        name: Some(" Backup ".to_owned()),
        scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        expires_at: None,
    }
}

async fn caller(stage: &Stage, signed_in: &SignedIn) -> Caller {
    stage.accounts.person(&signed_in.access_token).await.expect("signed in")
}

fn pointers(error: &Error) -> Vec<(String, &'static str)> {
    match error {
        Error::Invalid(fields) => fields.iter().map(|field| (field.pointer.clone(), field.code)).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_say_and_its_row_does_not_hold_it() {
    let stage = Stage::new().await;
    let ada = caller(&stage, &stage.ada().await).await;
    let made = manage::create(
        &stage.accounts,
        &ada,
        &wish(&["documents:read", "documents:read"]),
        None,
        &RESOURCES,
    )
    .await;
    let (row, key) = made.expect("a key");
    assert!(key.starts_with("sheaf_") && key.len() == 70, "{key}");
    assert_eq!((row.name.as_str(), row.scopes.as_str()), ("Backup", r#"["documents:read"]"#));
    assert!(key.starts_with(&row.prefix) && key.ends_with(&row.last_four));
    let kept = api_key::Entity::find_by_id(row.id)
        .one(stage.db())
        .await
        .expect("read")
        .expect("a row");
    assert!(!format!("{kept:?}").contains(&key));
    let known = stage.accounts.person(&key).await.expect("the key is good");
    let opens = known.key().expect("a key").clone();
    assert_eq!((known.user, known.session(), opens.id), (ada.user, None, row.id));
    assert!(opens.may("documents", Verb::Read) && !opens.may("documents", Verb::Write) && !opens.may("blocks", Verb::Read));
    let used = manage::find(stage.db(), ada.user, row.id).await.expect("there");
    assert!(used.last_used_at.is_some());
    assert_eq!(stage.happened("api_key.created").await, 1);
}

#[tokio::test]
async fn every_bad_field_of_a_key_is_named() {
    let stage = Stage::new().await;
    let ada = caller(&stage, &stage.ada().await).await;
    let bad = Wish {
        name: Some("a\nb".to_owned()),
        scopes: Some(["documents", "auth:read", "*:read", "cards:own"].map(str::to_owned).to_vec()),
        expires_at: Some(Some(clock::now() - Duration::from_secs(1))),
    };
    let said = manage::create(&stage.accounts, &ada, &bad, None, &RESOURCES)
        .await
        .expect_err("refused");
    let named = [
        ("/name", "invalid"),
        ("/scopes/0", "invalid"),
        ("/scopes/1", "unknown_resource"),
        ("/scopes/3", "invalid"),
        ("/expires_at", "invalid"),
    ];
    assert_eq!(pointers(&said), named.map(|(pointer, code)| (pointer.to_owned(), code)));
    let said = manage::create(&stage.accounts, &ada, &wish(&[]), None, &RESOURCES)
        .await
        .expect_err("refused");
    assert_eq!(pointers(&said), [("/scopes".to_owned(), "invalid")]);
    assert!(manage::list(stage.db(), ada.user).await.expect("a list").is_empty());
}

#[tokio::test]
async fn a_revoked_or_late_key_is_refused_at_once_and_nobody_elses_is_touched() {
    let stage = Stage::new().await;
    let ada = caller(&stage, &stage.ada().await).await;
    let eve = caller(&stage, &stage.registers("eve@example.org").await.expect("registered")).await;
    let (row, key) = manage::create(&stage.accounts, &ada, &wish(&["*:*"]), None, &RESOURCES)
        .await
        .expect("a key");
    for attempt in [
        manage::revoke(&stage.accounts, eve.user, row.id).await,
        manage::change(&stage.accounts, eve.user, row.id, &wish(&["*:*"]), &RESOURCES)
            .await
            .map(drop),
        manage::find(stage.db(), eve.user, row.id).await.map(drop),
    ] {
        assert!(matches!(attempt, Err(Error::KeyNotFound)), "{attempt:?}");
    }
    stage.accounts.person(&key).await.expect("still good");
    let soon = Wish {
        expires_at: Some(Some(clock::now() + Duration::from_millis(50))),
        ..Wish::default()
    };
    let row = manage::change(&stage.accounts, ada.user, row.id, &soon, &RESOURCES)
        .await
        .expect("changed");
    let late = async {
        while clock::now() < row.expires_at.expect("set") {
            tokio::task::yield_now().await;
        }
        stage.accounts.person(&key).await
    };
    assert!(matches!(late.await, Err(Error::Unauthenticated)));
    let never = Wish {
        expires_at: Some(None),
        ..Wish::default()
    };
    manage::change(&stage.accounts, ada.user, row.id, &never, &RESOURCES)
        .await
        .expect("changed");
    // Another node knows of it as soon.
    let other = accounts_in(&stage.db, cheap());
    other.person(&key).await.expect("good again");
    manage::revoke(&stage.accounts, ada.user, row.id).await.expect("revoked");
    for accounts in [&stage.accounts, &other] {
        assert!(matches!(accounts.person(&key).await, Err(Error::Unauthenticated)));
    }
    assert!(matches!(
        manage::revoke(&stage.accounts, ada.user, row.id).await,
        Err(Error::KeyNotFound)
    ));
    assert_eq!(
        (stage.happened("api_key.updated").await, stage.happened("api_key.revoked").await),
        (2, 1)
    );
}

#[tokio::test]
async fn nobody_has_more_than_a_hundred_keys() {
    let stage = Stage::new().await;
    let ada = caller(&stage, &stage.ada().await).await;
    for _ in 0..100 {
        manage::create(&stage.accounts, &ada, &wish(&["*:read"]), None, &RESOURCES)
            .await
            .expect("a key");
    }
    let said = manage::create(&stage.accounts, &ada, &wish(&["*:read"]), None, &RESOURCES).await;
    assert!(matches!(said, Err(Error::TooManyKeys)));
    let first = manage::list(stage.db(), ada.user).await.expect("a list")[0].id;
    manage::revoke(&stage.accounts, ada.user, first).await.expect("revoked");
    manage::create(&stage.accounts, &ada, &wish(&["*:read"]), None, &RESOURCES)
        .await
        .expect("room again");
}
