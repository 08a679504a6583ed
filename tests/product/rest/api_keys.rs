//! API keys over HTTP: shown once, bounded by their scopes, and no way into the account itself.

use crate::support::{TestApp, User};
use serde_json::{Value, json};

const KEYS: &str = "/api/v1/auth/api-keys/";

fn with_key(user: &User, made: &Value) -> User {
    let mut other = user.clone();
    other.token = made["secret"].as_str().expect("a key").to_owned();
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_does_what_its_scopes_say() {
    let app = TestApp::new().await;
    let (ada, _, page, _) = app.page("hello").await;
    let wish = json!({ "name": "Reader", "scopes": ["documents:read", "users:*"] });
    let made = ada.post(KEYS, &wish).await.expect(201);
    assert_eq!(made.headers["cache-control"], "no-store");
    let (key, secret) = (made.id(), made.body["secret"].as_str().expect("a key").to_owned());
    let reader = with_key(&ada, &made.body);
    reader.get(&format!("/api/v1/documents/{page}/")).await.expect(200);
    reader.get("/api/v1/users/me/").await.expect(200);
    for (answer, what) in [
        (reader.delete(&format!("/api/v1/documents/{page}/")).await, "another verb"),
        (reader.get("/api/v1/workspaces/").await, "another resource"),
        (reader.get(KEYS).await, "the account itself"),
        (reader.post("/api/v1/auth/ws-ticket/", &json!({})).await, "tickets"),
    ] {
        assert_eq!(answer.body["code"], "insufficient_scope", "{what}: {}", answer.text);
    }
    for seen in [ada.get(KEYS).await.expect(200), ada.get(&format!("{KEYS}{key}/")).await.expect(200)] {
        assert!(!seen.text.contains(&secret) && seen.text.contains(&secret[66..]), "{}", seen.text);
        assert!(seen.text.contains("\"last_used_at\":\"2"), "{}", seen.text);
    }
    let changed = ada
        .patch(&format!("{KEYS}{key}/"), &json!({ "scopes": ["workspaces:read"] }))
        .await
        .expect(200);
    assert_eq!(
        (&changed.body["name"], &changed.body["scopes"]),
        (&json!("Reader"), &json!(["workspaces:read"]))
    );
    reader.get("/api/v1/workspaces/").await.expect(200);
    reader.get("/api/v1/users/me/").await.problem(403, "insufficient_scope");
    ada.delete(&format!("{KEYS}{key}/")).await.expect(204);
    reader.get("/api/v1/workspaces/").await.problem(401, "unauthenticated");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_cannot_name_what_is_not_the_callers() {
    let app = TestApp::new().await;
    let (ada, workspace, _, _) = app.page("hello").await;
    let eve = app.user("eve").await;
    let wish = |workspace: &str| json!({ "name": "x", "scopes": ["*:read"], "workspace_id": workspace });
    let there = eve.post(KEYS, &wish(&workspace)).await.problem(422, "invalid");
    let nowhere = eve.post(KEYS, &wish(&uuid::Uuid::nil().to_string())).await.problem(422, "invalid");
    assert_eq!(there.body["errors"], nowhere.body["errors"]);
    assert_eq!(there.body["errors"][0]["pointer"], "/workspace_id");
    let made = ada.post(KEYS, &wish(&workspace)).await.expect(201);
    assert_eq!(made.body["workspace_id"], json!(workspace));
    eve.get(&format!("{KEYS}{}/", made.id())).await.problem(404, "api_key_not_found");
    eve.delete(&format!("{KEYS}{}/", made.id())).await.problem(404, "api_key_not_found");
    let bad = json!({ "name": "x", "scopes": ["auth:read", "nothing:read"] });
    let said = ada.post(KEYS, &bad).await.problem(422, "invalid");
    assert_eq!(
        (&said.body["errors"][0]["pointer"], &said.body["errors"][1]["pointer"]),
        (&json!("/scopes/0"), &json!("/scopes/1"))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn making_and_changing_a_key_needs_a_fresh_login() {
    let app = TestApp::with(&[("auth.fresh_secs", "1")]).await;
    let ada = app.user("ada").await;
    let wish = json!({ "name": "x", "scopes": ["*:read"] });
    let made = ada.post(KEYS, &wish).await.expect(201);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let answer = ada.post(KEYS, &wish).await;
        if answer.status == 403 {
            answer.problem(403, "fresh_login_required");
            break;
        }
        assert!(std::time::Instant::now() < deadline, "a login stays fresh");
    }
    let path = format!("{KEYS}{}/", made.id());
    ada.patch(&path, &json!({ "name": "y" })).await.problem(403, "fresh_login_required");
    ada.get(&path).await.expect(200);
    ada.delete(&path).await.expect(204);
    app.stop().await;
}
