//! Tokens that are mailed: issued, replaced, used once, and what they prove.

use super::{PASSWORD, Stage, at_once};
use crate::{
    Error,
    mailed::{self, Issued, Purpose},
    verification::{self, Asked},
};
use backends::db;
use entity::{user, user_token};
use kernel::{clock, id::*, secret};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};
use std::time::Duration;

impl Stage {
    pub(super) async fn issues(&self, purpose: Purpose, user: UserId) -> Option<Issued> {
        self.issues_as(purpose, user, UserTokenId::new()).await
    }

    async fn issues_as(&self, purpose: Purpose, user: UserId, id: UserTokenId) -> Option<Issued> {
        let issued = mailed::issue(self.db(), &self.accounts.mint(), purpose, user, id).await;
        issued.expect("only the database can fail")
    }

    /// Lets time pass for all tokens.
    pub(super) async fn tokens_get_older(&self, by: Duration) {
        for row in user_token::Entity::find().all(self.db()).await.expect("reads") {
            let older = user_token::Entity::update_many()
                .col_expr(user_token::Column::CreatedAt, Expr::value(row.created_at - by))
                .col_expr(user_token::Column::ExpiresAt, Expr::value(row.expires_at - by))
                .filter(user_token::Column::Id.eq(row.id));
            older.exec(self.db()).await.expect("updates");
        }
    }

    pub(super) async fn reads(&self, user: UserId) -> user::Model {
        let row = user::Entity::find_by_id(user).one(self.db()).await.expect("reads");
        row.expect("is there")
    }

    pub(super) async fn verifies(&self, token: &str) -> Result<String, Error> {
        verification::verify(&self.accounts, token).await
    }

    async fn asks_for(&self, user: UserId, email: &str) -> Result<Asked, Error> {
        db::write(self.db(), async |tx: &DatabaseTransaction| {
            verification::ask_change(tx, &self.accounts, user, email).await
        })
        .await
    }

    /// The token in the letter to the new address.
    async fn change_letter(&self, asked: &Asked) -> String {
        let id = asked.token.expect("a letter");
        let issued = mailed::again(self.db(), &self.accounts.mint(), Purpose::ChangeEmail, id).await;
        issued.expect("reads").expect("is good").secret
    }
}

fn is_refused<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::InvalidToken))
}

#[tokio::test]
async fn an_address_is_proven_once_with_the_token_of_its_letter() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user;
    assert_eq!(ada.email_verified_at, None);
    let issued = stage.issues(Purpose::VerifyEmail, ada.id).await.expect("a letter");
    assert_eq!((issued.to.as_str(), issued.secret.len()), ("ada@example.org", 64));
    assert!(!format!("{issued:?}").contains(&issued.secret));

    assert_eq!(stage.verifies(&issued.secret).await.expect("proven"), "ada@example.org");
    let proven = stage.reads(ada.id).await;
    assert!(proven.email_verified_at.is_some() && proven.updated_at > ada.updated_at);
    assert!(is_refused(&stage.verifies(&issued.secret).await), "a token is good once");
    assert_eq!(stage.happened("user.email_verified").await, 1);
    assert!(
        stage.issues(Purpose::VerifyEmail, ada.id).await.is_none(),
        "there is nothing left to prove"
    );
}

#[tokio::test]
async fn a_token_is_kept_as_a_hash_and_derived_again_for_the_second_attempt_of_its_job() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user;
    let id = UserTokenId::new();
    let first = stage.issues_as(Purpose::ResetPassword, ada.id, id).await.expect("a letter").secret;
    let second = stage
        .issues_as(Purpose::ResetPassword, ada.id, id)
        .await
        .expect("the same letter")
        .secret;
    assert_eq!(first, second);
    let rows = user_token::Entity::find().all(stage.db()).await.expect("reads");
    assert_eq!(rows.iter().map(|row| &*row.token_hash).collect::<Vec<_>>(), [secret::hash(&first)]);
    crate::reset::reset(&stage.accounts, &first, "another good long password".to_owned())
        .await
        .expect("is set");
    assert!(
        stage.issues_as(Purpose::ResetPassword, ada.id, id).await.is_none(),
        "a letter that comes late is not sent for a used token"
    );
}

