//! Closing accounts: kept within the grace, erased after it, and never both.

use super::{PASSWORD, Stage, cheap, new_user};
use crate::{Error, Settings, account, deletion, profile};
use backends::db;
use entity::{account_deletion, user};
use kernel::{clock, id::*};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, sea_query::Expr};
use std::time::Duration;

/// Closes Ada's account and gives her id and her token.
async fn closed(stage: &Stage) -> (UserId, String) {
    let signed_in = stage.ada().await;
    let caller = stage.accounts.person(&signed_in.access_token).await.expect("signed in");
    let accounts = &stage.accounts;
    db::write(stage.db(), async |tx: &DatabaseTransaction| {
        deletion::schedule(accounts, tx, &caller).await
    })
    .await
    .expect("closed");
    (caller.user, signed_in.access_token)
}

/// What the job at the end does, as far as it is this crate's. Gives whether there was anything to do.
async fn erase(stage: &Stage, user: UserId) -> bool {
    let erased = db::write(stage.db(), async |tx: &DatabaseTransaction| {
        let is_due = deletion::take(tx, user).await?;
        if is_due {
            deletion::erase(tx, user).await?;
        }
        Ok::<_, DbErr>(is_due)
    });
    erased.await.expect("written")
}

async fn pass_grace(stage: &Stage) {
    account_deletion::Entity::update_many()
        .col_expr(account_deletion::Column::DueAt, Expr::value(clock::now() - Duration::from_secs(1)))
        .exec(stage.db())
        .await
        .expect("changed");
}

#[tokio::test]
async fn an_account_is_erased_after_its_grace_and_not_before() {
    let stage = Stage::new().await;
    let (ada, token) = closed(&stage).await;
    let due = async || deletion::due(stage.db(), clock::now(), 10).await.expect("asked").len();
    assert_eq!((due().await, erase(&stage, ada).await), (0, false));
    let at = deletion::pending(stage.db(), ada).await.expect("asked").expect("closed").due_at;
    assert!(at > clock::now() + Duration::from_secs(13 * 24 * 60 * 60));
    pass_grace(&stage).await;
    assert_eq!((due().await, erase(&stage, ada).await), (1, true));
    assert!(!erase(&stage, ada).await, "once");
    stage.accounts.forget_standings();
    assert!(
        matches!(stage.accounts.person(&token).await, Err(Error::Unauthenticated)),
        "a token of somebody erased"
    );
    assert!(matches!(
        stage.logs_in("ada@example.org", PASSWORD).await,
        Err(Error::InvalidCredentials)
    ));
    let row = user::Entity::find_by_id(ada)
        .one(stage.db())
        .await
        .expect("asked")
        .expect("the row stays");
    assert_eq!((row.display_name.as_str(), row.password_hash.as_str()), (deletion::NOBODY, ""));
    assert!(!row.email.contains("ada") && row.time_zone.is_none() && row.deleted_at.is_some());
    assert_ne!(stage.registers("ada@example.org").await.expect("the address is free").user.id, ada);
    assert_eq!((stage.happened("user.closed").await, stage.happened("user.erased").await), (1, 1));
}

#[tokio::test]
async fn signing_in_within_the_grace_keeps_the_account() {
    let stage = Stage::new().await;
    let (ada, token) = closed(&stage).await;
    stage.accounts.person(&token).await.expect("the login that closed it goes on");
    stage.logs_in("ada@example.org", "wrong").await.expect_err("refused");
    assert!(
        deletion::pending(stage.db(), ada).await.expect("asked").is_some(),
        "a failed login keeps nothing"
    );
    stage.logs_in("ada@example.org", PASSWORD).await.expect("signed in");
    pass_grace(&stage).await;
    assert!(!erase(&stage, ada).await);
    stage.logs_in("ada@example.org", PASSWORD).await.expect("signed in");
    assert_eq!(stage.happened("user.reopened").await, 1, "only one that was closed is reopened");
}

#[tokio::test]
async fn two_erased_accounts_and_a_name_of_the_same_domain_do_not_collide() {
    let stage = Stage::with(Settings {
        deletion_grace: Duration::ZERO,
        ..cheap()
    })
    .await;
    for _ in 0..2 {
        let (ada, _) = closed(&stage).await;
        assert!(erase(&stage, ada).await);
    }
    let left = user::Entity::find().filter(user::Column::DisplayName.eq(deletion::NOBODY));
    assert_eq!(left.all(stage.db()).await.expect("asked").len(), 2);
}

#[tokio::test]
async fn a_profile_of_somebody_erased_cannot_be_changed() {
    let stage = Stage::new().await;
    let user = account::create(&stage.accounts, new_user("bob@example.org"), true)
        .await
        .expect("made");
    assert!(account::is_admin(stage.db(), user.id).await.expect("asked"));
    db::write(stage.db(), async |tx: &DatabaseTransaction| deletion::erase(tx, user.id).await)
        .await
        .expect("erased");
    assert!(!account::is_admin(stage.db(), user.id).await.expect("asked"));
    let changes = profile::Changes {
        display_name: Some("Bob".to_owned()),
        time_zone: None,
    };
    let refused = profile::change(&stage.accounts, user.id, changes).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)));
}
