//! Too much, too fast, from the outside: what it costs whom.

use crate::support::{TestApp, User, http::Answer};
use reqwest::Method;
use serde_json::{Value, json};

/// The proxy that the tests are.
const BEHIND_US: (&str, &str) = ("server.trusted_proxies", "127.0.0.0/8");
const LOGIN: &str = "/api/v1/auth/login/";
const PASSWORD: &str = "correct horse battery staple";

/// An address that nobody else has: tests may share a Redis.
fn address() -> String {
    let random = kernel::secret::token();
    format!("2001:db8:{}:{}::1", &random[..4], &random[4..8])
}

/// Calls from somewhere, through us.
async fn call(app: &TestApp, node: usize, from: &str, path: &str, body: &Value) -> Answer {
    let url = format!("http://{}{path}", app.address(node));
    let request = app.http.request(Method::POST, url).header("x-forwarded-for", from).json(body);
    let response = request.send().await.expect("the product answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer {
        status,
        headers,
        body,
        text,
    }
}

fn credentials(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

fn wait(answer: &Answer) -> u64 {
    let header = answer.headers["retry-after"].to_str().expect("text");
    header.parse().expect("seconds")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_may_try_so_many_secrets_in_a_minute_and_work_goes_on() {
    let app = TestApp::with(&[BEHIND_US, ("limits.auth_per_minute", "3")]).await;
    let (ada, here) = (app.user("ada").await, address());
    for n in 0..3 {
        let email = format!("nobody-{n}-{}@example.com", ada.id);
        call(&app, 0, &here, LOGIN, &credentials(&email, "wrong"))
            .await
            .problem(401, "invalid_credentials");
    }
    let right = credentials(&ada.email, PASSWORD);
    let refused = call(&app, 0, &here, LOGIN, &right).await.problem(429, "rate_limited");
    assert!((1..=20).contains(&wait(&refused)), "{:?}", refused.headers);
    assert!(refused.headers["ratelimit"].to_str().expect("text").contains("\"auth\";r=0;t="));
    call(&app, 0, &address(), LOGIN, &right).await.expect(200);
    let me = ada.get("/api/v1/users/me/").await.expect(200);
    assert!(me.headers["ratelimit-policy"].to_str().expect("text").contains("\"reads\";q="));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_held_back_and_nobody_else() {
    let app = TestApp::with(&[("limits.writes_per_minute", "4")]).await;
    let (ada, grace) = (app.user("ada").await, app.user("grace").await);
    let make = json!({ "name": "Engines" });
    for _ in 0..4 {
        ada.post("/api/v1/workspaces/", &make).await.expect(201);
    }
    let refused = ada.post("/api/v1/workspaces/", &make).await.problem(429, "rate_limited");
    assert!((1..=15).contains(&wait(&refused)), "{:?}", refused.headers);
    ada.get("/api/v1/workspaces/").await.expect(200);
    grace.post("/api/v1/workspaces/", &make).await.expect(201);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_wrong_passwords_their_sender_waits_and_the_owner_does_not() {
    let app = TestApp::with(&[BEHIND_US, ("limits.login_failures", "3"), ("limits.login_wait_secs", "60")]).await;
    // Signs up from our own address, which is known from then on.
    let ada = app.user("ada").await;
    let unknown = format!("nobody-{}@example.com", ada.id);
    let mut said = Vec::new();
    for email in [&ada.email, &unknown] {
        let thief = address();
        for _ in 0..4 {
            call(&app, 0, &thief, LOGIN, &credentials(email, "wrong"))
                .await
                .problem(401, "invalid_credentials");
        }
        let refused = call(&app, 0, &thief, LOGIN, &credentials(email, PASSWORD))
            .await
            .problem(429, "too_many_attempts");
        assert!((30..=60).contains(&wait(&refused)), "{:?}", refused.headers);
        said.push(refused.body["detail"].as_str().unwrap_or_default().replace(char::is_numeric, ""));
    }
    assert_eq!(said[0], said[1], "an address without an account is told the same");
    User::nobody(&app).post(LOGIN, &credentials(&ada.email, PASSWORD)).await.expect(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attack_from_everywhere_does_not_lock_the_owner_out() {
    let app = TestApp::with(&[BEHIND_US, ("limits.login_failures_anywhere", "5"), ("limits.login_wait_secs", "60")]).await;
    let ada = app.user("ada").await;
    let mut looked_at = 0;
    for _ in 0..12 {
        let answer = call(&app, 0, &address(), LOGIN, &credentials(&ada.email, "wrong")).await;
        looked_at += u32::from(answer.status == 401);
    }
    assert_eq!(looked_at, 6);
    let right = credentials(&ada.email, PASSWORD);
    call(&app, 0, &address(), LOGIN, &right).await.problem(429, "too_many_attempts");
    User::nobody(&app).post(LOGIN, &right).await.expect(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_count_together() {
    let app = TestApp::cluster_with(2, &[BEHIND_US, ("limits.auth_per_minute", "6"), ("limits.login_failures", "2")]).await;
    let (ada, here) = (app.user("ada").await, address());
    let wrong = credentials(&ada.email, "wrong");
    for node in [0, 1, 0] {
        call(&app, node, &here, LOGIN, &wrong).await.problem(401, "invalid_credentials");
    }
    for node in [1, 0] {
        call(&app, node, &here, LOGIN, &wrong).await.problem(429, "too_many_attempts");
    }
    call(&app, 1, &here, LOGIN, &json!({})).await.problem(422, "invalid");
    for node in [0, 1] {
        call(&app, node, &here, LOGIN, &wrong).await.problem(429, "rate_limited");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_gets_no_socket_with_cookies_and_no_answer_to_read() {
    let app = TestApp::with(&[
        ("server.allowed_hosts", "127.0.0.1"),
        ("server.cors_origins", "https://app.example.com"),
    ])
    .await;
    let (owner, _, document, _) = app.page("Hello").await;
    let upgrade = |path: String, origin: &str| {
        let request = app.http.get(app.url(&path)).header("origin", origin).header("cookie", "theme=dark");
        let request = request.header("connection", "upgrade").header("upgrade", "websocket");
        request
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    let path = || format!("/ws/documents/{document}?token={}", owner.token);
    let status = async |origin: &str| upgrade(path(), origin).send().await.expect("an answer").status().as_u16();
    assert_eq!(status("https://evil.example").await, 403);
    assert_eq!(status("https://app.example.com").await, 101);
    assert_eq!(status(&app.url("")).await, 101);
    let named = app.http.get(app.url("/api/v1/users/me/")).header("host", "evil.example");
    assert_eq!(named.send().await.expect("an answer").status().as_u16(), 421);
    let read = app
        .http
        .get(app.url("/api/v1/users/me/"))
        .bearer_auth(&owner.token)
        .header("origin", "https://evil.example");
    let read = read.send().await.expect("an answer");
    assert!(read.status().is_success() && !read.headers().contains_key("access-control-allow-origin"));
    app.stop().await;
}
