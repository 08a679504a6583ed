//! Signing up, in, on and out.

use crate::support::{TestApp, User};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_refreshed_and_ended() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.get("/api/v1/users/me").await.expect(200);
    let nobody = User::nobody(&app);
    let login = json!({ "email": ada.email.to_uppercase(), "password": "correct horse battery staple" });
    let again = User::of(&app, &nobody.post("/api/v1/auth/login", &login).await.expect(200));
    assert_eq!(again.id, ada.id);
    let next = nobody
        .post("/api/v1/auth/token/refresh/", &json!({ "refresh_token": again.refresh }))
        .await
        .expect(200);
    let next = User::of(&app, &next);
    assert_ne!(next.refresh, again.refresh);
    next.get("/api/v1/users/me/").await.expect(200);
    nobody
        .post("/api/v1/auth/logout/", &json!({ "refresh_token": next.refresh }))
        .await
        .expect(204);
    nobody
        .post("/api/v1/auth/token/refresh/", &json!({ "refresh_token": next.refresh }))
        .await
        .problem(401, "invalid_refresh_token");
    // Another login of the same person goes on.
    nobody
        .post("/api/v1/auth/token/refresh/", &json!({ "refresh_token": ada.refresh }))
        .await
        .expect(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_logins_and_registrations_say_no_more_than_they_should() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let nobody = User::nobody(&app);
    let wrong = nobody
        .post("/api/v1/auth/login/", &json!({ "email": ada.email, "password": "wrong" }))
        .await
        .problem(401, "invalid_credentials");
    let unknown = nobody
        .post(
            "/api/v1/auth/login/",
            &json!({ "email": "nobody@example.com", "password": "wrong" }),
        )
        .await
        .problem(401, "invalid_credentials");
    assert_eq!(wrong.body["detail"], unknown.body["detail"]);
    let bad = json!({ "email": "no address", "password": "short", "display_name": "" });
    let named = nobody.post("/api/v1/auth/register/", &bad).await.problem(422, "invalid").body;
    let pointers: Vec<&str> = named["errors"]
        .as_array()
        .expect("fields")
        .iter()
        .filter_map(|e| e["pointer"].as_str())
        .collect();
    assert_eq!(pointers, ["/email", "/password", "/display_name"]);
    let taken = json!({ "email": ada.email, "password": "correct horse battery staple", "display_name": "Ada" });
    nobody.post("/api/v1/auth/register/", &taken).await.problem(409, "email_taken");
    // A refresh token is no access token.
    let mut thief = ada.clone();
    thief.token.clone_from(&ada.refresh);
    thief.get("/api/v1/users/me/").await.problem(401, "unauthenticated");
    app.stop().await;
}
