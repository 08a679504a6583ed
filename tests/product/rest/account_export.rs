//! Exports of accounts: whole, without secrets, and for their owner alone.

use super::reports::over;
use crate::support::{TestApp, User};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::io::{Cursor, Read};

const EXPORT: &str = "/api/v1/users/me/export/";
const FILE: &str = "/api/v1/users/me/export/file/";

async fn fetch(app: &TestApp, who: &User) -> Vec<(String, String)> {
    let answer = app.http.get(app.url(FILE)).bearer_auth(&who.token).send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/zip");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let bytes = answer.bytes().await.expect("bytes").to_vec();
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    let count = zip.len();
    let read = |at: usize| {
        let (mut file, mut text) = (zip.by_index(at).expect("a file"), String::new());
        file.read_to_string(&mut text).expect("text");
        (file.name().expect("a name").into_owned(), text)
    };
    (0..count).map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_what_is_somebodys_and_no_secret() {
    let app = TestApp::new().await;
    let (ada, workspace, page, _) = app.page("what Ada wrote").await;
    let bob = app.user("bob").await;
    ada.adds(&bob, &workspace, "member").await;
    bob.document(&workspace, "Bob's", json!([{ "type": "paragraph", "text": "what Bob wrote" }]))
        .await;
    let key = ada
        .post("/api/v1/auth/api-keys/", &json!({ "name": "Backup", "scopes": ["*:read"] }))
        .await
        .expect(201);
    let before = ada.get(EXPORT).await.expect(200).body;
    assert_eq!((&before["is_ready"], &before["job"]), (&json!(false), &json!(null)));
    ada.get(FILE).await.problem(404, "not_found");

    let job = ada.post(EXPORT, &json!({})).await.expect(202).id();
    assert_eq!(over(&ada, &format!("/api/v1/jobs/{job}/")).await["state"], "done");
    let after = ada.get(EXPORT).await.expect(200).body;
    assert_eq!((&after["is_ready"], &after["job"]["id"]), (&json!(true), &json!(job)));
    let files = fetch(&app, &ada).await;
    let text = |name: &str| files.iter().find(|(file, _)| file == name).expect("it is there").1.clone();
    let value = |name: &str| serde_json::from_str::<Value>(&text(name)).expect("JSON");
    assert_eq!(value("profile.json")["email"], json!(ada.email));
    assert_eq!(value("api_keys.json")[0]["name"], "Backup");
    assert_eq!(value("memberships.json")[0]["role"], "owner");
    assert_eq!(value("documents.json").as_array().map(Vec::len), Some(1));
    assert!(text(&format!("documents/{page}.md")).contains("what Ada wrote"));
    let all: String = files.iter().map(|(_, text)| text.as_str()).collect();
    let secret = key.body["secret"].as_str().expect("a key");
    for hidden in [secret, "argon2", &kernel::secret::hash(secret), "what Bob wrote", &bob.email] {
        assert!(!all.contains(hidden), "{hidden}");
    }
    bob.get(FILE).await.problem(404, "not_found");
    User::nobody(&app).get(FILE).await.problem(401, "unauthenticated");

    let db = app.database().await;
    db.execute_unprepared("UPDATE account_exports SET expires_at = created_at")
        .await
        .expect("changed");
    db.close().await.expect("closed");
    ada.get(FILE).await.problem(404, "not_found");
    assert_eq!(ada.get(EXPORT).await.expect(200).body["is_ready"], json!(false));
    app.stop().await;
}
