//! Refresh tokens: rotation, races, theft, and the end of a login.

use super::{PASSWORD, Stage, cheap};
use crate::{Error, Settings, SignedIn, session};
use entity::{refresh_token, session as sessions};
use kernel::{clock, id::SessionId};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};
use sha2::{Digest, Sha256};
use std::{collections::HashSet, time::Duration};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Stage {
    async fn refreshes(&self, token: &str) -> Result<SignedIn, Error> {
        session::refresh(&self.accounts, token).await
    }

    /// Lets time pass for all spent tokens.
    async fn passes_since_use(&self, secs: u64) {
        let then = clock::now() - Duration::from_secs(secs);
        let spent = refresh_token::Entity::update_many().col_expr(refresh_token::Column::UsedAt, Expr::value(then));
        spent
            .filter(refresh_token::Column::UsedAt.is_not_null())
            .exec(self.db())
            .await
            .expect("updates");
    }

    async fn sets(&self, session: SessionId, column: sessions::Column, to: clock::Time) {
        let row = sessions::Entity::update_many().col_expr(column, Expr::value(to));
        row.filter(sessions::Column::Id.eq(session)).exec(self.db()).await.expect("updates");
    }

    async fn eight_refresh_at_once(&self, token: &str) -> Vec<Result<SignedIn, Error>> {
        let tries = (0..8).map(|_| {
            let (accounts, token) = (self.accounts.clone(), token.to_owned());
            tokio::spawn(async move { session::refresh(&accounts, &token).await })
        });
        let mut answers = Vec::new();
        for one in tries.collect::<Vec<_>>() {
            answers.push(one.await.expect("does not panic"));
        }
        answers
    }
}

fn is_invalid(answer: Result<SignedIn, Error>) -> bool {
    matches!(answer, Err(Error::InvalidRefreshToken))
}

fn is_reused(answer: Result<SignedIn, Error>) -> bool {
    matches!(answer, Err(Error::RefreshTokenReused))
}

#[tokio::test]
async fn a_refresh_gives_the_next_pair_of_the_same_login() {
    let stage = Stage::new().await;
    let first = stage.ada().await;
    let second = stage.refreshes(&first.refresh_token).await.expect("refreshes");

    assert_ne!(first.refresh_token, second.refresh_token);
    assert_ne!(first.access_token, second.access_token);
    assert_eq!(stage.session_of(&first), stage.session_of(&second));
    stage.refreshes(&second.refresh_token).await.expect("and so on");
    assert_eq!(stage.happened("user.signed_in").await, 1, "it is no new login");
}

