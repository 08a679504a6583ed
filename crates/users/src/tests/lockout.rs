//! Who waits after wrong passwords, and who does not.

use super::{PASSWORD, Stage, cheap};
use crate::{Client, Credentials, Error, Settings, account, lockout::Patience};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(60);

fn strict() -> Settings {
    Settings {
        patience: Patience {
            free: 3,
            free_anywhere: 8,
            wait: WAIT,
        },
        ..cheap()
    }
}

async fn tries(stage: &Stage, email: &str, password: &str, source: &str) -> Result<(), Error> {
    let credentials = Credentials {
        email: email.to_owned(),
        password: password.to_owned(),
    };
    let client = Client {
        source: Some(source.to_owned()),
        ..Client::default()
    };
    account::login(&stage.accounts, credentials, client).await.map(drop)
}

/// How many wrong passwords are looked at before the first wait, and that wait.
async fn until_wait(stage: &Stage, email: &str, source: &str) -> (u32, Duration) {
    for looked_at in 0..100 {
        match tries(stage, email, "wrong", source).await {
            Err(Error::InvalidCredentials) => {}
            Err(Error::TooManyAttempts(wait)) => return (looked_at, wait),
            other => panic!("{other:?}"),
        }
    }
    panic!("nobody ever waits");
}

#[tokio::test]
async fn a_network_waits_after_its_own_failures_and_no_other_does() {
    let stage = Stage::with(strict()).await;
    let email = stage.ada().await.user.email;
    let (looked_at, wait) = until_wait(&stage, &email, "192.0.2.1").await;
    assert_eq!(looked_at, 4);
    assert!(wait > WAIT / 2 && wait <= WAIT, "{wait:?}");
    let right = tries(&stage, &email, PASSWORD, "192.0.2.1").await;
    assert!(
        matches!(right, Err(Error::TooManyAttempts(_))),
        "the right password is not looked at either"
    );
    tries(&stage, &email, PASSWORD, "192.0.2.2").await.expect("another network");
}

#[tokio::test]
async fn an_address_without_an_account_is_treated_as_one_with() {
    let stage = Stage::with(strict()).await;
    let email = stage.ada().await.user.email;
    let known = until_wait(&stage, &email, "192.0.2.1").await;
    let unknown = until_wait(&stage, "nobody@example.com", "192.0.2.1").await;
    assert_eq!(known.0, unknown.0);
    let said = |wait| Error::TooManyAttempts(wait).to_string().replace(char::is_numeric, "");
    assert_eq!(said(known.1), said(unknown.1));
    // The spelling of an address makes no new one.
    let again = tries(&stage, "  NOBODY@example.com", "wrong", "192.0.2.1").await;
    assert!(matches!(again, Err(Error::TooManyAttempts(_))), "{again:?}");
}

#[tokio::test]
async fn an_attack_from_everywhere_slows_strangers_and_not_the_owner() {
    let stage = Stage::with(strict()).await;
    let email = stage.ada().await.user.email;
    tries(&stage, &email, PASSWORD, "198.51.100.7").await.expect("the owner at home");
    let mut looked_at = 0;
    for n in 0..50 {
        match tries(&stage, &email, "wrong", &format!("192.0.2.{n}")).await {
            Err(Error::InvalidCredentials) => looked_at += 1,
            Err(Error::TooManyAttempts(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(looked_at, 9, "eight are free, and one more takes the turn that the others wait for");
    let elsewhere = tries(&stage, &email, PASSWORD, "203.0.113.1").await;
    assert!(matches!(elsewhere, Err(Error::TooManyAttempts(_))), "{elsewhere:?}");
    for _ in 0..10 {
        tries(&stage, &email, PASSWORD, "198.51.100.7").await.expect("the owner at home");
    }
}

#[tokio::test]
async fn a_right_password_forgets_the_failures_before_it() {
    let stage = Stage::with(strict()).await;
    let email = stage.ada().await.user.email;
    for _ in 0..5 {
        for _ in 0..3 {
            let wrong = tries(&stage, &email, "wrong", "192.0.2.1").await;
            assert!(matches!(wrong, Err(Error::InvalidCredentials)), "{wrong:?}");
        }
        tries(&stage, &email, PASSWORD, "192.0.2.1").await.expect("right");
    }
}

#[tokio::test]
async fn many_guesses_at_once_are_as_many_as_one_after_the_other() {
    let stage = Stage::with(strict()).await;
    let email = stage.ada().await.user.email;
    let guesses = (0..40).map(|_| tries(&stage, &email, "wrong", "192.0.2.1"));
    let all = futures::future::join_all(guesses).await;
    let looked_at = all.iter().filter(|one| matches!(one, Err(Error::InvalidCredentials))).count();
    assert_eq!(looked_at, 4);
}

#[tokio::test]
async fn waits_grow_and_end() {
    let mut settings = strict();
    settings.patience.wait = Duration::from_millis(300);
    let stage = Stage::with(settings).await;
    let email = stage.ada().await.user.email;
    let mut waits = Vec::new();
    let started = Instant::now();
    while waits.len() < 3 {
        assert!(started.elapsed() < Duration::from_secs(20), "a wait does not end");
        // Looked at again as soon as the wait is over; the next one is longer.
        let (looked_at, wait) = until_wait(&stage, &email, "192.0.2.1").await;
        if looked_at > 0 {
            waits.push(wait);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(
        waits[0] <= Duration::from_millis(300) && waits[1] > Duration::from_millis(300),
        "{waits:?}"
    );
    assert!(waits[2] > Duration::from_millis(600), "{waits:?}");
}
