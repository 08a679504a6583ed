//! What a whole run leaves in its log: what was asked for, and nothing that was secret in it.

use crate::support::{Binary, Socket, app::redis_url};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use testing::{Form, TestDb};

const PATIENCE: Duration = Duration::from_secs(20);
/// The id of a request, which has to be in the log.
const CONTROL: &str = "control-of-the-search";

/// A product whose log will be read, and everything that must not be in it.
struct Run {
    binary: Binary,
    http: reqwest::Client,
    secrets: BTreeSet<String>,
    routes: BTreeSet<String>,
    _server: Option<TestDb>,
}

/// Whether a member of a body holds a secret.
fn is_secret(name: &str) -> bool {
    let parts = ["token", "password", "secret", "ticket", "codes", "otpauth"];
    name == "key" || (name != "token_type" && parts.iter().any(|part| name.contains(part)))
}

/// Every secret text in a body, however deep.
fn gather(name: &str, value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if is_secret(name) && text.len() >= 6 => drop(into.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| gather(name, item, into)),
        Value::Object(members) => members.iter().for_each(|(name, value)| gather(name, value, into)),
        _ => {}
    }
}

impl Run {
    async fn start() -> Self {
        let server = match Form::from_env() {
            Form::Embedded => None,
            Form::Full => Some(TestDb::of(Form::Full).await),
        };
        let redis = server.as_ref().map(|_| redis_url());
        let mut settings = vec![("SHEAF__LOG__LEVEL", "debug"), ("SHEAF__LIMITS__ENABLED", "true")];
        if let (Some(server), Some(redis)) = (&server, &redis) {
            settings.push(("SHEAF__DATABASE__URL", server.url()));
            settings.push(("SHEAF__REDIS__URL", redis));
        }
        Self {
            binary: Binary::start(&settings).await,
            http: reqwest::Client::new(),
            secrets: BTreeSet::new(),
            routes: BTreeSet::new(),
            _server: server,
        }
    }

    fn request(&mut self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("http://{}{path}", self.binary.address()));
        if token.is_empty() {
            return request;
        }
        self.secrets.insert(token.to_owned());
        request.bearer_auth(token)
    }

    /// Sends, and remembers every secret that goes out or comes back.
    async fn send(&mut self, request: RequestBuilder, body: &Value) -> (u16, Value) {
        gather("", body, &mut self.secrets);
        let request = if body.is_null() { request } else { request.json(body) };
        let response = request.send().await.expect("the product answers");
        let (status, answer) = (response.status().as_u16(), response.json().await.unwrap_or(Value::Null));
        assert!(status < 500, "{answer}");
        gather("", &answer, &mut self.secrets);
        (status, answer)
    }

    async fn post(&mut self, path: &str, token: &str, body: Value) -> (u16, Value) {
        let request = self.request(Method::POST, path, token);
        self.send(request, &body).await
    }

    /// The same, on a route that has to be there and to have a line in the log.
    async fn expect(&mut self, status: u16, path: &str, token: &str, body: Value) -> Value {
        let (got, answer) = self.post(path, token, body).await;
        assert_eq!(got, status, "{path}: {answer}");
        self.routes.insert(path.to_owned());
        answer
    }

    /// The secrets behind this mark in the links of letters that were written to a directory.
    fn letters(&self, mark: &str) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.binary.data_dir().join("outbox")) else {
            return Vec::new();
        };
        let letters = folder.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok());
        letters.flat_map(|letter| in_links(&letter, mark)).collect()
    }

    /// Reads the log.
    fn judge(&self) {
        let log = self.binary.log() + &self.binary.said();
        assert!(log.contains("DEBUG"), "the log is not what it should be");
        for route in &self.routes {
            assert!(
                log.contains(&format!("route=\"{route}\"")),
                "{route} has no line in the log:\n{log}"
            );
        }
        // The search finds what is there.
        assert_eq!(lines_with(&log, [CONTROL]).len(), 1, "{CONTROL} is not found:\n{log}");
        let leaks = lines_with(&log, self.secrets.iter().map(String::as_str));
        assert!(leaks.is_empty(), "secrets in the log:\n{}", leaks.join("\n"));
        assert!(!log.to_lowercase().contains("bearer "), "a header in the log");
    }
}