#[tokio::test]
async fn letters_for_one_purpose_keep_their_distance_and_the_newest_is_good() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user;
    let old = stage.issues(Purpose::VerifyEmail, ada.id).await.expect("a letter").secret;
    assert!(stage.issues(Purpose::VerifyEmail, ada.id).await.is_none(), "not again at once");
    assert!(
        stage.issues(Purpose::ResetPassword, ada.id).await.is_some(),
        "another purpose is another letter"
    );
    stage.tokens_get_older(Duration::from_secs(61)).await;
    let new = stage.issues(Purpose::VerifyEmail, ada.id).await.expect("a newer letter").secret;
    assert_ne!(old, new);
    assert!(is_refused(&stage.verifies(&old).await), "the older one is replaced");
    stage.verifies(&new).await.expect("the newest is good");
}

#[tokio::test]
async fn a_token_runs_out() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user;
    let token = stage.issues(Purpose::VerifyEmail, ada.id).await.expect("a letter").secret;
    stage.tokens_get_older(Purpose::VerifyEmail.ttl()).await;
    assert!(is_refused(&stage.verifies(&token).await));
    assert_eq!(stage.reads(ada.id).await.email_verified_at, None);
}

#[tokio::test]
async fn a_token_is_for_its_purpose_alone() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user;
    let reset = stage.issues(Purpose::ResetPassword, ada.id).await.expect("a letter").secret;
    let verify = stage.issues(Purpose::VerifyEmail, ada.id).await.expect("a letter").secret;
    assert!(is_refused(&stage.verifies(&reset).await));
    let set = crate::reset::reset(&stage.accounts, &verify, "another good long password".to_owned()).await;
    assert!(is_refused(&set));
    for nonsense in ["", "x", &secret::hash(&verify), &verify.to_uppercase()] {
        assert!(is_refused(&stage.verifies(nonsense).await), "{nonsense:?}");
    }
    stage.verifies(&verify).await.expect("it still is good");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_bring_a_token_at_once_one_wins() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user;
    let token = stage.issues(Purpose::VerifyEmail, ada.id).await.expect("a letter").secret;
    let tries = (0..8).map(|_| {
        let (accounts, token) = (stage.accounts.clone(), token.clone());
        async move { verification::verify(&accounts, &token).await }
    });
    let said = at_once(tries).await;
    assert_eq!(said.iter().filter(|answer| answer.is_ok()).count(), 1, "{said:?}");
    assert!(said.iter().all(|answer| answer.is_ok() || is_refused(answer)), "{said:?}");
    assert_eq!(stage.happened("user.email_verified").await, 1);
}

#[tokio::test]
async fn a_new_address_is_the_account_s_once_its_letter_is_answered() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user;
    let verify = stage.issues(Purpose::VerifyEmail, ada.id).await.expect("a letter").secret;
    let reset = stage.issues(Purpose::ResetPassword, ada.id).await.expect("a letter").secret;
    let asked = stage.asks_for(ada.id, " Countess@Example.org ").await.expect("asked");
    assert_eq!(asked.user.email, "ada@example.org", "nothing has changed yet");
    let token = stage.change_letter(&asked).await;
    stage.logs_in("countess@example.org", PASSWORD).await.expect_err("not yet");

    assert_eq!(stage.verifies(&token).await.expect("changed"), "countess@example.org");
    let changed = stage.reads(ada.id).await;
    assert_eq!(changed.email, "countess@example.org");
    assert!(changed.email_verified_at.is_some());
    stage.logs_in("countess@example.org", PASSWORD).await.expect("signs in");
    stage.logs_in("ada@example.org", PASSWORD).await.expect_err("no more");
    assert_eq!(
        (
            stage.happened("user.email_changed").await,
            stage.happened("user.email_verified").await
        ),
        (1, 1)
    );
    assert!(is_refused(&stage.verifies(&verify).await), "letters to the old address are void");
    let set = crate::reset::reset(&stage.accounts, &reset, "another good long password".to_owned()).await;
    assert!(is_refused(&set));
    assert!(is_refused(&stage.verifies(&token).await), "a token is good once");
}

