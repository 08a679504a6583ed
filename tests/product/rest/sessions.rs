//! Logins: listed, ended from another one, made fresh again.

use crate::support::{TestApp, User};
use entity::session;
use sea_orm::{EntityTrait, sea_query::Expr};
use serde_json::{Value, json};
use std::time::Duration;

const PASSWORD: &str = "correct horse battery staple";
const SESSIONS: &str = "/api/v1/auth/sessions/";

async fn logs_in(app: &TestApp, of: &User) -> User {
    let body = json!({ "email": of.email, "password": PASSWORD });
    User::of(app, &User::nobody(app).post("/api/v1/auth/login/", &body).await.expect(200))
}

async fn listed(user: &User) -> Vec<Value> {
    let got = user.get(SESSIONS).await.expect(200);
    got.body["data"].as_array().expect("a list").clone()
}

fn current(sessions: &[Value]) -> String {
    let mut current = sessions.iter().filter(|one| one["is_current"] == true);
    let id = current.next().expect("one is this")["id"].as_str().expect("an id").to_owned();
    assert!(current.next().is_none(), "{sessions:?}");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_are_listed_and_ended_by_their_owner_alone() {
    let app = TestApp::new().await;
    let (first, eve) = (app.user("ada").await, app.user("eve").await);
    let second = logs_in(&app, &first).await;
    let seen = listed(&first).await;
    assert_eq!(seen.len(), 2);
    for one in &seen {
        for key in ["id", "user_agent", "created_at", "last_used_at", "expires_at"] {
            assert!(one[key].is_string(), "{key} in {one}");
        }
        assert_eq!(one["source"], "127.0.0.1");
    }
    let (mine, theirs) = (current(&seen), current(&listed(&second).await));
    assert_ne!(mine, theirs);
    let path = format!("{SESSIONS}{theirs}/");
    User::nobody(&app).delete(&path).await.problem(401, "unauthenticated");
    eve.delete(&path).await.problem(404, "session_not_found");
    second.get("/api/v1/users/me/").await.expect(200);
    first.delete(&path).await.expect(204);
    second.get("/api/v1/users/me/").await.problem(401, "unauthenticated");
    let refresh = json!({ "refresh_token": second.refresh });
    User::nobody(&app)
        .post("/api/v1/auth/token/refresh/", &refresh)
        .await
        .problem(401, "invalid_refresh_token");
    first.delete(&path).await.problem(404, "session_not_found");
    first.delete(&format!("{SESSIONS}nonsense/")).await.problem(404, "not_found");
    assert_eq!(current(&listed(&first).await), mine);
    first.delete(&format!("{SESSIONS}{mine}/")).await.expect(204);
    first.get("/api/v1/users/me/").await.problem(401, "unauthenticated");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_other_logins_end_and_this_one_goes_on() {
    let app = TestApp::new().await;
    let (first, eve) = (app.user("ada").await, app.user("eve").await);
    let others = [logs_in(&app, &first).await, logs_in(&app, &first).await];
    let revoke = "/api/v1/auth/sessions/revoke-others/";
    let ended = first.post(revoke, &json!({})).await.expect(200);
    assert_eq!(ended.body, json!({ "ended": 2 }));
    for other in &others {
        other.get("/api/v1/users/me/").await.problem(401, "unauthenticated");
    }
    for untouched in [&first, &eve] {
        untouched.get("/api/v1/users/me/").await.expect(200);
    }
    assert_eq!(first.post(revoke, &json!({})).await.expect(200).body, json!({ "ended": 0 }));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dangerous_acts_want_a_fresh_login_and_the_password_makes_one() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let long_ago = kernel::clock::now() - Duration::from_secs(16 * 60);
    let stale = session::Entity::update_many().col_expr(session::Column::AuthenticatedAt, Expr::value(Some(long_ago)));
    stale.exec(&app.database().await).await.expect("updates");
    let email = json!({ "email": "other@example.com" });
    ada.post("/api/v1/auth/email/change/", &email)
        .await
        .problem(403, "fresh_login_required");
    for path in ["/api/v1/auth/totp/", "/api/v1/auth/totp/recovery-codes/"] {
        ada.post(path, &json!({})).await.problem(403, "fresh_login_required");
    }
    ada.delete("/api/v1/auth/totp/").await.problem(403, "fresh_login_required");

    let prove = "/api/v1/auth/reauthenticate/";
    let missing = ada.post(prove, &json!({})).await.problem(422, "invalid");
    assert_eq!(missing.body["errors"][0]["pointer"], "/password");
    ada.post(prove, &json!({ "password": "wrong" }))
        .await
        .problem(403, "wrong_password");
    ada.post("/api/v1/auth/email/change/", &email)
        .await
        .problem(403, "fresh_login_required");
    let fresh = ada.post(prove, &json!({ "password": PASSWORD })).await.expect(200);
    assert!(fresh.body["fresh_until"].is_string());
    ada.post("/api/v1/auth/email/change/", &email).await.expect(202);
    ada.post("/api/v1/auth/totp/", &json!({})).await.expect(201);
    app.stop().await;
}