#[tokio::test]
async fn tokens_are_kept_as_hashes() {
    let stage = Stage::new().await;
    let token = stage.ada().await.refresh_token;
    let rows = refresh_token::Entity::find().all(stage.db()).await.expect("reads");
    assert_eq!(
        rows.iter().map(|row| &*row.token_hash).collect::<Vec<_>>(),
        [hex::encode(Sha256::digest(&token))]
    );
    assert!(token.len() == 64 && rows[0].token_hash != token);
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused() {
    let stage = Stage::new().await;
    let signed_in = stage.ada().await;
    let hash = hex::encode(Sha256::digest(&signed_in.refresh_token));
    for token in ["", "x", &signed_in.access_token, &hash, &signed_in.refresh_token.to_uppercase()] {
        assert!(is_invalid(stage.refreshes(token).await), "{token:?}");
    }
    stage.refreshes(&signed_in.refresh_token).await.expect("the real one still is good");
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_that_race_all_win_within_the_leeway() {
    let stage = Stage::new().await;
    let mut token = stage.ada().await.refresh_token;
    for round in 0..5 {
        let answers = stage.eight_refresh_at_once(&token).await;
        let tokens: HashSet<String> = answers
            .into_iter()
            .map(|answer| answer.expect("every tab wins").refresh_token)
            .collect();
        assert_eq!(tokens.len(), 8, "round {round}");
        for other in tokens {
            token = stage.refreshes(&other).await.expect("and can go on").refresh_token;
        }
    }
    assert_eq!(stage.happened("session.revoked_on_reuse").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_leeway_one_wins_and_the_login_ends() {
    let stage = Stage::with(Settings {
        reuse_leeway: Duration::ZERO,
        ..cheap()
    })
    .await;
    let token = stage.ada().await.refresh_token;
    let (won, lost): (Vec<_>, Vec<_>) = stage.eight_refresh_at_once(&token).await.into_iter().partition(Result::is_ok);

    assert_eq!(won.len(), 1);
    let reused = lost
        .iter()
        .filter(|answer| matches!(answer, Err(Error::RefreshTokenReused)))
        .count();
    assert!(
        reused >= 1
            && lost
                .iter()
                .all(|answer| matches!(answer, Err(Error::RefreshTokenReused | Error::InvalidRefreshToken))),
        "{lost:?}"
    );
    for winner in won.into_iter().flatten() {
        assert!(is_invalid(stage.refreshes(&winner.refresh_token).await), "the whole family is dead");
    }
    assert_eq!(stage.happened("session.revoked_on_reuse").await, 1);
}

#[tokio::test]
async fn a_token_that_comes_back_after_the_leeway_ends_the_login_and_no_other() {
    let stage = Stage::new().await;
    let stolen = stage.ada().await.refresh_token;
    let other = stage.logs_in("ada@example.org", PASSWORD).await.expect("logs in").refresh_token;
    let newer = stage.refreshes(&stolen).await.expect("refreshes").refresh_token;

    stage.passes_since_use(9).await;
    let within = stage
        .refreshes(&stolen)
        .await
        .expect("9 seconds are within the leeway")
        .refresh_token;
    stage.passes_since_use(10).await;
    assert!(is_reused(stage.refreshes(&stolen).await));
    for token in [&newer, &within, &stolen] {
        assert!(is_invalid(stage.refreshes(token).await), "the whole family is dead");
    }
    assert_eq!(stage.happened("session.revoked_on_reuse").await, 1);
    stage.refreshes(&other).await.expect("another login of the same person goes on");
}

#[tokio::test]
async fn a_token_in_use_long_ago_is_reuse_however_often_it_was_raced() {
    let stage = Stage::new().await;
    let token = stage.ada().await.refresh_token;
    stage.refreshes(&token).await.expect("refreshes");
    stage.passes_since_use(6).await;
    stage.refreshes(&token).await.expect("6 seconds are within the leeway");
    stage.passes_since_use(11).await;
    assert!(
        is_reused(stage.refreshes(&token).await),
        "the second use did not begin a new leeway"
    );
}

#[tokio::test]
async fn a_login_ends_however_often_it_is_refreshed() {
    let stage = Stage::new().await;
    let signed_in = stage.ada().await;
    let next = stage.refreshes(&signed_in.refresh_token).await.expect("refreshes");
    let row = sessions::Entity::find().one(stage.db()).await.expect("reads").expect("is there");
    assert_eq!(
        row.expires_at - row.created_at,
        chrono::TimeDelta::days(90),
        "a refresh does not move the end"
    );

    stage.sets(stage.session_of(&next), sessions::Column::ExpiresAt, clock::now()).await;
    assert!(is_invalid(stage.refreshes(&next.refresh_token).await));
    assert!(is_invalid(stage.refreshes(&signed_in.refresh_token).await));
}

#[tokio::test]
async fn a_token_that_is_not_used_runs_out() {
    let stage = Stage::with(Settings {
        refresh_ttl: Duration::ZERO,
        ..cheap()
    })
    .await;
    let token = stage.ada().await.refresh_token;
    assert!(is_invalid(stage.refreshes(&token).await));
}

#[tokio::test]
async fn logout_ends_the_family_once_and_is_never_an_error() {
    let stage = Stage::new().await;
    let first = stage.ada().await.refresh_token;
    let other = stage.logs_in("ada@example.org", PASSWORD).await.expect("logs in").refresh_token;
    let second = stage.refreshes(&first).await.expect("refreshes").refresh_token;

    for token in [&first, &second, "unknown", ""] {
        session::logout(&stage.accounts, token).await.expect("is where they want to be");
    }
    for token in [&first, &second] {
        assert!(is_invalid(stage.refreshes(token).await));
    }
    assert_eq!(stage.happened("user.signed_out").await, 1);
    stage.refreshes(&other).await.expect("the other login goes on");
}

#[tokio::test]
async fn purge_removes_what_was_over_yesterday() {
    let stage = Stage::new().await;
    let living = stage.ada().await;
    let mut more = Vec::new();
    for _ in 0..3 {
        more.push(stage.logs_in("ada@example.org", PASSWORD).await.expect("logs in"));
    }
    let (long_ago, just_now) = (clock::now() - DAY * 2, clock::now());
    stage.sets(stage.session_of(&more[0]), sessions::Column::ExpiresAt, long_ago).await;
    stage.sets(stage.session_of(&more[1]), sessions::Column::RevokedAt, long_ago).await;
    stage.sets(stage.session_of(&more[2]), sessions::Column::RevokedAt, just_now).await;

    assert_eq!(session::purge(stage.db()).await.expect("purges"), 2);
    assert_eq!(session::purge(stage.db()).await.expect("purges"), 0);
    assert_eq!(
        refresh_token::Entity::find().count(stage.db()).await.expect("counts"),
        2,
        "tokens go with their login"
    );
    stage.refreshes(&living.refresh_token).await.expect("the living one goes on");
}
