//! Passwords: forgotten, set anew, changed.

use crate::support::{Letters, TestApp, User, http::Answer};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;

const OLD: &str = "correct horse battery staple";
const NEW: &str = "staple battery horse correct";
const LETTER: &str = "Set a new password";
const NOTICE: &str = "Your password was changed";

async fn forgot(app: &TestApp, email: &str) -> Answer {
    User::nobody(app)
        .post("/api/v1/auth/password/forgot/", &json!({ "email": email }))
        .await
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "password": password });
    User::nobody(app).post("/api/v1/auth/password/reset/", &body).await
}

async fn login(app: &TestApp, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    User::nobody(app).post("/api/v1/auth/login/", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_password_is_set_anew_once_and_every_login_ends() {
    let (app, letters) = Letters::app(&[]).await;
    let ada = app.user("ada").await;
    forgot(&app, &ada.email.to_uppercase()).await.expect(202);
    let token = letters.token(&ada.email, LETTER, 1).await;

    let weak = reset(&app, &token, "12345678").await.problem(422, "invalid");
    assert_eq!(weak.body["errors"][0]["pointer"], "/password");
    reset(&app, &token, NEW).await.expect(204);
    ada.get("/api/v1/users/me/").await.problem(401, "unauthenticated");
    let refresh = json!({ "refresh_token": ada.refresh });
    User::nobody(&app)
        .post("/api/v1/auth/token/refresh/", &refresh)
        .await
        .problem(401, "invalid_refresh_token");
    login(&app, &ada.email, OLD).await.problem(401, "invalid_credentials");
    let signed_in = login(&app, &ada.email, NEW).await.expect(200);
    assert_eq!(signed_in.body["user"]["email_verified"], true, "the letter has proven the address");

    reset(&app, &token, OLD).await.problem(422, "invalid_token");
    reset(&app, &"0".repeat(64), OLD).await.problem(422, "invalid_token");
    letters.wait(&ada.email, NOTICE, 1).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_who_bring_a_letter_at_once_one_sets_the_password() {
    let (app, letters) = Letters::app(&[]).await;
    let ada = app.user("ada").await;
    forgot(&app, &ada.email).await.expect(202);
    let token = letters.token(&ada.email, LETTER, 1).await;
    let tries = (0..10).map(|i| {
        let token = &token;
        let app = &app;
        async move { reset(app, token, &format!("{NEW} {i}")).await.status }
    });
    let mut said = futures::future::join_all(tries).await;
    said.sort_unstable();
    assert_eq!(said, [204, 422, 422, 422, 422, 422, 422, 422, 422, 422]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_asked_for_at_the_same_cost_whether_or_not_there_is_an_account() {
    let (app, letters) = Letters::app(&[]).await;
    let ada = app.user("ada").await;
    letters.token(&ada.email, "Is this your e-mail address?", 1).await;
    let db = app.database().await;
    let jobs = async || entity::job::Entity::find().count(&db).await.expect("counts");
    let before = jobs().await;
    let known = forgot(&app, &ada.email).await.expect(202);
    let between = jobs().await;
    let unknown = forgot(&app, "nobody@example.com").await.expect(202);
    let after = jobs().await;
    assert_eq!((known.status, &known.text), (unknown.status, &unknown.text));
    let names = |answer: &Answer| {
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(names(&known), names(&unknown));
    assert_eq!((between - before, after - between), (1, 1), "one job each, in one transaction");
    letters.token(&ada.email, LETTER, 1).await;
    assert!(letters.all("nobody@example.com", LETTER).await.is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_takes_the_password_and_ends_the_other_logins() {
    let (app, letters) = Letters::app(&[]).await;
    let ada = app.user("ada").await;
    let other = User::of(&app, &login(&app, &ada.email, OLD).await.expect(200));
    let change = async |old: &str, new: &str| {
        let body = json!({ "current_password": old, "password": new });
        ada.post("/api/v1/auth/password/change/", &body).await
    };
    change("wrong password", NEW).await.problem(403, "wrong_password");
    change(OLD, "12345678").await.problem(422, "invalid");
    other.get("/api/v1/users/me/").await.expect(200);
    change(OLD, NEW).await.expect(204);
    ada.get("/api/v1/users/me/").await.expect(200);
    other.get("/api/v1/users/me/").await.problem(401, "unauthenticated");
    login(&app, &ada.email, OLD).await.problem(401, "invalid_credentials");
    login(&app, &ada.email, NEW).await.expect(200);
    letters.wait(&ada.email, NOTICE, 1).await;
    app.stop().await;
}
