//! What the start refuses.

use sea_orm::ConnectionTrait;
use testing::{S3, TestDb};

/// What a start with these settings is refused for.
async fn refusal(settings: &[(&'static str, String)]) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let mut overrides = vec![
        ("server.listen", "127.0.0.1:0".to_owned()),
        ("server.data_dir", dir.path().display().to_string()),
    ];
    overrides.extend_from_slice(settings);
    let nothing = std::path::Path::new("/dev/null");
    let config = server::config::load(Some(nothing), &[], &server::config::Overrides(overrides)).expect("a configuration");
    let refused = server::serve::start(&config).await.err();
    refused.map(|error| format!("{error:#}")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_a_newer_version_is_refused_by_name() {
    let db = TestDb::new().await;
    let applied = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_the_future', 1)";
    db.db().execute_unprepared(applied).await.expect("written");
    assert_eq!(migration::unknown(db.db()).await.expect("readable"), ["m9999_the_future"]);
    let refused = refusal(&[("database.url", db.url().to_owned())]).await;
    assert!(refused.contains("m9999_the_future") && refused.contains("newer"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_files_that_does_not_work_is_said_with_its_section() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let below = file.path().join("below").display().to_string();
    let refused = refusal(&[("files.directory", below.clone())]).await;
    assert!(refused.contains("[files]") && refused.contains(&below), "{refused:?}");
    let mut store = S3::start().await;
    let on = |key: &str| {
        let settings = [
            ("files.kind", "s3".to_owned()),
            ("files.bucket", S3::BUCKET.to_owned()),
            ("files.endpoint", store.endpoint()),
            ("files.access_key", S3::KEY.to_owned()),
            ("files.secret_key", key.to_owned()),
            ("files.allow_http", "true".to_owned()),
        ];
        settings.to_vec()
    };
    let (wrong, right) = (on("wrong"), on(S3::KEY));
    let refused = refusal(&wrong).await;
    assert!(refused.contains("[files]") && refused.contains("cannot write"), "{refused:?}");
    store.kill9();
    let refused = refusal(&right).await;
    assert!(refused.contains("[files]") && refused.contains("cannot write"), "{refused:?}");
}
