//! Registering and signing in.

use super::{PASSWORD, Stage, accounts_in, cheap, logs_in, new_user};
use crate::{Client, Error, NewUser, Settings, account};
use entity::{session, user};
use kernel::{clock, error::Explain};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, PaginatorTrait};

#[tokio::test]
async fn a_new_account_is_signed_in() {
    let stage = Stage::new().await;
    let signed_in = stage.registers("  Ada@Example.ORG ").await.expect("registers");

    assert_eq!(signed_in.user.email, "ada@example.org");
    assert_eq!(signed_in.expires_in, 900);
    let caller = stage.accounts.person(&signed_in.access_token).await.expect("the token is good");
    assert_eq!(caller.user, signed_in.user.id);
    assert!(caller.expires_at > clock::now());
    assert_eq!(
        (stage.happened("user.registered").await, stage.happened("user.signed_in").await),
        (1, 1)
    );
    let found = account::find(stage.db(), caller.user).await.expect("reads").expect("is there");
    assert_eq!(found, signed_in.user);
}

#[tokio::test]
async fn debug_output_shows_no_secret() {
    let signed_in = Stage::new().await.ada().await;
    let shown = format!("{signed_in:?}");
    assert!(
        !shown.contains(&signed_in.access_token) && !shown.contains(&signed_in.refresh_token) && !shown.contains("argon2"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_login_begins_a_session_of_its_own() {
    let stage = Stage::new().await;
    let first = stage.ada().await;
    let second = stage.logs_in(" ADA@example.org", PASSWORD).await.expect("logs in");

    let (one, other) = (stage.session_of(&first), stage.session_of(&second));
    assert_ne!(one, other);
    let row = session::Entity::find_by_id(other)
        .one(stage.db())
        .await
        .expect("reads")
        .expect("is there");
    assert!(
        row.user_agent.starts_with("testtest") && row.user_agent.len() == 256,
        "{:?}",
        row.user_agent
    );
}

#[tokio::test]
async fn an_address_has_one_account() {
    let stage = Stage::new().await;
    stage.ada().await;
    let again = stage.registers("ADA@example.org").await.expect_err("the address is taken");
    assert!(matches!(again, Error::EmailTaken), "{again}");
    assert_eq!(again.code(), "email_taken");
    assert_eq!(
        session::Entity::find().count(stage.db()).await.expect("counts"),
        1,
        "nothing is left of the second try"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_take_an_address_at_once_one_gets_it() {
    let stage = Stage::new().await;
    let tries = (0..6).map(|_| {
        let accounts = stage.accounts.clone();
        tokio::spawn(async move { account::register(&accounts, new_user("bob@example.org"), Client::default()).await })
    });
    let mut won = 0;
    for one in tries.collect::<Vec<_>>() {
        match one.await.expect("does not panic") {
            Ok(_) => won += 1,
            Err(error) => assert!(matches!(error, Error::EmailTaken), "{error}"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn every_bad_field_is_named_at_once() {
    let stage = Stage::new().await;
    let new = NewUser {
        email: "nobody".to_owned(),
        password: "12345678".to_owned(),
        display_name: " \t".to_owned(),
    };
    let error = account::register(&stage.accounts, new, Client::default())
        .await
        .expect_err("all three are bad");
    let pointers: Vec<String> = error.fields().into_iter().map(|field| field.pointer).collect();
    assert_eq!(pointers, ["/email", "/password", "/display_name"]);
}

#[tokio::test]
async fn addresses_and_names() {
    let stage = Stage::new().await;
    let refused = async |email: &str, name: &str| {
        let new = NewUser {
            email: email.to_owned(),
            display_name: name.to_owned(),
            ..new_user("")
        };
        account::register(&stage.accounts, new, Client::default())
            .await
            .err()
            .map(|error| error.fields().iter().map(|f| f.pointer.clone()).collect::<String>())
    };
    let long = format!("{}@example.org", "a".repeat(250));
    for bad in [
        "",
        "a",
        "@b.c",
        "a@",
        "a@@b.c",
        "a@b@c.d",
        "a@b",
        "a@.c",
        "a@b.",
        "a@b..c",
        "a b@c.d",
        "a@b.c\r\nBcc: x@y.z",
        "a@b.c\u{0}",
        "a@b\u{2028}.c",
        &long,
    ] {
        assert_eq!(refused(bad, "Ada").await.as_deref(), Some("/email"), "{bad:?}");
    }
    for (i, good) in ["a@localhost", "a+b@c.d", "Ä@ö.example", "o'hara@x.y.z"].into_iter().enumerate() {
        assert_eq!(refused(good, &format!("  Name {i} ")).await, None, "{good:?}");
    }
    for bad in ["", "  ", "a\nb", "a\u{7f}", &"x".repeat(101)] {
        assert_eq!(refused("x@y.z", bad).await.as_deref(), Some("/display_name"), "{bad:?}");
    }
    assert_eq!(refused("x@y.z", &"ö".repeat(100)).await, None, "characters are counted, not bytes");
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_get_the_same_answer() {
    let stage = Stage::new().await;
    stage.ada().await;
    let too_long = "x".repeat(900_000);
    let tries = [
        ("ada@example.org", "wrong password"),
        ("eve@example.org", PASSWORD),
        ("no address", PASSWORD),
        ("ada@example.org", ""),
        ("ada@example.org", &*too_long),
    ];
    for (email, password) in tries {
        let error = stage.logs_in(email, password).await.expect_err("is refused");
        assert!(matches!(error, Error::InvalidCredentials), "{email}: {error}");
    }
    assert_eq!(stage.happened("user.signed_in").await, 1);
}

#[tokio::test]
async fn a_closed_account_cannot_sign_in_or_refresh() {
    let stage = Stage::new().await;
    let signed_in = stage.ada().await;
    let mut row = signed_in.user.clone().into_active_model();
    row.deleted_at = Set(Some(clock::now()));
    row.update(stage.db()).await.expect("closes");

    let error = stage.logs_in("ada@example.org", PASSWORD).await.expect_err("is refused");
    assert!(matches!(error, Error::InvalidCredentials), "{error}");
    let error = crate::session::refresh(&stage.accounts, &signed_in.refresh_token)
        .await
        .expect_err("is refused");
    assert!(matches!(error, Error::InvalidRefreshToken), "{error}");
}

#[tokio::test]
async fn a_login_renews_a_hash_of_another_cost() {
    let stage = Stage::new().await;
    let id = stage.ada().await.user.id;
    let hash = async || {
        user::Entity::find_by_id(id)
            .one(stage.db())
            .await
            .expect("reads")
            .expect("is there")
            .password_hash
    };
    assert!(hash().await.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", hash().await);

    let dearer = accounts_in(
        &stage.db,
        Settings {
            hash_memory_kib: 128,
            hash_iterations: 2,
            ..cheap()
        },
    );
    logs_in(&dearer, "ada@example.org", "wrong password").await.expect_err("is refused");
    assert!(hash().await.contains("m=64,t=1"), "a wrong password changes nothing");
    logs_in(&dearer, "ada@example.org", PASSWORD).await.expect("logs in");
    let renewed = hash().await;
    assert!(renewed.contains("m=128,t=2,p=1"), "{renewed}");
    logs_in(&dearer, "ada@example.org", PASSWORD)
        .await
        .expect("logs in with the new hash");
    assert_eq!(hash().await, renewed, "and once is enough");
}