/// For each of these that stands in the log, the first line with it.
fn lines_with<'a>(log: &str, texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let line = |text: &str| log.lines().find(|line| line.contains(text)).map(str::to_owned);
    texts.into_iter().filter_map(line).collect()
}

/// What stands behind this mark in a letter, whose long lines are folded.
fn in_links(letter: &str, mark: &str) -> Vec<String> {
    let plain = letter.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let secret = |rest: &str| rest.chars().take_while(|c| is_part(*c)).collect::<String>();
    plain.split(mark).skip(1).map(secret).filter(|secret| secret.len() >= 16).collect()
}

const REGISTER: &str = "/api/v1/auth/register/";
const LOGIN: &str = "/api/v1/auth/login/";
const REFRESH: &str = "/api/v1/auth/token/refresh/";
const LOGOUT: &str = "/api/v1/auth/logout/";
const PASSWORD: &str = "Tr0ubadour-canary-right";

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_default().to_owned()
}

/// Signs up, in, on and out, well and badly. Gives an access token.
async fn logins(run: &mut Run) -> String {
    let ada = json!({ "email": "ada@example.com", "password": PASSWORD, "display_name": "Ada" });
    run.expect(201, REGISTER, "", ada.clone()).await;
    run.expect(409, REGISTER, "", ada).await;
    let weak = json!({ "email": "no address", "password": "canary1", "display_name": "" });
    run.expect(422, REGISTER, "", weak).await;
    let wrong = json!({ "email": "ada@example.com", "password": "Tr0ubadour-canary-wrong" });
    run.expect(401, LOGIN, "", wrong).await;
    let odd = json!({ "email": "ada@example.com", "password": ["canary-in-a-list"] });
    run.expect(422, LOGIN, "", odd).await;
    let right = json!({ "email": "ada@example.com", "password": PASSWORD });
    let first = run.expect(200, LOGIN, "", right.clone()).await;
    let used = json!({ "refresh_token": first["refresh_token"] });
    let next = run.expect(200, REFRESH, "", used).await;
    run.expect(401, REFRESH, "", json!({ "refresh_token": "canary-that-is-no-refresh-token" }))
        .await;
    run.expect(204, LOGOUT, "", json!({ "refresh_token": next["refresh_token"] })).await;
    let again = run.expect(200, LOGIN, "", right).await;
    text(&again, "access_token")
}

/// Tokens wherever they may stand: in headers, in queries, in the names of protocols, good and bad.
async fn sockets(run: &mut Run, token: &str, document: &str) {
    let bad = ["canary.of.nobody", "sheaf_canaryofakeythatisnone"];
    for token in bad.iter().chain(&[token]) {
        let request = run.request(Method::GET, "/api/v1/users/me/", token);
        run.send(request, &Value::Null).await;
        let request = run.request(Method::GET, &format!("/api/v1/users/me/?token={token}&access_token={token}"), "");
        run.send(request, &Value::Null).await;
        let request = run.request(Method::GET, &format!("/no/such/path/{token}"), "");
        run.send(request, &Value::Null).await;
        let address = run.binary.address();
        let path = format!("/ws/documents/{document}?protocol=json&token={token}");
        let mut in_query = Socket::open(&address, &path, None).await;
        in_query.say(json!({ "type": "hello" })).await;
        in_query.hear().await;
        let offered = format!("sheaf.json.v1, bearer.{token}");
        Socket::open(&address, &format!("/ws/documents/{document}"), Some(&offered)).await;
    }
    run.routes.insert("/ws/documents/{document_id}/".to_owned());
    run.routes.insert("/api/v1/users/me/".to_owned());
}

