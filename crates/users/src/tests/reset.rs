//! Passwords: set anew with a letter, and changed with the old one.

use super::{PASSWORD, Stage, at_once};
use crate::{Error, SignedIn, mailed::Purpose, reset};
use entity::user;
use kernel::id::UserId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

const NEW: &str = "staple battery horse correct";

impl Stage {
    async fn letter(&self, user: UserId) -> String {
        self.issues(Purpose::ResetPassword, user).await.expect("a letter").secret
    }

    async fn resets(&self, token: &str, password: &str) -> Result<(), Error> {
        reset::reset(&self.accounts, token, password.to_owned()).await
    }

    async fn changes(&self, by: &SignedIn, old: &str, new: &str) -> Result<(), Error> {
        reset::change(
            &self.accounts,
            &self.caller(by).await,
            (old.to_owned(), new.to_owned()),
            "192.0.2.1",
        )
        .await
    }

    async fn goes_on(&self, login: &SignedIn) -> bool {
        let token = self.accounts.person(&login.access_token).await;
        let refreshed = crate::session::refresh(&self.accounts, &login.refresh_token).await;
        assert_eq!(token.is_ok(), refreshed.is_ok(), "access and refresh token end together");
        token.is_ok()
    }
}

#[tokio::test]
async fn a_letter_sets_a_password_once_and_ends_every_login() {
    let stage = Stage::new().await;
    let first = stage.ada().await;
    let second = stage.logs_in("ada@example.org", PASSWORD).await.expect("logs in");
    let token = stage.letter(first.user.id).await;

    stage.resets(&token, NEW).await.expect("is set");
    assert!(!stage.goes_on(&first).await && !stage.goes_on(&second).await);
    stage.logs_in("ada@example.org", PASSWORD).await.expect_err("the old one is void");
    let third = stage.logs_in("ada@example.org", NEW).await.expect("the new one is good");
    assert!(third.user.email_verified_at.is_some(), "the letter has proven the address");

    let again = stage.resets(&token, PASSWORD).await;
    assert!(matches!(again, Err(Error::InvalidToken)), "{again:?}");
    assert!(stage.goes_on(&third).await);
    assert_eq!(stage.happened("user.password_changed").await, 1);
}

#[tokio::test]
async fn a_weak_password_leaves_the_token_as_it_is() {
    let stage = Stage::new().await;
    let ada = stage.ada().await;
    let token = stage.letter(ada.user.id).await;
    for weak in ["", "short", "12345678", "ada@example.org"] {
        let refused = stage.resets(&token, weak).await;
        assert!(
            matches!(&refused, Err(Error::Invalid(fields)) if fields[0].pointer == "/password"),
            "{refused:?}"
        );
    }
    assert!(stage.goes_on(&ada).await);
    stage.resets(&token, NEW).await.expect("is set");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_bring_a_letter_at_once_one_sets_the_password() {
    let stage = Stage::new().await;
    let ada = stage.ada().await;
    let token = stage.letter(ada.user.id).await;
    let tries = (0..8).map(|i| {
        let (accounts, token) = (stage.accounts.clone(), token.clone());
        let password = format!("{NEW} {i}");
        async move { reset::reset(&accounts, &token, password.clone()).await.map(|()| password) }
    });
    let said = at_once(tries).await;
    let won: Vec<&String> = said.iter().flatten().collect();
    assert_eq!(won.len(), 1, "{said:?}");
    assert!(
        said.iter()
            .flat_map(|answer| answer.as_ref().err())
            .all(|error| matches!(error, Error::InvalidToken))
    );
    stage
        .logs_in("ada@example.org", won[0])
        .await
        .expect("the winner's is the password");
    assert_eq!(stage.happened("user.password_changed").await, 1);
}

#[tokio::test]
async fn a_letter_is_void_once_the_password_was_changed() {
    let stage = Stage::new().await;
    let ada = stage.ada().await;
    let token = stage.letter(ada.user.id).await;
    stage.changes(&ada, PASSWORD, NEW).await.expect("changed");
    let refused = stage.resets(&token, "a third quite long password").await;
    assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");
}

#[tokio::test]
async fn a_change_takes_the_old_password_and_ends_the_other_logins() {
    let stage = Stage::new().await;
    let mine = stage.ada().await;
    let other = stage.logs_in("ada@example.org", PASSWORD).await.expect("logs in");
    let refused = stage.changes(&mine, "wrong password", NEW).await;
    assert!(matches!(refused, Err(Error::WrongPassword)), "{refused:?}");
    let refused = stage.changes(&mine, &"x".repeat(900_000), NEW).await;
    assert!(matches!(refused, Err(Error::WrongPassword)), "{refused:?}");
    let refused = stage.changes(&mine, PASSWORD, "12345678").await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    assert!(stage.goes_on(&other).await, "nothing has happened so far");

    stage.changes(&mine, PASSWORD, NEW).await.expect("changed");
    assert!(stage.goes_on(&mine).await);
    assert!(!stage.goes_on(&other).await);
    stage.logs_in("ada@example.org", PASSWORD).await.expect_err("the old one is void");
    stage.logs_in("ada@example.org", NEW).await.expect("the new one is good");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_at_once_one_wins() {
    let stage = Stage::new().await;
    let ada = stage.ada().await;
    let caller = stage.caller(&ada).await;
    let tries = (0..6).map(|i| {
        let (accounts, caller) = (stage.accounts.clone(), caller.clone());
        async move { reset::change(&accounts, &caller, (PASSWORD.to_owned(), format!("{NEW} {i}")), "192.0.2.1").await }
    });
    let said = at_once(tries).await;
    assert_eq!(said.iter().filter(|answer| answer.is_ok()).count(), 1, "{said:?}");
}

#[tokio::test]
async fn who_has_no_password_sets_one_with_a_letter() {
    let stage = Stage::new().await;
    let ada = stage.ada().await;
    let none = user::Entity::update_many().col_expr(user::Column::PasswordHash, Expr::value(""));
    none.filter(user::Column::Id.eq(ada.user.id))
        .exec(stage.db())
        .await
        .expect("updates");
    for guess in ["", PASSWORD] {
        stage
            .logs_in("ada@example.org", guess)
            .await
            .expect_err("no password is no password");
    }
    let refused = stage.changes(&ada, "", NEW).await;
    assert!(matches!(refused, Err(Error::NoPassword)), "{refused:?}");
    let token = stage.letter(ada.user.id).await;
    stage.resets(&token, NEW).await.expect("is set");
    stage.logs_in("ada@example.org", NEW).await.expect("signs in");
}
