//! Files of pages from the outside: in, out, who may, and what must not come back as something that runs.

mod hostile;
mod limits;
mod pictures;
mod s3;
mod sight;

use crate::support::{Answer, TestApp, User};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};

/// An answer with its bytes.
pub(super) struct Fetched {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Fetched {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a text"))
    }
}

/// Adds a file to a page in one request.
pub(super) async fn adds(app: &TestApp, who: &User, page: &str, name: &str, bytes: impl Into<reqwest::Body>) -> Answer {
    let url = app.url(&format!("/api/v1/documents/{page}/attachments/"));
    let url = reqwest::Url::parse_with_params(&url, [("name", name)]).expect("a url");
    sends(app.http.post(url), who, bytes).await
}

/// Sends bytes as the body of a request.
pub(super) async fn sends(request: reqwest::RequestBuilder, who: &User, bytes: impl Into<reqwest::Body>) -> Answer {
    let answer = request
        .bearer_auth(&who.token)
        .header("content-type", "text/html")
        .body(bytes)
        .send()
        .await
        .expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.expect("a body");
    Answer {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    }
}

/// Fetches a path, with more headers.
pub(super) async fn fetches(app: &TestApp, who: &User, path: &str, headers: &[(&str, &str)]) -> Fetched {
    let mut request = app.http.request(Method::GET, app.url(path));
    if !who.token.is_empty() {
        request = request.bearer_auth(&who.token);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("an answer");
    Fetched {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        bytes: answer.bytes().await.expect("bytes").to_vec(),
    }
}

pub(super) fn content(id: &str) -> String {
    format!("/api/v1/attachments/{id}/content/")
}

/// A PNG of one colour.
pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(width, height, image::Rgb([7, 70, 200]));
    image.write_to(&mut out, image::ImageFormat::Png).expect("written");
    out.into_inner()
}

