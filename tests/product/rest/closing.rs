//! Closing an account: the grace, the way back, what stands in the way, and what is left in the end.

use super::reports::over;
use crate::support::{TestApp, User};
use jobs::{Job, kinds::EraseAccounts};
use kernel::id::*;
use sea_orm::{ConnectionTrait, EntityTrait, Statement};
use serde_json::json;
use std::time::{Duration, Instant};

const ME: &str = "/api/v1/users/me/";

async fn signs_in(app: &TestApp, user: &User) -> crate::support::http::Answer {
    let login = json!({ "email": user.email, "password": "correct horse battery staple" });
    User::nobody(app).post("/api/v1/auth/login/", &login).await
}

/// Lets the plan of the hour come now, and waits until a token of this account is refused.
async fn erased(app: &TestApp, user: &User) {
    let db = app.database().await;
    queue::add(&db, EraseAccounts {}.job().expect("a job")).await.expect("written");
    let until = Instant::now() + Duration::from_secs(20);
    while user.get(ME).await.status != 401 {
        assert!(Instant::now() < until, "the account is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    db.close().await.expect("closed");
}

/// How many rows of a table speak of somebody.
async fn rows(app: &TestApp, table: &str, user: &User) -> i64 {
    let db = app.database().await;
    let id = uuid::Uuid::parse_str(&user.id).expect("an id");
    let backend = db.get_database_backend();
    let mark = if backend == sea_orm::DbBackend::Postgres { "$1" } else { "?" };
    let text = format!("SELECT count(*) AS n FROM {table} WHERE user_id = {mark}");
    let row = db.query_one_raw(Statement::from_sql_and_values(backend, text, [id.into()]));
    let count = row.await.expect("asked").expect("a row").try_get("", "n").expect("a number");
    db.close().await.expect("closed");
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_account_is_kept_by_saying_so_or_by_signing_in() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let other = User::of(&app, &signs_in(&app, &ada).await.expect(200));
    let wish = json!({ "name": "x", "scopes": ["users:read"] });
    let mut key = ada.clone();
    let made = ada.post("/api/v1/auth/api-keys/", &wish).await.expect(201);
    made.body["secret"].as_str().expect("a key").clone_into(&mut key.token);
    key.get(ME).await.expect(200);

    let closed = ada.delete(ME).await.expect(202);
    let at = closed.body["erased_at"].as_str().expect("a time").to_owned();
    assert_eq!(
        ada.delete(ME).await.expect(202).body["erased_at"],
        json!(at),
        "closing it again changes nothing"
    );
    assert_eq!(ada.get(ME).await.expect(200).body["erased_at"], json!(at));
    let said = letter(&app, "will be erased on").await;
    assert!(said.contains(&at[..10]), "{said}");
    other.get(ME).await.problem(401, "unauthenticated");
    key.get(ME).await.problem(401, "unauthenticated");
    assert_eq!(
        ada.post("/api/v1/users/me/keep/", &json!({})).await.expect(200).body["erased_at"],
        json!(null)
    );
    key.get(ME).await.expect(200);

    ada.delete(ME).await.expect(202);
    let back = User::of(&app, &signs_in(&app, &ada).await.expect(200));
    assert_eq!(back.get(ME).await.expect(200).body["erased_at"], json!(null));
    app.stop().await;
}

/// Waits for a letter that says this.
async fn letter(app: &TestApp, words: &str) -> String {
    let (outbox, until) = (app.data_dir().join("outbox"), Instant::now() + Duration::from_secs(20));
    loop {
        let files = std::fs::read_dir(&outbox).into_iter().flatten().filter_map(Result::ok);
        let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
        if let Some(found) = texts.into_iter().find(|text| text.contains(words)) {
            return found;
        }
        assert!(Instant::now() < until, "no letter says {words:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_of_others_cannot_go() {
    let app = TestApp::new().await;
    let (ada, workspace, ..) = app.page("hello").await;
    let alone = ada.post("/api/v1/workspaces/", &json!({ "name": "Alone" })).await.expect(201).id();
    let bob = app.user("bob").await;
    ada.adds(&bob, &workspace, "member").await;
    let refused = ada.delete(ME).await.problem(409, "last_owner");
    assert_eq!(refused.body["workspaces"], json!([{ "id": workspace, "name": "Engines" }]));
    assert_eq!(ada.get(ME).await.expect(200).body["erased_at"], json!(null));
    let members = format!("/api/v1/workspaces/{workspace}/members/{}/", bob.id);
    ada.patch(&members, &json!({ "role": "owner" })).await.expect(200);
    ada.delete(ME).await.expect(202);
    ada.get(&format!("/api/v1/workspaces/{alone}/")).await.expect(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_needs_a_fresh_login_and_no_key_will_do() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let mut key = ada.clone();
    let made = ada
        .post("/api/v1/auth/api-keys/", &json!({ "name": "x", "scopes": ["*:*"] }))
        .await
        .expect(201);
    made.body["secret"].as_str().expect("a key").clone_into(&mut key.token);
    key.delete(ME).await.problem(403, "fresh_login_required");
    key.post("/api/v1/users/me/export/", &json!({}))
        .await
        .problem(403, "fresh_login_required");
    key.get("/api/v1/users/me/export/").await.problem(403, "insufficient_scope");
    key.get("/api/v1/users/me/export/file/").await.problem(403, "insufficient_scope");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_account_opens_nothing_and_leaves_what_it_wrote() {
    let app = TestApp::with(&[("auth.deletion_grace_days", "0")]).await;
    let (owner, workspace, ..) = app.page("hello").await;
    let ada = app.user("ada").await;
    owner.adds(&ada, &workspace, "member").await;
    let page = ada
        .document(&workspace, "Ada's", json!([{ "type": "paragraph", "text": "stays" }]))
        .await;
    let page = page["id"].as_str().expect("an id").to_owned();
    let alone = ada.post("/api/v1/workspaces/", &json!({ "name": "Alone" })).await.expect(201).id();
    super::profile::set_picture(&app, &ada).await;
    let mut key = ada.clone();
    let made = ada
        .post("/api/v1/auth/api-keys/", &json!({ "name": "x", "scopes": ["*:*"] }))
        .await
        .expect(201);
    made.body["secret"].as_str().expect("a key").clone_into(&mut key.token);
    let ticket = ada.post("/api/v1/auth/ws-ticket/", &json!({})).await.expect(201);
    let job = ada.post("/api/v1/users/me/export/", &json!({})).await.expect(202).id();
    assert_eq!(over(&ada, &format!("/api/v1/jobs/{job}/")).await["state"], "done");
    ada.delete(ME).await.expect(202);
    erased(&app, &ada).await;

    ada.get(ME).await.problem(401, "unauthenticated");
    key.get(ME).await.problem(401, "unauthenticated");
    let refresh = json!({ "refresh_token": ada.refresh });
    User::nobody(&app)
        .post("/api/v1/auth/token/refresh/", &refresh)
        .await
        .problem(401, "invalid_refresh_token");
    signs_in(&app, &ada).await.problem(401, "invalid_credentials");
    let ticket = ticket.body["ticket"].as_str().expect("a ticket");
    let stream = format!("/api/v1/workspaces/{workspace}/events/?ticket={ticket}");
    User::nobody(&app).get(&stream).await.problem(401, "unauthenticated");
    for table in [
        "sessions",
        "api_keys",
        "socket_tickets",
        "members",
        "avatars",
        "account_exports",
        "account_deletions",
    ] {
        assert_eq!(rows(&app, table, &ada).await, 0, "{table}");
    }
    assert_eq!(owner.texts(&page).await, ["stays"]);
    owner.get(&format!("/api/v1/users/{}/", ada.id)).await.problem(404, "not_found");
    let again = json!({ "email": ada.email, "password": "correct horse battery staple", "display_name": "New" });
    let new = User::of(&app, &User::nobody(&app).post("/api/v1/auth/register/", &again).await.expect(201));
    assert_ne!(new.id, ada.id, "the address is free");
    assert_eq!(new.get("/api/v1/workspaces/").await.expect(200).body["data"], json!([]));
    let db = app.database().await;
    let id = WorkspaceId(uuid::Uuid::parse_str(&alone).expect("an id"));
    let trashed = entity::workspace::Entity::find_by_id(id)
        .one(&db)
        .await
        .expect("asked")
        .expect("a row");
    assert!(trashed.deleted_at.is_some(), "what was theirs alone goes with them");
    db.close().await.expect("closed");
    app.stop().await;
}