#[tokio::test]
async fn an_address_that_was_changed_meanwhile_is_not_proven_by_an_old_letter() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user;
    let verify = stage.issues(Purpose::VerifyEmail, ada.id).await.expect("a letter").secret;
    let reset = stage.issues(Purpose::ResetPassword, ada.id).await.expect("a letter").secret;
    // Behind the back of everything that voids tokens.
    let moved = user::Entity::update_many().col_expr(user::Column::Email, Expr::value("else@example.org"));
    moved.filter(user::Column::Id.eq(ada.id)).exec(stage.db()).await.expect("updates");
    assert!(is_refused(&stage.verifies(&verify).await));
    let set = crate::reset::reset(&stage.accounts, &reset, "another good long password".to_owned()).await;
    assert!(is_refused(&set));
    assert_eq!(stage.reads(ada.id).await.email_verified_at, None);
}

#[tokio::test]
async fn nobody_learns_by_asking_for_it_that_an_address_has_an_account() {
    let stage = Stage::new().await;
    let (ada, _) = (stage.ada().await.user, stage.registers("ben@example.org").await.expect("registers"));
    let asked = stage.asks_for(ada.id, "ben@example.org").await.expect("the same answer");
    assert!(asked.token.is_none(), "and nobody is written to");
    for bad in ["", "no address", "a@b.c\r\nBcc: x@y.z", "ADA@example.org"] {
        let refused = stage.asks_for(ada.id, bad).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{bad:?}");
    }
}

#[tokio::test]
async fn an_address_that_somebody_else_got_meanwhile_is_taken() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user;
    let asked = stage.asks_for(ada.id, "ben@example.org").await.expect("asked");
    let token = stage.change_letter(&asked).await;
    stage.registers("ben@example.org").await.expect("was faster");
    let refused = stage.verifies(&token).await;
    assert!(matches!(refused, Err(Error::EmailTaken)), "{refused:?}");
    assert_eq!(stage.reads(ada.id).await.email, "ada@example.org");
    assert_eq!(stage.happened("user.email_changed").await, 0);
}

#[tokio::test]
async fn a_closed_account_gets_no_letters_and_its_tokens_are_void() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user;
    let token = stage.issues(Purpose::VerifyEmail, ada.id).await.expect("a letter").secret;
    let closed = user::Entity::update_many().col_expr(user::Column::DeletedAt, Expr::value(clock::now()));
    closed.filter(user::Column::Id.eq(ada.id)).exec(stage.db()).await.expect("updates");
    assert!(is_refused(&stage.verifies(&token).await));
    assert!(stage.issues(Purpose::ResetPassword, ada.id).await.is_none());
}

#[tokio::test]
async fn purge_removes_tokens_a_day_after_their_end() {
    let stage = Stage::new().await;
    let ada = stage.ada().await.user;
    stage.issues(Purpose::ResetPassword, ada.id).await.expect("a letter");
    stage.tokens_get_older(Duration::from_secs(24 * 60 * 60)).await;
    assert_eq!(mailed::purge(stage.db()).await.expect("purges"), 0, "over for less than a day");
    stage.tokens_get_older(Duration::from_secs(61 * 60)).await;
    assert_eq!(mailed::purge(stage.db()).await.expect("purges"), 1);
    assert_eq!(user_token::Entity::find().count(stage.db()).await.expect("counts"), 0);
}