/// Operations that hand out secrets or take them, where the product has them.
async fn others(run: &mut Run, token: &str, workspace: &str, document: &str) {
    let (of_workspace, of_document) = (format!("/api/v1/workspaces/{workspace}"), format!("/api/v1/documents/{document}"));
    let guessed = "canary-guess-0123456789abcdef";
    let asked = [
        (
            "/api/v1/auth/api-keys/".to_owned(),
            json!({ "name": "Robot", "scopes": ["documents:read"] }),
        ),
        ("/api/v1/auth/ws-ticket/".to_owned(), json!({})),
        ("/api/v1/auth/totp/".to_owned(), json!({})),
        ("/api/v1/auth/totp/confirm/".to_owned(), json!({ "code": "000000" })),
        (
            "/api/v1/auth/mfa/verify/".to_owned(),
            json!({ "mfa_token": guessed, "code": "000000" }),
        ),
        ("/api/v1/auth/email/verify/".to_owned(), json!({ "token": guessed })),
        ("/api/v1/auth/email/resend/".to_owned(), json!({ "email": "ada@example.com" })),
        (
            "/api/v1/auth/password/change/".to_owned(),
            json!({ "current_password": "canary-not-mine", "password": "Tr0ubadour-canary-next" }),
        ),
        (
            format!("{of_workspace}/invite/"),
            json!({ "emails": ["grace@example.com"], "role": "member" }),
        ),
        (format!("{of_workspace}/invite-links/"), json!({ "role": "member" })),
        ("/api/v1/invitations/accept/".to_owned(), json!({ "token": guessed })),
        (
            format!("{of_document}/share-links/"),
            json!({ "level": "view", "password": "canary-of-a-link" }),
        ),
        (
            format!("/api/v1/share-links/{guessed}/unlock/"),
            json!({ "password": "canary-of-a-link" }),
        ),
    ];
    run.secrets.insert(guessed.to_owned());
    for (path, body) in asked {
        let (_, answer) = run.post(&path, token, body).await;
        // What was handed out is used, in a header and in a path.
        let given = ["token", "key", "ticket"].map(|name| text(&answer, name));
        for secret in given.iter().filter(|secret| !secret.is_empty()) {
            for path in [
                "/api/v1/users/me/".to_owned(),
                format!("/api/v1/share-links/{secret}/"),
                format!("/api/v1/invitations/{secret}/"),
            ] {
                let request = run.request(Method::GET, &path, secret);
                run.send(request, &Value::Null).await;
            }
        }
    }
}

/// Forgets the password and sets another one, by the link in the letter.
async fn reset(run: &mut Run) {
    let (status, _) = run
        .post("/api/v1/auth/password/forgot/", "", json!({ "email": "ada@example.com" }))
        .await;
    if status == 404 {
        return;
    }
    let started = Instant::now();
    let token = loop {
        if let Some(token) = run.letters("#reset=").pop() {
            break token;
        }
        assert!(started.elapsed() < PATIENCE, "no letter with a link came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let body = json!({ "token": token, "password": "Tr0ubadour-canary-reset" });
    run.post("/api/v1/auth/password/reset/", "", body).await;
}

#[test]
fn a_secret_is_found_in_a_folded_letter() {
    let letter =
        "Open http://127.0.0.1/open/#reset=3D0123456789=\r\nabcdef0123 now, or\r\nhttp://127.0.0.1/open/#verify=3Dfedcba9876543210\r\n";
    assert_eq!(in_links(letter, "#reset="), ["0123456789abcdef0123"]);
    assert_eq!(in_links(letter, "#verify="), ["fedcba9876543210"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_whole_run_is_in_its_log() {
    let mut run = Run::start().await;
    let token = logins(&mut run).await;
    let workspace = run.expect(201, "/api/v1/workspaces/", &token, json!({ "name": "Engines" })).await;
    let workspace = text(&workspace, "id");
    let page = json!({ "workspace_id": workspace, "title": "Notes", "blocks": [] });
    let page = run.expect(201, "/api/v1/documents/", &token, page).await;
    let document = text(&page, "id");
    sockets(&mut run, &token, &document).await;
    others(&mut run, &token, &workspace, &document).await;
    reset(&mut run).await;
    let control = run
        .request(Method::GET, "/api/v1/users/me/", &token)
        .header("x-request-id", CONTROL);
    run.send(control, &Value::Null).await;
    for mark in ["#verify=", "#reset=", "#invitation="] {
        let in_letters = run.letters(mark);
        run.secrets.extend(in_letters);
    }
    run.binary.sigterm();
    assert!(run.binary.ended(PATIENCE).await.success());
    assert!(run.secrets.len() >= 12, "{}", run.secrets.len());
    run.judge();
}
