//! The product on a store that speaks S3, in a process of its own, also while that is away.

use super::{adds, content, fetches, png, sends};
use crate::support::TestApp;
use serde_json::json;
use testing::S3;

async fn on(store: &S3) -> TestApp {
    TestApp::with(&[
        ("files.kind", "s3"),
        ("files.bucket", S3::BUCKET),
        ("files.endpoint", &store.endpoint()),
        ("files.access_key", S3::KEY),
        ("files.secret_key", S3::KEY),
        ("files.allow_http", "true"),
    ])
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn files_live_in_a_bucket() {
    let store = S3::start().await;
    let app = on(&store).await;
    let (owner, _, page, _) = app.page("with files").await;
    let large: Vec<u8> = (0..20_000_000_u32).map(|at| (at % 251) as u8).collect();
    let id = adds(&app, &owner, &page, "large.bin", large.clone()).await.expect(201).id();
    assert!(fetches(&app, &owner, &content(&id), &[]).await.bytes == large);
    let part = fetches(&app, &owner, &content(&id), &[("range", "bytes=9000000-9000009")]).await;
    assert_eq!((part.status, part.bytes.as_slice()), (206, &large[9_000_000..9_000_010]));
    let before = store.holds().len();
    let new = json!({ "document_id": page, "name": "x", "size": 20_000_000, "sha256": "0".repeat(64) });
    let path = owner.post("/api/v1/attachments/", &new).await.expect(201).body["content_url"].clone();
    let put = app.http.put(app.url(path.as_str().expect("a path")));
    sends(put, &owner, large).await.problem(422, "hash_mismatch");
    assert_eq!(store.holds().len(), before, "not a part of it is left");
    assert!(!app.data_dir().join("files").exists());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_away_nothing_is_acknowledged_and_everything_else_goes_on() {
    let mut store = S3::start().await;
    let app = on(&store).await;
    let (owner, _, page, block) = app.page("with files").await;
    let id = adds(&app, &owner, &page, "a.png", png(9, 9)).await.expect(201).id();
    store.kill9();
    adds(&app, &owner, &page, "b.txt", "lost").await.problem(503, "files_unavailable");
    let got = fetches(&app, &owner, &content(&id), &[]).await;
    assert_eq!((got.status, got.header("retry-after")), (503, "1"));
    owner
        .patch(
            &format!("/api/v1/documents/{page}/blocks/{block}/"),
            &json!({ "text": "still works" }),
        )
        .await
        .expect(200);
    assert_eq!(
        owner.get(&format!("/api/v1/attachments/{id}/")).await.expect(200).body["state"],
        "ready"
    );

    store.restart().await;
    assert_eq!(fetches(&app, &owner, &content(&id), &[]).await.bytes, png(9, 9));
    let listed = owner.get(&format!("/api/v1/documents/{page}/attachments/")).await.expect(200);
    assert_eq!(listed.body["data"].as_array().map(Vec::len), Some(1));
    adds(&app, &owner, &page, "b.txt", "kept").await.expect(201);
    app.stop().await;
}
