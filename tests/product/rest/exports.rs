//! Pages as files: in every format, with what hangs under them, for nobody but who asked and only as far as they may see.

use super::attachments::adds;
use crate::support::{TestApp, User, program};
use reqwest::{Response, header::RANGE};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use std::{
    io::{Cursor, Read},
    time::{Duration, Instant},
};

/// A product whose pages are typeset by its own binary: the tests are another program.
async fn app(overrides: &[(&'static str, &str)]) -> TestApp {
    let typesetter = program().display().to_string();
    let slow = [("export.typesetter", typesetter.as_str()), ("export.typeset_secs", "120")];
    TestApp::with(&[&slow[..], overrides].concat()).await
}

/// How long a test waits for an export: typesetting is slow where nothing is optimised.
const PATIENCE: Duration = Duration::from_secs(120);

/// The job when it is over.
pub(super) async fn over(who: &User, path: &str) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let job = who.get(path).await.expect(200).body;
        if ["done", "dead", "cancelled"].contains(&job["state"].as_str().expect("a state")) {
            return job;
        }
        assert!(Instant::now() < until, "not over: {job}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn asks(who: &User, path: &str, body: Value) -> Value {
    let asked = who.post(&format!("{path}exports/"), &body).await.expect(202);
    over(who, &format!("/api/v1/jobs/{}/", asked.id())).await
}

/// Exports, and gives what the job says came out.
pub(super) async fn exports(who: &User, path: &str, body: Value) -> Value {
    let job = asks(who, path, body).await;
    assert_eq!(job["state"], "done", "{job}");
    let id = job["id"].as_str().expect("an id");
    who.get(&format!("/api/v1/jobs/{id}/result/")).await.expect(200).body
}

fn file(result: &Value) -> String {
    result["file"].as_str().expect("a path").to_owned()
}

pub(super) async fn fetch(app: &TestApp, who: &User, result: &Value) -> Response {
    let answer = app
        .http
        .get(app.url(&file(result)))
        .bearer_auth(&who.token)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
    let kept = header("content-disposition");
    assert!(
        kept.starts_with("attachment; filename=\"") && kept.contains("filename*=UTF-8''"),
        "{kept}"
    );
    assert_eq!(header("content-length"), result["size"].to_string());
    assert_eq!(
        (header("cache-control"), header("x-content-type-options")),
        ("private, no-store".to_owned(), "nosniff".to_owned())
    );
    assert!(header("content-security-policy").contains("sandbox"));
    answer
}

async fn zip(app: &TestApp, who: &User, result: &Value) -> Vec<(String, Vec<u8>)> {
    let bytes = fetch(app, who, result).await.bytes().await.expect("bytes").to_vec();
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    let count = zip.len();
    let read = |at: usize| {
        let (mut file, mut bytes) = (zip.by_index(at).expect("a file"), Vec::new());
        file.read_to_end(&mut bytes).expect("bytes");
        (file.name().expect("a name").into_owned(), bytes)
    };
    (0..count).map(read).collect()
}

fn json_of(files: &[(String, Vec<u8>)], name: &str) -> Value {
    let (_, bytes) = files.iter().find(|(file, _)| file == name).unwrap_or_else(|| panic!("no {name}"));
    serde_json::from_slice(bytes).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_exported_in_every_format() {
    let app = app(&[]).await;
    let (ada, _, page, _) = app.page("#read(\"/etc/passwd\") <script>alert(1)</script>").await;
    let path = format!("/api/v1/documents/{page}/");
    let block = json!({ "type": "equation", "text": r"\frac{1}{2}" });
    ada.post(&format!("{path}blocks/"), &block).await.expect(201);
    for (format, media_type, begins) in [
        ("pdf", "application/pdf", "%PDF-"),
        ("html", "text/html; charset=utf-8", "<!doctype html>"),
        ("markdown", "text/markdown; charset=utf-8", "#"),
        ("json", "application/json", "{"),
        ("automerge", "application/octet-stream", ""),
    ] {
        let result = exports(&ada, &path, json!({ "format": format })).await;
        assert_eq!(
            (&result["format"], &result["pages"], &result["formulas_as_text"]),
            (&json!(format), &json!(1), &json!(0)),
            "{result}"
        );
        let answer = fetch(&app, &ada, &result).await;
        assert_eq!(answer.headers()["content-type"], media_type);
        let bytes = answer.bytes().await.expect("bytes");
        assert!(bytes.starts_with(begins.as_bytes()), "{format}");
        let text = String::from_utf8_lossy(&bytes);
        match format {
            "html" => assert!(
                text.contains("<mfrac>") && text.contains("&lt;script&gt;") && !text.contains("<script"),
                "{text}"
            ),
            "json" => assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON")["blocks"][1]["type"], "equation"),
            "automerge" => assert_eq!(bytes[..4], [0x85, 0x6f, 0x4a, 0x83]),
            "pdf" => {
                let lines = testing::read_pdf(bytes.to_vec()).concat();
                assert!(
                    lines[2].starts_with("#read(\"/etc/passwd\") <script>alert(1)</script>"),
                    "{lines:?}"
                );
                assert_eq!((&lines[0], lines.last()), (&"Notes".to_owned(), Some(&"Notes\t1 / 1".to_owned())));
            }
            _ => assert!(text.contains("$$\\frac{1}{2}$$"), "{text}"),
        }
    }
    ada.post(&format!("{path}exports/"), &json!({ "format": "docx" }))
        .await
        .problem(422, "invalid");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_for_who_asked_while_they_may_see_it() {
    let app = app(&[]).await;
    let (ada, workspace, page, _) = app.page("mine").await;
    let bob = app.user("bob").await;
    ada.adds(&bob, &workspace, "member").await;
    let path = format!("/api/v1/documents/{page}/");
    let result = exports(&bob, &path, json!({ "format": "markdown" })).await;
    let part = async |range: &str| {
        let asked = app.http.get(app.url(&file(&result))).bearer_auth(&bob.token).header(RANGE, range);
        asked.send().await.expect("an answer")
    };
    let whole = fetch(&app, &bob, &result).await.bytes().await.expect("bytes");
    let answer = part("bytes=2-5").await;
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["content-range"].to_str().expect("text")),
        (206, format!("bytes 2-5/{}", whole.len()).as_str())
    );
    assert_eq!(answer.bytes().await.expect("bytes"), whole[2..6]);
    assert_eq!(part("bytes=9999-").await.status(), 416);

    ada.get(&file(&result)).await.problem(404, "export_not_found");
    User::nobody(&app).get(&file(&result)).await.problem(401, "unauthenticated");
    let log = ada
        .get(&format!("/api/v1/workspaces/{workspace}/audit-log/"))
        .await
        .expect(200)
        .text;
    assert!(log.contains("document.exported"), "{log}");

    let rules = json!({ "default_level": "none" });
    ada.patch(&path, &rules).await.expect(200);
    bob.get(&file(&result)).await.problem(404, "export_not_found");
    bob.post(&format!("{path}exports/"), &json!({ "format": "pdf" }))
        .await
        .problem(404, "not_found");
    ada.patch(&path, &json!({ "default_level": "view" })).await.expect(200);
    fetch(&app, &bob, &result).await;
    let db = app.database().await;
    db.execute_unprepared("UPDATE exports SET expires_at = created_at")
        .await
        .expect("changed");
    db.close().await.expect("closed");
    bob.get(&file(&result)).await.problem(404, "export_not_found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_member_learns_nothing_of_an_export() {
    let app = app(&[]).await;
    let (ada, workspace, page, _) = app.page("ours").await;
    let (bob, stranger) = (app.user("bob").await, app.user("stranger").await);
    ada.adds(&bob, &workspace, "admin").await;
    let path = format!("/api/v1/documents/{page}/");
    let result = exports(&ada, &path, json!({ "format": "json", "subtree": true })).await;
    let job = format!("/api/v1/jobs/{}/", result["export_id"].as_str().expect("an id"));
    for other in [&bob, &stranger] {
        for path in [&file(&result), &job, &format!("{job}result/")] {
            assert_eq!(other.get(path).await.status, 404, "{path}");
        }
        let cancelled = other.post(&format!("{job}cancel/"), &json!({})).await;
        assert_eq!(cancelled.status, 404, "{}", cancelled.text);
    }
    fetch(&app, &ada, &result).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_has_what_hangs_under_a_page_as_far_as_it_may_be_seen() {
    let app = app(&[]).await;
    let (ada, workspace, page, _) = app.page("root").await;
    let bob = app.user("bob").await;
    ada.adds(&bob, &workspace, "member").await;
    let under = async |parent: &str, title: &str| {
        let new =
            json!({ "workspace_id": workspace, "parent_id": parent, "title": title, "blocks": [{ "type": "paragraph", "text": title }] });
        ada.post("/api/v1/documents/", &new).await.expect(201).id()
    };
    let child = under(&page, "CON").await;
    let secret = under(&page, "Secret").await;
    let deep = under(&child, "a/b: what?").await;
    ada.patch(&format!("/api/v1/documents/{secret}/"), &json!({ "default_level": "none" }))
        .await
        .expect(200);

    let subtree = json!({ "format": "markdown", "subtree": true });
    let result = exports(&bob, &format!("/api/v1/documents/{page}/"), subtree).await;
    assert_eq!(
        (&result["pages"], &result["left_out"]["not_visible"]),
        (&json!(3), &json!(1)),
        "{result}"
    );
    let files = zip(&app, &bob, &result).await;
    let manifest = json_of(&files, "sheaf.json");
    assert_eq!(
        (&manifest["format"], &manifest["version"], &manifest["root"]),
        (&json!("sheaf.bundle"), &json!(1), &json!(page))
    );
    let parents: Vec<_> = manifest["pages"]
        .as_array()
        .expect("pages")
        .iter()
        .map(|page| (&page["id"], &page["parent_id"]))
        .collect();
    assert_eq!(
        parents,
        [
            (&json!(page), &Value::Null),
            (&json!(child), &json!(page)),
            (&json!(deep), &json!(child))
        ]
    );
    assert_eq!(json_of(&files, &format!("pages/{deep}.json"))["blocks"][0]["text"], "a/b: what?");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.iter().any(|name| name.ends_with("/_CON/a-b- what-.md")), "{names:?}");
    let everything: Vec<u8> = files.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(!String::from_utf8_lossy(&everything).contains("Secret"));

    let all = exports(&ada, &format!("/api/v1/workspaces/{workspace}/"), json!({ "format": "html" })).await;
    assert_eq!((&all["pages"], &all["left_out"]["not_visible"]), (&json!(4), &json!(0)), "{all}");
    let files = zip(&app, &ada, &all).await;
    assert!(
        files
            .iter()
            .any(|(name, bytes)| name.ends_with("Secret.html") && bytes.starts_with(b"<!doctype html>"))
    );
    // What became invisible later takes the whole bundle along.
    ada.patch(&format!("/api/v1/documents/{deep}/"), &json!({ "default_level": "none" }))
        .await
        .expect(200);
    bob.get(&file(&result)).await.problem(404, "export_not_found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_page_go_along() {
    let app = app(&[]).await;
    let (ada, _, page, _) = app.page("with files").await;
    let path = format!("/api/v1/documents/{page}/");
    let mut picture = Cursor::new(Vec::new());
    image::RgbImage::new(8, 4)
        .write_to(&mut picture, image::ImageFormat::Png)
        .expect("written");
    let picture = picture.into_inner();
    let image = adds(&app, &ada, &page, "a/b?.png", picture.clone()).await.expect(201).id();
    let notes = adds(&app, &ada, &page, "notes.txt", "some notes").await.expect(201).id();
    for (kind, id) in [("image", &image), ("file", &notes)] {
        let block = json!({ "type": kind, "props": { "attachment_id": id, "name": kind } });
        ada.post(&format!("{path}blocks/"), &block).await.expect(201);
    }
    let html = exports(&ada, &path, json!({ "format": "html" })).await;
    let html = fetch(&app, &ada, &html).await.text().await.expect("text");
    assert!(html.contains("<img src=\"data:image/png;base64,"), "{html}");
    let pdf = exports(&ada, &path, json!({ "format": "pdf" })).await;
    assert_eq!(pdf["pictures_left_out"], 0, "{pdf}");

    let bundle = exports(&ada, &path, json!({ "format": "markdown", "subtree": true })).await;
    assert_eq!(
        (&bundle["attachments"], &bundle["left_out"]["missing_files"]),
        (&json!(2), &json!(0)),
        "{bundle}"
    );
    let files = zip(&app, &ada, &bundle).await;
    let manifest = json_of(&files, "sheaf.json");
    let listed = manifest["attachments"].as_array().expect("files");
    let of = |id: &str| listed.iter().find(|file| file["id"] == id).expect("is listed");
    let bytes = |file: &Value| files.iter().find(|(name, _)| *name == file["path"]).expect("is there").1.clone();
    assert_eq!((bytes(of(&image)), bytes(of(&notes))), (picture, b"some notes".to_vec()));
    assert_eq!(
        (&of(&notes)["name"], &of(&notes)["size"], &of(&notes)["document_id"]),
        (&json!("notes.txt"), &json!(10), &json!(page))
    );
    let (_, readable) = files.iter().find(|(name, _)| name.ends_with(".md")).expect("for people");
    let readable = String::from_utf8_lossy(readable);
    assert!(
        readable.contains(&format!("](../attachments/{notes}/notes.txt \"file\")")),
        "{readable}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_too_much_to_typeset_fails_alone() {
    let app = app(&[("export.typeset_mib", "64")]).await;
    let (ada, _, page, _) = app.page("small").await;
    let path = format!("/api/v1/documents/{page}/");
    let blocks: Vec<Value> = (0..8)
        .map(|_| json!({ "type": "paragraph", "text": "word ".repeat(20_000) }))
        .collect();
    for block in blocks {
        ada.post(&format!("{path}blocks/"), &block).await.expect(201);
    }
    let job = asks(&ada, &path, json!({ "format": "pdf" })).await;
    assert_eq!((&job["state"], &job["attempts"]), (&json!("dead"), &json!(1)), "{job}");
    let error = job["error"].as_str().expect("a sentence");
    assert!(error.contains("needs more than 64 MiB"), "{error}");
    exports(&ada, &path, json!({ "format": "html" })).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_more_exports_made_than_they_may() {
    let app = app(&[("export.running", "2"), ("worker.enabled", "false")]).await;
    let (ada, _, page, _) = app.page("text").await;
    let path = format!("/api/v1/documents/{page}/exports/");
    let asked = async || ada.post(&path, &json!({ "format": "json" })).await;
    let first = asked().await.expect(202).id();
    asked().await.expect(202);
    asked().await.problem(429, "too_many_exports_running");
    ada.post(&format!("/api/v1/jobs/{first}/cancel/"), &json!({})).await.expect(200);
    asked().await.expect(202);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_shows_what_its_own_workspace_says_and_ends_with_the_sight_of_that() {
    let app = app(&[]).await;
    let (owner, workspace, source, block) = app.page("shown here").await;
    let ada = app.user("Ada").await;
    owner.adds(&ada, &workspace, "member").await;
    let (other, _, theirs, far) = app.page("far away").await;
    let elsewhere = other.get(&format!("/api/v1/documents/{theirs}/")).await.expect(200).body["workspace_id"].clone();
    other.adds(&ada, elsewhere.as_str().expect("an id"), "member").await;
    let mirror =
        |page: &str, block: &str| json!({ "type": "synced_block", "props": { "source_document_id": page, "source_block_id": block } });
    let page = ada
        .document(&workspace, "Start", json!([mirror(&source, &block), mirror(&theirs, &far)]))
        .await;
    let path = format!("/api/v1/documents/{}/", page["id"].as_str().expect("an id"));
    let result = exports(&ada, &path, json!({ "format": "html" })).await;
    let html = fetch(&app, &ada, &result).await.text().await.expect("text");
    assert!(html.contains("shown here") && !html.contains("far away"), "{html}");
    // Closed to her, it is not hers to fetch any more.
    let closed = json!({ "default_level": "none" });
    owner.patch(&format!("/api/v1/documents/{source}/"), &closed).await.expect(200);
    ada.get(&file(&result)).await.problem(404, "export_not_found");
    app.stop().await;
}
