//! A provider whose tokens say what a test wants, to see that they are not believed.

use crate::support::{TestApp, User, http::Answer};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::clock;
use reqwest::Url;
use serde_json::{Value, json};
use testing::{Script, free_port};

/// A product that believes in the liar.
struct Stage {
    app: TestApp,
    issuer: String,
    _provider: Script,
}

impl Stage {
    async fn new() -> Self {
        let port = free_port().to_string();
        let provider = Script::start("rogue-provider.mjs", &[&port]).await;
        let issuer = format!("http://127.0.0.1:{port}");
        let one = |id: &str, issuer: &str| json!({ "id": id, "name": id, "issuer": issuer, "client_id": "sheaf", "client_secret": "x" });
        let config = json!([
            one("rogue", &issuer),
            one("redirect", &format!("{issuer}/redirect")),
            one("large", &format!("{issuer}/large")),
            one("other", &format!("{issuer}/other")),
            one("gone", "http://127.0.0.1:1"),
        ]);
        let app = TestApp::with(&[("oidc.providers", &config.to_string())]).await;
        Self {
            app,
            issuer,
            _provider: provider,
        }
    }

    /// Begins, as a client that is no browser. Gives the state, the nonce and the binding.
    async fn begins(&self) -> (String, String, String) {
        let start = self.app.http.get(self.app.url("/api/v1/auth/oidc/rogue/start/"));
        let started = start.header("accept", "application/json").send().await.expect("an answer");
        assert!(started.headers().get("set-cookie").is_none());
        let started: Value = started.json().await.expect("JSON");
        let url = Url::parse(started["url"].as_str().expect("an address")).expect("an address");
        let part = |name: &str| url.query_pairs().find(|(key, _)| key == name).expect("there").1.into_owned();
        assert_eq!((part("code_challenge_method").as_str(), part("code_challenge").len()), ("S256", 43));
        (
            part("state"),
            part("nonce"),
            started["binding"].as_str().expect("a binding").to_owned(),
        )
    }

    fn claims(&self, nonce: &str) -> Value {
        let now = clock::now().timestamp();
        json!({
            "iss": self.issuer, "aud": "sheaf", "sub": "ada", "iat": now, "exp": now + 60, "nonce": nonce,
            "email": "ada@example.com", "email_verified": true,
        })
    }

    /// Ends a login with what the provider is made to say; `change` makes its claims others.
    async fn ends(&self, sign: &str, header: Value, change: &Value) -> Answer {
        let (state, nonce, binding) = self.begins().await;
        let mut claims = self.claims(&nonce);
        for (name, value) in change.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().expect("claims").retain(|_, value| !value.is_null());
        let wish = json!({ "claims": claims, "header": header, "sign": sign });
        let code = URL_SAFE_NO_PAD.encode(wish.to_string());
        self.posts(&json!({ "state": state, "code": code, "binding": binding })).await
    }

