//! People who call the REST face.

use super::app::{TestApp, id_of};
use reqwest::Method;
use serde_json::{Value, json};

/// Somebody with a token, or nobody.
#[derive(Clone)]
pub struct User {
    http: reqwest::Client,
    base: String,
    /// The user's id; empty for nobody.
    pub id: String,
    /// The address they registered with.
    pub email: String,
    /// The access token; empty for nobody.
    pub token: String,
    /// The refresh token.
    pub refresh: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
    pub text: String,
}

impl User {
    /// A caller without a token.
    pub fn nobody(app: &TestApp) -> Self {
        let none = String::new;
        Self {
            http: app.http.clone(),
            base: app.url(""),
            id: none(),
            email: none(),
            token: none(),
            refresh: none(),
        }
    }

    /// Somebody with a fresh account at `127.0.0.1:port`.
    pub async fn newcomer(address: &str, name: &str) -> Self {
        let (none, email) = (String::new, format!("{name}-{}@example.com", &kernel::secret::token()[..12]));
        let nobody = Self {
            http: reqwest::Client::new(),
            base: format!("http://{address}"),
            id: none(),
            email: none(),
            token: none(),
            refresh: none(),
        };
        let body = json!({ "email": email, "password": "correct horse battery staple", "display_name": name });
        let answer = nobody.post("/api/v1/auth/register/", &body).await.expect(201);
        let text = |pointer: &str| answer.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            id: text("/user/id"),
            email,
            token: text("/access_token"),
            refresh: text("/refresh_token"),
            ..nobody
        }
    }

    /// A call that may find nobody at the other end.
    pub async fn try_call(&self, method: Method, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.timeout(std::time::Duration::from_secs(20)).send().await.ok()?;
        Some((response.status().as_u16(), response.json().await.ok()?))
    }

    /// The one who just signed in.
    pub fn of(app: &TestApp, signed_in: &Answer) -> Self {
        let text = |pointer: &str| {
            signed_in
                .body
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (id, email) = (text("/user/id"), text("/user/email"));
        Self {
            id,
            email,
            token: text("/access_token"),
            refresh: text("/refresh_token"),
            ..Self::nobody(app)
        }
    }

    /// The same person on another node or server.
    pub fn at(&self, address: &str) -> Self {
        Self {
            base: format!("http://{address}"),
            ..self.clone()
        }
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Self::answer(request).await
    }

    /// Saves Markdown; with `seen`, only while that is the page's `ETag`.
    pub async fn put_markdown(&self, path: &str, text: &str, seen: Option<&str>) -> Answer {
        let request = self.http.put(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let request = request.header("content-type", "text/markdown; charset=utf-8").body(text.to_owned());
        Self::answer(match seen {
            Some(tag) => request.header("if-match", tag),
            None => request,
        })
        .await
    }

    async fn answer(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("the product answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        Answer {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    /// The status of an answer whose body does not end.
    pub async fn status_of(&self, path: &str) -> u16 {
        let mut request = self.http.get(format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        request.send().await.expect("the product answers").status().as_u16()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    /// The same, for a path that was just put together.
    pub async fn get_owned(self, path: String) -> Answer {
        self.get(&path).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Makes a page.
    pub async fn document(&self, workspace: &str, title: &str, blocks: Value) -> Value {
        let body = json!({ "workspace_id": workspace, "title": title, "blocks": blocks });
        self.post("/api/v1/documents/", &body).await.expect(201).body
    }

    /// Adds somebody to a workspace.
    pub async fn adds(&self, other: &User, workspace: &str, role: &str) {
        let body = json!({ "email": other.email, "role": role });
        self.post(&format!("/api/v1/workspaces/{workspace}/members/"), &body)
            .await
            .expect(201);
    }

    /// The texts of a page's top blocks.
    pub async fn texts(&self, document: &str) -> Vec<String> {
        let page = self.get(&format!("/api/v1/documents/{document}/")).await.expect(200);
        let blocks = page.body["blocks"].as_array().expect("blocks").clone();
        blocks
            .iter()
            .map(|block| block["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

impl Answer {
    /// Insists on a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Insists on a problem of that status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert!(self.body["request_id"].as_str().is_some_and(|id| !id.is_empty()));
        self
    }

    pub fn id(&self) -> String {
        id_of(&self.body)
    }
}
