//! Passwords and the thread they are hashed on.

use super::{PASSWORD, cheap};
use crate::{Settings, password::Hasher};
use std::{sync::mpsc, time::Duration};

async fn problem(password: &str) -> Option<&'static str> {
    let about = ["ada.lovelace@example.org".to_owned(), "Ada Lovelace".to_owned()];
    let (_, problem) = Hasher::new(&cheap()).judge(password.to_owned(), about).await.expect("judges");
    problem.map(|field| field.code)
}

#[tokio::test]
async fn a_password_is_long_enough_and_no_guess() {
    assert_eq!(problem("xK9#mQ2").await, Some("too_short"));
    assert_eq!(problem(&"xK9#mQ2p".repeat(33)).await, Some("too_long"));
    assert_eq!(problem("password").await, Some("too_weak"));
    assert_eq!(problem("aaaaaaaaaaaa").await, Some("too_weak"));
    assert_eq!(problem("lovelace").await, Some("too_weak"), "it is their name");
    assert_eq!(problem(PASSWORD).await, None);
    assert_eq!(problem(&"xK9#mQ2p".repeat(32)).await, None);
    assert_eq!(problem("přílišžluťoučký").await, None);
}

#[tokio::test]
async fn a_weak_password_is_told_how_to_get_better() {
    let (_, problem) = Hasher::new(&cheap())
        .judge("password1".to_owned(), Default::default())
        .await
        .expect("judges");
    let detail = problem.expect("is weak").detail;
    assert!(
        detail.contains("common password") && detail.contains("Add another word"),
        "{detail}"
    );
}

#[tokio::test]
async fn nobody_costs_a_hash_too() {
    let hasher = Hasher::new(&cheap());
    assert!(
        !hasher.verify("nobody has this password".to_owned(), None).await.expect("verifies"),
        "and is never right"
    );
    let all = hasher.permits().acquire_many_owned(8).await.expect("the semaphore is open");
    let verified = tokio::time::timeout(Duration::from_millis(50), hasher.verify("x".to_owned(), None)).await;
    assert!(verified.is_err(), "it waits for its turn to hash");
    drop(all);
}

#[tokio::test]
async fn a_request_that_goes_away_does_not_free_its_turn() {
    let hasher = Hasher::new(&Settings {
        concurrent_hashes: 1,
        ..cheap()
    });
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (end, may_end) = mpsc::channel::<()>();
    let work = hasher.run(move |_| {
        begun.send(()).ok();
        may_end.recv().ok();
    });
    tokio::select! {
        _ = work => panic!("the work waits for us"),
        _ = has_begun => {}
    }
    assert_eq!(hasher.permits().available_permits(), 0, "the request is gone, the work is not");
    end.send(()).expect("the work still waits");
    hasher.verify("x".to_owned(), None).await.expect("comes when the work has ended");
}