    async fn posts(&self, body: &Value) -> Answer {
        User::nobody(&self.app).post("/api/v1/auth/oidc/rogue/callback/", body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_believed_when_all_of_it_is_right() {
    let stage = Stage::new().await;
    for sign in ["RS256", "ES256", "EdDSA"] {
        let answer = stage.ends(sign, json!({}), &json!({})).await.expect(200);
        assert_eq!(answer.body["user"]["email"], "ada@example.com", "{sign}");
    }
    let both = json!({ "aud": ["sheaf", "other"], "azp": "sheaf" });
    stage.ends("RS256", json!({}), &both).await.expect(200);
    // A key that was published after we looked.
    stage.ends("next", json!({}), &json!({})).await.expect(200);
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_refused_when_anything_of_it_is_wrong() {
    let stage = Stage::new().await;
    let now = clock::now().timestamp();
    let none = json!({});
    let headers = [
        ("none", none.clone(), "nobody signed it"),
        ("none", json!({ "alg": "None" }), "nobody signed it"),
        ("HS256", none.clone(), "signed with the published key as if it were a secret"),
        (
            "stranger",
            none.clone(),
            "a key that was not published, under the name of one that was",
        ),
        ("stranger", json!({ "kid": null }), "no name of a key"),
        ("stranger", json!({ "kid": "../../../dev/null" }), "a path for a key"),
        ("stranger", json!({ "kid": "x' OR '1'='1" }), "a query for a key"),
        ("RS256", json!({ "kid": "ES256" }), "a key of another kind"),
        ("RS256", json!({ "alg": "PS256" }), "another algorithm than it says"),
        ("RS256", json!({ "alg": "HS256" }), "confused"),
        ("ES256", json!({ "alg": "RS256" }), "confused"),
    ];
    for (sign, header, why) in headers {
        let answer = stage.ends(sign, header.clone(), &none).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (401, &json!("oidc_refused")),
            "{why}: {}",
            answer.text
        );
    }
    let claims = [
        json!({ "iss": "http://127.0.0.1:1" }),
        json!({ "iss": null }),
        json!({ "aud": "other" }),
        json!({ "aud": ["other"] }),
        json!({ "aud": null }),
        json!({ "aud": ["sheaf", "other"] }),
        json!({ "azp": "other" }),
        json!({ "nonce": "other" }),
        json!({ "nonce": null }),
        json!({ "exp": now - 120 }),
        json!({ "exp": null }),
        json!({ "exp": "soon" }),
        json!({ "nbf": now + 600 }),
        json!({ "iat": now + 600 }),
        json!({ "iat": null }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": 7 }),
        json!({ "sub": "x".repeat(300) }),
    ];
    for wrong in claims {
        let answer = stage.ends("RS256", none.clone(), &wrong).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (401, &json!("oidc_refused")),
            "{wrong}: {}",
            answer.text
        );
    }
    for wrong in [
        json!({ "email_verified": false }),
        json!({ "email_verified": null }),
        json!({ "email": "no address" }),
    ] {
        let answer = stage.ends("RS256", none.clone(), &wrong).await;
        assert_eq!(answer.body["code"], "oidc_email_unverified", "{wrong}: {}", answer.text);
    }
    // Somebody else's address from the endpoint of the one who signed.
    let (state, nonce, binding) = stage.begins().await;
    let mut claims = stage.claims(&nonce);
    claims.as_object_mut().expect("claims").remove("email");
    let userinfo = json!({ "sub": "eve", "email": "ada@example.com", "email_verified": true });
    let wish = json!({ "claims": claims, "header": {}, "sign": "RS256", "userinfo": userinfo });
    let code = URL_SAFE_NO_PAD.encode(wish.to_string());
    let body = json!({ "state": state, "code": code, "binding": binding });
    stage.posts(&body).await.problem(401, "oidc_refused");
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_begun_by_the_client_does_not_end() {
    let stage = Stage::new().await;
    let (state, _, binding) = stage.begins().await;
    let (other, _, _) = stage.begins().await;
    for (state, binding) in [(&other, binding.as_str()), (&state, "guessed"), (&state, binding.as_str())] {
        let body = json!({ "state": state, "code": "x", "binding": binding });
        stage.posts(&body).await.problem(401, "oidc_not_begun_here");
    }
    let (state, ..) = stage.begins().await;
    stage.posts(&json!({ "state": state, "code": "x" })).await.problem(422, "invalid");
    let (state, _, binding) = stage.begins().await;
    let body = json!({ "state": state, "code": "x", "binding": binding, "iss": "https://evil.example" });
    stage.posts(&body).await.problem(401, "oidc_refused");
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_cannot_be_trusted_with_a_question_is_not_asked() {
    let stage = Stage::new().await;
    let nobody = User::nobody(&stage.app);
    for id in ["redirect", "large", "other", "gone"] {
        let answer = nobody.get(&format!("/api/v1/auth/oidc/{id}/start/")).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (503, &json!("oidc_provider_unavailable")),
            "{id}"
        );
        assert!(!answer.text.contains("127.0.0.1"), "{}", answer.text);
    }
    nobody
        .get("/api/v1/auth/oidc/nobody/start/")
        .await
        .problem(404, "oidc_provider_not_found");
    let refused =
        server_config(&json!([{ "id": "x", "name": "x", "issuer": "http://example.com", "client_id": "x", "client_secret": "hush" }]));
    assert!(refused.contains("no https:// address") && !refused.contains("hush"), "{refused}");
    stage.app.stop().await;
}

/// Why a configuration is refused.
fn server_config(providers: &Value) -> String {
    use server::config::{Overrides, load};
    let overrides = Overrides(vec![("oidc.providers", providers.to_string())]);
    let loaded = load(Some(std::path::Path::new("/dev/null")), &[], &overrides);
    format!("{:#}", loaded.expect_err("it is refused"))
}
