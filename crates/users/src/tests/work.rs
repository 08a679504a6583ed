//! An unknown address costs as much as a known one: counted, because a clock on a busy machine proves nothing.

use super::{PASSWORD, Stage, cheap, logs_in};
use crate::{Accounts, KeyRing, Settings};
use entity::user;
use sea_orm::{EntityTrait, sea_query::Expr};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Accounts that count what they ask the database.
fn counted(stage: &Stage, settings: Settings) -> (Accounts, Arc<AtomicU64>) {
    let (mut db, asked) = (stage.db().clone(), Arc::new(AtomicU64::new(0)));
    let counter = asked.clone();
    db.set_metric_callback(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let ring = KeyRing::parse(&KeyRing::generate()).expect("a ring");
    (Accounts::new(db, ring, settings), asked)
}

#[tokio::test]
async fn a_login_costs_the_same_whether_or_not_there_is_an_account() {
    let stage = Stage::new().await;
    stage.ada().await;
    stage.registers("ben@example.org").await.expect("registers");
    let no_password = user::Entity::update_many().col_expr(user::Column::PasswordHash, Expr::value(""));
    let ben = sea_orm::QueryFilter::filter(no_password, sea_orm::ColumnTrait::eq(&user::Column::Email, "ben@example.org"));
    ben.exec(stage.db()).await.expect("updates");
    // The first login of a process makes the hash of nobody, whoever it is of.
    for first in ["ada@example.org", "nobody@example.org"] {
        let (accounts, asked) = counted(&stage, cheap());
        let mut costs = Vec::new();
        for email in [first, "ada@example.org", "nobody@example.org", "ben@example.org", "ada@example.org"] {
            let before = (accounts.hasher().runs(), asked.load(Ordering::Relaxed));
            logs_in(&accounts, email, "wrong password").await.expect_err("is refused");
            costs.push((accounts.hasher().runs() - before.0, asked.load(Ordering::Relaxed) - before.1));
        }
        assert_eq!(
            costs,
            [(2, 1), (1, 1), (1, 1), (1, 1), (1, 1)],
            "argon2 runs and queries, {first} first"
        );
    }
    // What is no address asks for nothing, and says nothing about any.
    let (accounts, _) = counted(&stage, cheap());
    logs_in(&accounts, "no address", PASSWORD).await.expect_err("is refused");
    assert_eq!(accounts.hasher().runs(), 2);
}
