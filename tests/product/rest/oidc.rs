//! Logins with other providers: the whole way through a real one, and what a lying one gets.

mod lies;

use super::totp::{code, set_up, verify};
use crate::support::{TestApp, User};
use reqwest::{Response, Url};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::collections::HashMap;
use testing::{Script, free_port};

/// A product that signs people in with a provider, and the provider.
struct Stage {
    app: TestApp,
    _provider: Script,
}

impl Stage {
    async fn new() -> Self {
        let (ours, theirs) = (free_port(), free_port().to_string());
        let callback = format!("http://127.0.0.1:{ours}/api/v1/auth/oidc/acme/callback/");
        let provider = Script::start("provider.mjs", &[&theirs, &callback]).await;
        let config = json!([{
            "id": "acme", "name": "Acme", "issuer": format!("http://127.0.0.1:{theirs}"), "client_id": "sheaf",
            "client_secret": "a secret: 100% & more",
        }]);
        let listen = format!("127.0.0.1:{ours}");
        let app = TestApp::with(&[("server.listen", &listen), ("oidc.providers", &config.to_string())]).await;
        Self { app, _provider: provider }
    }

    async fn identities(&self) -> i64 {
        let db = self.app.database().await;
        let backend = db.get_database_backend();
        let count = sea_orm::Statement::from_string(backend, "SELECT count(*) AS n FROM identities");
        let row = db.query_one_raw(count).await.expect("asked").expect("a row");
        let n = row.try_get("", "n").expect("a number");
        db.close().await.expect("closed");
        n
    }
}

/// What a person has in front of them: cookies, and redirects that are followed.
struct Browser {
    http: reqwest::Client,
    cookies: HashMap<String, String>,
}

/// Where a browser is, and what it shows.
struct Shown {
    at: Url,
    status: u16,
    text: String,
}