/// Everything that lies in the store of files.
pub(super) fn stored(app: &TestApp) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 })
            .sum()
    }
    count(&app.data_dir().join("files"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_back_as_it_was_sent() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("with a file").await;
    let bytes = png(30, 20);
    let made = adds(&app, &owner, &page, "Grüße/bild.png", bytes.clone()).await.expect(201);
    assert_eq!(
        (&made.body["name"], &made.body["media_type"], &made.body["state"]),
        (&json!("bild.png"), &json!("image/png"), &json!("ready"))
    );
    assert_eq!(made.body["size"], bytes.len());
    let id = made.id();
    assert_eq!(made.headers["location"], format!("/api/v1/attachments/{id}/"));
    assert_eq!(
        owner.get(&format!("/api/v1/attachments/{id}/")).await.expect(200).body["sha256"],
        made.body["sha256"]
    );
    let listed = owner.get(&format!("/api/v1/documents/{page}/attachments/")).await.expect(200);
    assert_eq!(listed.body["data"][0]["id"], json!(id));

    let got = fetches(&app, &owner, &content(&id), &[("accept-encoding", "gzip, br")]).await;
    assert_eq!((got.status, got.bytes == bytes), (200, true));
    for (name, value) in [
        ("content-type", "image/png"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
        ("content-disposition", "inline; filename=\"bild.png\"; filename*=UTF-8''bild.png"),
        ("cross-origin-resource-policy", "same-site"),
        ("cache-control", "private, no-cache"),
        ("accept-ranges", "bytes"),
        ("content-length", &bytes.len().to_string()),
        ("etag", &format!("\"{}\"", made.body["sha256"].as_str().expect("a hash"))),
    ] {
        assert_eq!(got.header(name), value, "{name}");
    }
    let saved = fetches(&app, &owner, &format!("{}?download=1", content(&id)), &[]).await;
    assert!(saved.header("content-disposition").starts_with("attachment;"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_and_versions_of_a_file_are_answered_as_http_has_it() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("with a file").await;
    let id = adds(&app, &owner, &page, "a.txt", "0123456789".repeat(10)).await.expect(201).id();
    let path = content(&id);
    let tag = fetches(&app, &owner, &path, &[]).await.header("etag").to_owned();
    for (headers, status, body, range) in [
        (vec![("range", "bytes=0-3")], 206, "0123", "bytes 0-3/100"),
        (vec![("range", "bytes=98-")], 206, "89", "bytes 98-99/100"),
        (vec![("range", "bytes=-3")], 206, "789", "bytes 97-99/100"),
        (vec![("range", "bytes=0-0"), ("if-range", &tag)], 206, "0", "bytes 0-0/100"),
    ] {
        let got = fetches(&app, &owner, &path, &headers).await;
        assert_eq!(
            (got.status, got.bytes.as_slice(), got.header("content-range")),
            (status, body.as_bytes(), range)
        );
        assert_eq!(
            (got.header("content-length"), got.header("etag")),
            (body.len().to_string().as_str(), tag.as_str())
        );
    }
    for headers in [
        vec![("range", "bytes=0-0,5-6")],
        vec![("range", "bytes=0-0"), ("if-range", "\"other\"")],
        vec![("range", "pages=1")],
    ] {
        let got = fetches(&app, &owner, &path, &headers).await;
        assert_eq!((got.status, got.bytes.len()), (200, 100), "{headers:?}");
    }
    let beyond = fetches(&app, &owner, &path, &[("range", "bytes=100-")]).await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */100"));
    assert!(String::from_utf8_lossy(&beyond.bytes).contains("range_not_satisfiable"));
    let known = fetches(&app, &owner, &path, &[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.bytes.len(), known.header("etag")), (304, 0, tag.as_str()));
    let head = app
        .http
        .head(app.url(&path))
        .bearer_auth(&owner.token)
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        (head.status().as_u16(), &head.headers()["content-length"]),
        (200, &"100".parse().expect("a value"))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_be_announced_first_and_comes_once() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("with a file").await;
    let hash = kernel::secret::hash("hello");
    let new = json!({ "document_id": page, "name": "hello.txt", "size": 5, "sha256": hash });
    let made = owner.post("/api/v1/attachments/", &new).await.expect(201);
    let (id, path) = (made.id(), made.body["content_url"].as_str().expect("a path").to_owned());
    assert_eq!(made.body["state"], "pending");
    owner.get(&path).await.problem(409, "not_uploaded");
    assert_eq!(
        owner.get(&format!("/api/v1/documents/{page}/attachments/")).await.expect(200).body["data"],
        json!([])
    );
    let put = async |bytes: &'static str| sends(app.http.put(app.url(&path)), &owner, bytes).await;
    put("hell").await.problem(422, "size_mismatch");
    put("hello!").await.problem(422, "size_mismatch");
    put("world").await.problem(422, "hash_mismatch");
    assert_eq!(stored(&app), 0);
    assert_eq!(put("hello").await.expect(200).body["state"], "ready");
    put("hello").await.problem(409, "already_uploaded");
    assert_eq!(fetches(&app, &owner, &path, &[]).await.bytes, b"hello");

    owner.delete(&format!("/api/v1/attachments/{id}/")).await.expect(204);
    owner.get(&path).await.problem(404, "not_found");
    owner.delete(&format!("/api/v1/attachments/{id}/")).await.problem(404, "not_found");
    owner
        .post(&format!("/api/v1/attachments/{id}/restore/"), &json!({}))
        .await
        .expect(200);
    assert_eq!(fetches(&app, &owner, &path, &[]).await.bytes, b"hello");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_a_file_is_taken() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("with a file").await;
    let url = app.url(&format!("/api/v1/documents/{page}/attachments/"));
    let form = "--cut\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\npassed over\r\n--cut\r\nContent-Disposition: form-data; \
                name=\"file\"; filename=\"in a form.txt\"\r\nContent-Type: text/html\r\n\r\nwhat is in it\r\n--cut--\r\n";
    let send = async |form: &str| {
        let request = app
            .http
            .post(&url)
            .bearer_auth(&owner.token)
            .header("content-type", "multipart/form-data; boundary=cut");
        let answer = request.body(form.to_owned()).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    let (status, made) = send(form).await;
    assert_eq!(
        (status, &made["name"], &made["media_type"], &made["size"]),
        (201, &json!("in a form.txt"), &json!("text/plain"), &json!(13))
    );
    let id = made["id"].as_str().expect("an id");
    assert_eq!(fetches(&app, &owner, &content(id), &[]).await.bytes, b"what is in it");
    for broken in [
        "--cut\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n--cut--\r\n",
        "no form",
        &form[..form.len() - 20],
    ] {
        let (status, problem) = send(broken).await;
        assert_eq!((status, &problem["code"]), (400, &json!("bad_body")), "{broken}");
    }
    assert_eq!(stored(&app), 1);
    app.stop().await;
}
