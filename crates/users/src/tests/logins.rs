//! Logins as their owner sees them, and proving again who one is.

use super::{PASSWORD, Stage, cheap};
use crate::{
    Error, Settings, SignedIn, fresh, logins,
    reauthenticate::{Proof, reauthenticate},
};
use entity::session;
use kernel::{clock, id::SessionId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use std::time::Duration;

impl Stage {
    async fn listed(&self, of: &SignedIn) -> Vec<SessionId> {
        let rows = logins::list(&self.accounts, of.user.id).await.expect("reads");
        rows.into_iter().map(|row| row.id).collect()
    }

    /// Makes a login as old as one whose password was given long ago.
    pub(super) async fn goes_stale(&self, login: &SignedIn) {
        let long_ago = clock::now() - Duration::from_secs(16 * 60);
        let stale = session::Entity::update_many().col_expr(session::Column::AuthenticatedAt, Expr::value(Some(long_ago)));
        let id = self.session_of(login);
        stale.filter(session::Column::Id.eq(id)).exec(self.db()).await.expect("updates");
    }

    pub(super) async fn is_fresh(&self, login: &SignedIn) -> bool {
        match fresh::check(&self.accounts, &self.caller(login).await).await {
            Ok(()) => true,
            Err(Error::FreshLoginRequired) => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) async fn proves(&self, login: &SignedIn, password: Option<&str>, code: Option<&str>) -> Result<clock::Time, Error> {
        let proof = Proof {
            password: password.map(str::to_owned),
            code: code.map(str::to_owned),
        };
        reauthenticate(&self.accounts, &self.caller(login).await, proof, "192.0.2.1").await
    }
}

#[tokio::test]
async fn logins_are_listed_by_their_last_use_and_ended_one_by_one() {
    let stage = Stage::new().await;
    let first = stage.ada().await;
    let second = stage.logs_in("ada@example.org", PASSWORD).await.expect("logs in");
    stage.registers("eve@example.org").await.expect("registers");
    let ids = [stage.session_of(&first), stage.session_of(&second)];
    assert_eq!(stage.listed(&first).await, [ids[1], ids[0]]);

    logins::revoke(&stage.accounts, first.user.id, ids[1]).await.expect("ended");
    assert_eq!(stage.listed(&first).await, [ids[0]]);
    stage.accounts.person(&second.access_token).await.expect_err("at once");
    stage.accounts.person(&first.access_token).await.expect("this one goes on");
    let again = logins::revoke(&stage.accounts, first.user.id, ids[1]).await;
    assert!(matches!(again, Err(Error::SessionNotFound)), "{again:?}");
    assert_eq!(stage.happened("session.revoked").await, 1);
}

#[tokio::test]
async fn nobody_ends_or_sees_somebody_else_s_login() {
    let stage = Stage::new().await;
    let ada = stage.ada().await;
    let eve = stage.registers("eve@example.org").await.expect("registers");
    let refused = logins::revoke(&stage.accounts, eve.user.id, stage.session_of(&ada)).await;
    assert!(matches!(refused, Err(Error::SessionNotFound)), "{refused:?}");
    assert_eq!(
        logins::revoke_others(&stage.accounts, &stage.caller(&eve).await)
            .await
            .expect("none"),
        0
    );
    stage.accounts.person(&ada.access_token).await.expect("goes on");
    assert_eq!(stage.listed(&eve).await, [stage.session_of(&eve)]);
    assert_eq!(stage.happened("session.revoked").await, 0);
}

#[tokio::test]
async fn all_other_logins_end_at_once() {
    let stage = Stage::new().await;
    let mine = stage.ada().await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(stage.logs_in("ada@example.org", PASSWORD).await.expect("logs in"));
    }
    let ended = logins::revoke_others(&stage.accounts, &stage.caller(&mine).await).await;
    assert_eq!(ended.expect("ended"), 3);
    for other in &others {
        stage.accounts.person(&other.access_token).await.expect_err("ended");
    }
    assert_eq!(stage.listed(&mine).await, [stage.session_of(&mine)]);
    assert_eq!(stage.happened("session.revoked").await, 3);
}

#[tokio::test]
async fn a_login_that_is_over_or_was_not_used_for_long_is_not_listed() {
    let stage = Stage::new().await;
    let mine = stage.ada().await;
    for (column, at) in [
        (session::Column::ExpiresAt, clock::now()),
        (session::Column::LastUsedAt, clock::now() - Settings::default().refresh_ttl),
    ] {
        let other = stage.logs_in("ada@example.org", PASSWORD).await.expect("logs in");
        let set = session::Entity::update_many().col_expr(column, Expr::value(at));
        let id = stage.session_of(&other);
        set.filter(session::Column::Id.eq(id)).exec(stage.db()).await.expect("updates");
    }
    assert_eq!(stage.listed(&mine).await, [stage.session_of(&mine)]);
}

#[tokio::test]
async fn a_stale_login_is_fresh_again_with_the_password() {
    let stage = Stage::new().await;
    let ada = stage.ada().await;
    assert!(stage.is_fresh(&ada).await, "somebody has just signed in");
    stage.goes_stale(&ada).await;
    assert!(!stage.is_fresh(&ada).await);
    let refused = stage.proves(&ada, Some("wrong password"), None).await;
    assert!(matches!(refused, Err(Error::WrongPassword)), "{refused:?}");
    let refused = stage.proves(&ada, None, Some("123456")).await;
    assert!(
        matches!(&refused, Err(Error::Invalid(fields)) if fields.len() == 1 && fields[0].pointer == "/password"),
        "{refused:?}"
    );
    assert!(!stage.is_fresh(&ada).await);
    let until = stage.proves(&ada, Some(PASSWORD), None).await.expect("is proven");
    assert!(until > clock::now() + Duration::from_secs(14 * 60));
    assert!(stage.is_fresh(&ada).await);
    let other = stage.logs_in("ada@example.org", PASSWORD).await.expect("logs in");
    stage.goes_stale(&other).await;
    stage.proves(&ada, Some(PASSWORD), None).await.expect("is proven");
    assert!(!stage.is_fresh(&other).await, "another login of theirs stays as it is");
}

#[tokio::test]
async fn where_addresses_have_to_be_proven_nobody_signs_in_before() {
    let stage = Stage::with(Settings {
        require_verified_email: true,
        ..cheap()
    })
    .await;
    let refused = stage.registers("ada@example.org").await;
    assert!(matches!(refused, Err(Error::EmailUnverified)), "{refused:?}");
    let refused = stage.logs_in("ada@example.org", PASSWORD).await;
    assert!(matches!(refused, Err(Error::EmailUnverified)), "{refused:?}");
    let refused = stage.logs_in("ada@example.org", "wrong password").await;
    assert!(
        matches!(refused, Err(Error::InvalidCredentials)),
        "only its owner is told: {refused:?}"
    );
    let ada = crate::account::find_by_email(stage.db(), "ada@example.org")
        .await
        .expect("reads")
        .expect("was made");
    let issued = stage.issues(crate::mailed::Purpose::VerifyEmail, ada.id).await.expect("a letter");
    stage.verifies(&issued.secret).await.expect("proven");
    stage.logs_in("ada@example.org", PASSWORD).await.expect("signs in");
    assert_eq!(stage.happened("user.signed_in").await, 1);
}
