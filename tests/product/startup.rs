//! What the start refuses.

use sea_orm::ConnectionTrait;
use testing::TestDb;

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_a_newer_version_is_refused_by_name() {
    let db = TestDb::new().await;
    let applied = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_the_future', 1)";
    db.db().execute_unprepared(applied).await.expect("written");
    assert_eq!(migration::unknown(db.db()).await.expect("readable"), ["m9999_the_future"]);
    let dir = tempfile::tempdir().expect("a directory");
    let overrides = vec![
        ("server.listen", "127.0.0.1:0".to_owned()),
        ("server.data_dir", dir.path().display().to_string()),
        ("database.url", db.url().to_owned()),
    ];
    let nothing = std::path::Path::new("/dev/null");
    let config = server::config::load(Some(nothing), &[], &server::config::Overrides(overrides)).expect("a configuration");
    let refused = server::serve::start(&config)
        .await
        .err()
        .map(|error| format!("{error:#}"))
        .unwrap_or_default();
    assert!(refused.contains("m9999_the_future") && refused.contains("newer"), "{refused:?}");
}
