//! Second factors from the outside.

use crate::support::{Letters, TestApp, User, http::Answer};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

const PASSWORD: &str = "correct horse battery staple";

/// The code of an app, some steps from now.
pub(super) fn code(codes: &Totp, steps: i64) -> String {
    let at = kernel::clock::now().timestamp() + steps * 30;
    codes.generate(u64::try_from(at).expect("after 1970")).to_string()
}

fn wrong(codes: &Totp) -> String {
    let near: Vec<String> = (-2..=2).map(|steps| code(codes, steps)).collect();
    let wrong = (0..).map(|n| format!("{n:06}")).find(|code| !near.contains(code));
    wrong.expect("most are wrong")
}

/// Switches a second factor on; gives the app and the recovery codes. The code of this step is used then.
pub(super) async fn set_up(user: &User) -> (Totp, Vec<String>) {
    let started = user.post("/api/v1/auth/totp/", &json!({})).await.expect(201);
    assert_eq!(started.headers["cache-control"], "no-store");
    let secret = Secret::try_from_base32(started.body["secret"].as_str().expect("a secret")).expect("base 32");
    let codes = Builder::new().with_secret(secret).build().expect("an app");
    let confirm = "/api/v1/auth/totp/confirm/";
    user.post(confirm, &json!({ "code": wrong(&codes) }))
        .await
        .problem(403, "wrong_code");
    let on = user.post(confirm, &json!({ "code": code(&codes, 0) })).await.expect(200);
    let recovery = on.body["recovery_codes"].as_array().expect("codes").iter();
    let recovery: Vec<String> = recovery.map(|code| code.as_str().expect("a code").to_owned()).collect();
    assert_eq!(recovery.len(), 10);
    (codes, recovery)
}

async fn login(app: &TestApp, email: &str) -> Value {
    let body = json!({ "email": email, "password": PASSWORD });
    let got = User::nobody(app).post("/api/v1/auth/login/", &body).await.expect(200);
    assert!(got.body["access_token"].is_null() && got.body["user"].is_null(), "{}", got.text);
    assert_eq!(got.body["mfa_required"], true);
    got.body["mfa_token"].clone()
}

pub(super) async fn verify(app: &TestApp, token: &Value, code: &str) -> Answer {
    let body = json!({ "mfa_token": token, "code": code });
    User::nobody(app).post("/api/v1/auth/mfa/verify/", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_with_a_second_factor_takes_a_code_once() {
    let (app, letters) = Letters::app(&[]).await;
    let ada = app.user("ada").await;
    assert_eq!(ada.get("/api/v1/auth/totp/").await.expect(200).body["is_enabled"], false);
    let (codes, recovery) = set_up(&ada).await;
    let factor = ada.get("/api/v1/auth/totp/").await.expect(200).body;
    assert_eq!(factor, json!({ "is_enabled": true, "recovery_codes_left": 10 }));
    ada.post("/api/v1/auth/totp/", &json!({})).await.problem(409, "totp_enabled");

    let token = login(&app, &ada.email).await;
    let mut thief = ada.clone();
    token.as_str().expect("a token").clone_into(&mut thief.token);
    thief.get("/api/v1/users/me/").await.problem(401, "unauthenticated");
    verify(&app, &token, &code(&codes, 0)).await.problem(403, "wrong_code");
    let signed_in = verify(&app, &token, &code(&codes, 1)).await.expect(200);
    User::of(&app, &signed_in).get("/api/v1/users/me/").await.expect(200);
    verify(&app, &token, &recovery[0]).await.problem(401, "invalid_mfa_token");

    let token = login(&app, &ada.email).await;
    verify(&app, &token, &code(&codes, 1)).await.problem(403, "wrong_code");
    verify(&app, &token, &recovery[0]).await.expect(200);
    let token = login(&app, &ada.email).await;
    verify(&app, &token, &recovery[0]).await.problem(403, "wrong_code");
    assert_eq!(ada.get("/api/v1/auth/totp/").await.expect(200).body["recovery_codes_left"], 9);
    letters.wait(&ada.email, "Your account has a second factor now", 1).await;
    letters.wait(&ada.email, "A recovery code of your account was used", 1).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_takes_five_codes_and_an_account_twenty_wrong_ones() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let (codes, recovery) = set_up(&ada).await;
    for _ in 0..4 {
        let token = login(&app, &ada.email).await;
        for _ in 0..5 {
            verify(&app, &token, &wrong(&codes)).await.problem(403, "wrong_code");
        }
        verify(&app, &token, &recovery[0]).await.problem(401, "invalid_mfa_token");
    }
    let token = login(&app, &ada.email).await;
    verify(&app, &token, &code(&codes, 1)).await.problem(429, "too_many_codes");
    verify(&app, &token, &recovery[0]).await.expect(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_logins_with_one_recovery_code_one_gets_in() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    let (_, recovery) = set_up(&ada).await;
    let mut tokens = Vec::new();
    for _ in 0..6 {
        tokens.push(login(&app, &ada.email).await);
    }
    let tries = tokens.iter().map(|token| verify(&app, token, &recovery[7]));
    let mut said: Vec<u16> = futures::future::join_all(tries).await.iter().map(|answer| answer.status).collect();
    said.sort_unstable();
    assert_eq!(said, [200, 403, 403, 403, 403, 403]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_codes_are_replaced_and_the_factor_is_switched_off() {
    let app = TestApp::new().await;
    let ada = app.user("ada").await;
    ada.delete("/api/v1/auth/totp/").await.problem(409, "totp_not_enabled");
    ada.post("/api/v1/auth/totp/recovery-codes/", &json!({}))
        .await
        .problem(409, "totp_not_enabled");
    ada.post("/api/v1/auth/totp/confirm/", &json!({ "code": "123456" }))
        .await
        .problem(409, "totp_not_enabled");
    let (_, old) = set_up(&ada).await;
    let new = ada.post("/api/v1/auth/totp/recovery-codes/", &json!({})).await.expect(201);
    let new = new.body["recovery_codes"][0].as_str().expect("a code").to_owned();
    let token = login(&app, &ada.email).await;
    verify(&app, &token, &old[0]).await.problem(403, "wrong_code");
    verify(&app, &token, &new).await.expect(200);
    let prove = json!({ "password": PASSWORD, "code": old[1] });
    ada.post("/api/v1/auth/reauthenticate/", &prove).await.problem(403, "wrong_code");
    ada.delete("/api/v1/auth/totp/").await.expect(204);
    let body = json!({ "email": ada.email, "password": PASSWORD });
    let got = User::nobody(&app).post("/api/v1/auth/login/", &body).await.expect(200);
    assert!(got.body["access_token"].is_string());
    app.stop().await;
}