impl Browser {
    fn new() -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            http: http.build().expect("a client"),
            cookies: HashMap::new(),
        }
    }

    fn keep(&mut self, answer: &Response) {
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// One request; a redirect is not followed.
    async fn step(&mut self, at: &Url, form: Option<&str>) -> Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = match form {
            Some(form) => self
                .http
                .post(at.clone())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.to_owned()),
            None => self.http.get(at.clone()),
        };
        let answer = request.header("cookie", cookies.join("; ")).send().await.expect("an answer");
        self.keep(&answer);
        answer
    }

    /// Goes on until there is no redirect, or one to `until`.
    async fn go(&mut self, mut at: Url, form: Option<&str>, until: &str) -> Shown {
        let mut answer = self.step(&at, form).await;
        for _ in 0..10 {
            let Some(next) = answer.headers().get("location") else { break };
            at = at.join(next.to_str().expect("text")).expect("an address");
            if at.path() == until {
                break;
            }
            answer = self.step(&at, None).await;
        }
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("text");
        Shown { at, status, text }
    }

    /// Signs in at the provider, up to the address of the callback.
    async fn until_callback(&mut self, app: &TestApp, login: &str) -> Url {
        let callback = "/api/v1/auth/oidc/acme/callback/";
        let start = Url::parse(&app.url("/api/v1/auth/oidc/acme/start/")).expect("an address");
        let mut shown = self.go(start, None, callback).await;
        for _ in 0..4 {
            if shown.at.path() == callback {
                return shown.at;
            }
            assert_eq!(shown.status, 200, "{}: {}", shown.at, shown.text);
            let form = if shown.text.contains("name=\"login\"") {
                format!("prompt=login&login={login}&password=any")
            } else {
                "prompt=consent".to_owned()
            };
            shown = self.go(shown.at.clone(), Some(&form), callback).await;
        }
        panic!("the provider does not send us back: {} {}", shown.at, shown.text);
    }

    async fn open(&mut self, at: &Url) -> (u16, Value) {
        let shown = self.go(at.clone(), None, "").await;
        (shown.status, serde_json::from_str(&shown.text).unwrap_or(Value::Null))
    }

    async fn signs_in(&mut self, app: &TestApp, login: &str) -> (u16, Value) {
        let at = self.until_callback(app, login).await;
        self.open(&at).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_with_another_provider_again_and_again() {
    let stage = Stage::new().await;
    let app = &stage.app;
    let listed = User::nobody(app).get("/api/v1/auth/oidc/providers/").await.expect(200);
    let entry = json!([{ "id": "acme", "name": "Acme", "start_url": "/api/v1/auth/oidc/acme/start/" }]);
    assert_eq!(listed.body["data"], entry);
    let (status, first) = Browser::new().signs_in(app, "ada").await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(
        (&first["user"]["email"], &first["user"]["display_name"]),
        (&json!("ada@example.com"), &json!("The ada"))
    );
    let mut ada = User::nobody(app);
    first["access_token"].as_str().expect("a token").clone_into(&mut ada.token);
    ada.get("/api/v1/users/me/").await.expect(200);
    let (_, second) = Browser::new().signs_in(app, "ada").await;
    assert_eq!(second["user"]["id"], first["user"]["id"]);
    assert_eq!(stage.identities().await, 1);
    let (_, other) = Browser::new().signs_in(app, "grace").await;
    assert_ne!(other["user"]["id"], first["user"]["id"]);
    for password in ["", "any", "correct horse battery staple"] {
        let login = json!({ "email": "ada@example.com", "password": password });
        let refused = User::nobody(app).post("/api/v1/auth/login/", &login).await;
        refused.problem(401, "invalid_credentials");
    }
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_for_the_browser_that_began_it_and_for_once() {
    let stage = Stage::new().await;
    let (mut ada, mut eve) = (Browser::new(), Browser::new());
    let code = |answer: &(u16, Value)| (answer.0, answer.1["code"].clone());
    let not_here = (401, json!("oidc_not_begun_here"));
    // Eve sends Ada to the end of a login that Eve began.
    let of_eve = eve.until_callback(&stage.app, "eve").await;
    assert_eq!(code(&ada.open(&of_eve).await), not_here);
    assert_eq!(code(&eve.open(&of_eve).await), not_here, "it is used up");
    // Who learns Ada's code can do nothing with it in a login of their own.
    let of_ada = ada.until_callback(&stage.app, "ada").await;
    let of_eve = eve.until_callback(&stage.app, "eve").await;
    let part = |url: &Url, name: &str| url.query_pairs().find(|(key, _)| key == name).expect("there").1.into_owned();
    let mut mixed = of_eve.clone();
    mixed
        .query_pairs_mut()
        .clear()
        .append_pair("state", &part(&of_eve, "state"))
        .append_pair("code", &part(&of_ada, "code"))
        .append_pair("iss", &part(&of_ada, "iss"));
    assert_eq!(code(&eve.open(&mixed).await), (401, json!("oidc_refused")));
    let answer = ada.open(&of_ada).await;
    // The provider has seen the code with another verifier, and may have revoked it.
    assert!(answer.0 == 200 || answer.1["code"] == "oidc_refused", "{answer:?}");
    let good = ada.until_callback(&stage.app, "ada").await;
    assert_eq!(ada.open(&good).await.0, 200);
    assert_eq!(code(&ada.open(&good).await), not_here);
    let mut no_state = good.clone();
    no_state.set_query(Some("code=x"));
    assert_eq!(code(&ada.open(&no_state).await), not_here);
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_links_only_when_both_sides_have_verified_it() {
    let stage = Stage::new().await;
    let app = &stage.app;
    let (status, said) = Browser::new().signs_in(app, "unverified-ada").await;
    assert_eq!((status, &said["code"]), (403, &json!("oidc_email_unverified")));
    // Somebody has made an account with Ada's address before her, and waits.
    let squat = json!({ "email": "ada@example.com", "password": "correct horse battery staple", "display_name": "Ada" });
    let squatter = User::of(app, &User::nobody(app).post("/api/v1/auth/register/", &squat).await.expect(201));
    let (status, said) = Browser::new().signs_in(app, "ada").await;
    assert_eq!((status, &said["code"]), (409, &json!("oidc_account_unverified")));
    assert_eq!(stage.identities().await, 0);
    let db = app.database().await;
    db.execute_unprepared("UPDATE users SET email_verified_at = created_at")
        .await
        .expect("changed");
    db.close().await.expect("closed");
    let (status, said) = Browser::new().signs_in(app, "ada").await;
    assert_eq!((status, &said["user"]["id"]), (200, &json!(squatter.id)), "{said}");
    let (status, _) = Browser::new().signs_in(app, "unverified-ada").await;
    assert_eq!(status, 403, "another person there");
    assert_eq!(stage.identities().await, 1);
    // A second factor of the account is asked for, whoever vouched for the first.
    let (codes, _) = set_up(&squatter).await;
    let (status, said) = Browser::new().signs_in(app, "ada").await;
    assert_eq!(
        (status, &said["mfa_required"], &said["access_token"]),
        (200, &json!(true), &Value::Null),
        "{said}"
    );
    verify(app, &said["mfa_token"], &code(&codes, 1)).await.expect(200);
    stage.app.stop().await;
}
