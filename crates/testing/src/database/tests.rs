//! The ground the other tests stand on.

use super::{TestDb, open, with_database};
use crate::{Form, Postgres, Redis};
use sea_orm::ConnectionTrait;

#[tokio::test]
async fn every_test_gets_a_database_of_its_own() {
    let (one, other) = (TestDb::new().await, TestDb::new().await);
    assert_ne!(one.url(), other.url());
    one.db()
        .execute_unprepared("CREATE TABLE mine (id INTEGER)")
        .await
        .expect("a table can be made");
    other
        .db()
        .execute_unprepared("SELECT * FROM mine")
        .await
        .expect_err("the other database does not have it");
}

#[tokio::test]
async fn an_embedded_database_leaves_no_file() {
    let db = TestDb::of(Form::Embedded).await;
    let file = db.url().trim_start_matches("sqlite://").to_owned();
    assert!(std::path::Path::new(&file).exists());
    drop(db);
    assert!(!std::path::Path::new(&file).exists());
}

#[tokio::test]
async fn postgres_keeps_what_it_committed_through_kill_9() {
    let mut postgres = Postgres::start().await;
    let db = open(&postgres.url(), 1).await.expect("a started server answers");
    db.execute_unprepared("CREATE TABLE kept AS SELECT 1 AS one")
        .await
        .expect("a table can be made");
    postgres.kill9();
    postgres.restart().await;
    let db = open(&postgres.url(), 1).await.expect("a restarted server answers on the same port");
    db.execute_unprepared("SELECT one FROM kept").await.expect("the table is there");
}

#[tokio::test]
async fn redis_comes_back_on_the_same_port() {
    let mut redis = Redis::start().await;
    let url = redis.url();
    redis.kill9();
    redis.restart().await;
    assert_eq!(redis.url(), url);
}

#[test]
fn the_database_of_a_url_can_be_changed() {
    assert_eq!(with_database("postgres://a@h:1/postgres", "x"), "postgres://a@h:1/x");
    assert_eq!(
        with_database("postgres://a@h:1/postgres?sslmode=disable", "x"),
        "postgres://a@h:1/x?sslmode=disable"
    );
}
