//! Logins with other providers that have begun: good once, for a while, at their provider, for who began them.

use super::{Stage, cheap};
use crate::{
    Client, Error, Settings,
    oidc::{self, Problem, Provider, Returned},
    session,
};
use entity::oidc_flow;
use kernel::{clock, secret::hash};
use sea_orm::{EntityTrait, IntoActiveModel, PaginatorTrait};
use std::time::Duration;

/// Accounts that know two providers, neither of which is there.
async fn stage() -> Stage {
    let one = |id: &str| format!(r#"{{"id":"{id}","name":"x","issuer":"http://127.0.0.1:1","client_id":"x"}}"#);
    let providers = Provider::list(&format!("[{},{}]", one("acme"), one("other"))).expect("readable");
    let oidc = oidc::Settings {
        providers,
        public_url: "https://sheaf.example".to_owned(),
    };
    Stage::with(Settings { oidc, ..cheap() }).await
}

/// Writes a login down that began some time ago.
async fn began(stage: &Stage, state: &str, ago: Duration) {
    let at = clock::now() - ago;
    let row = oidc_flow::Model {
        state_hash: hash(state),
        provider: "acme".to_owned(),
        nonce: "nonce".to_owned(),
        verifier: "verifier".to_owned(),
        binding_hash: hash("binding"),
        return_to: None,
        user_id: None,
        created_at: at,
        expires_at: at + Duration::from_secs(600),
    };
    oidc_flow::Entity::insert(row.into_active_model())
        .exec_without_returning(stage.db())
        .await
        .expect("written");
}

/// Whether a login was accepted as begun here: then the provider is asked, and does not answer.
async fn is_known(accounts: &crate::Accounts, provider: &str, state: &str, binding: &str) -> bool {
    let returned = Returned {
        state: state.to_owned(),
        code: Some("code".to_owned()),
        ..Returned::default()
    };
    match oidc::finish(accounts, provider, returned, binding, Client::default()).await {
        Err(Error::Oidc(Problem::Unavailable(_))) => true,
        Err(Error::Oidc(Problem::NotBegunHere)) => false,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_end_one_login_one_gets_on() {
    let stage = stage().await;
    began(&stage, "state", Duration::ZERO).await;
    let mut tries = Vec::new();
    for _ in 0..8 {
        let accounts = stage.accounts.clone();
        tries.push(tokio::task::spawn(
            async move { is_known(&accounts, "acme", "state", "binding").await },
        ));
    }
    let mut known = 0;
    for one in tries {
        known += u32::from(one.await.expect("no panic"));
    }
    assert_eq!(known, 1);
}

#[tokio::test]
async fn a_login_is_for_its_provider_its_client_and_ten_minutes() {
    let stage = stage().await;
    for (state, ago, provider, binding, expected) in [
        ("good", 590, "acme", "binding", true),
        ("late", 601, "acme", "binding", false),
        ("elsewhere", 0, "other", "binding", false),
        ("stolen", 0, "acme", "", false),
    ] {
        began(&stage, state, Duration::from_secs(ago)).await;
        assert_eq!(is_known(&stage.accounts, provider, state, binding).await, expected, "{state}");
        assert!(!is_known(&stage.accounts, "acme", state, "binding").await, "{state} is used up");
    }
    assert!(!is_known(&stage.accounts, "acme", &hash("good"), "binding").await);
}

#[tokio::test]
async fn what_nobody_ended_is_swept_away() {
    let stage = stage().await;
    began(&stage, "late", Duration::from_secs(601)).await;
    began(&stage, "good", Duration::ZERO).await;
    session::purge(stage.db()).await.expect("swept");
    assert_eq!(oidc_flow::Entity::find().count(stage.db()).await.expect("counted"), 1);
    assert!(is_known(&stage.accounts, "acme", "good", "binding").await);
}
