//! Imports: a Notion export, a long text, what is broken, and what means harm.

mod bundle;
mod hostile;
mod long;
mod notion;

use super::reports::over;
use crate::support::{Answer, TestApp, User};
use serde_json::{Value, json};
use std::io::{Cursor, Write};
use zip::{ZipWriter, write::SimpleFileOptions};

/// A zip of these files.
pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("begins");
        zip.write_all(bytes).expect("writes");
    }
    zip.finish().expect("finishes").into_inner()
}

/// A picture of one red pixel.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

/// Sends a file.
pub async fn send(app: &TestApp, who: &User, (workspace, query): (&str, &str), bytes: Vec<u8>) -> Answer {
    let url = app.url(&format!("/api/v1/workspaces/{workspace}/imports/?{query}"));
    let request = app
        .http
        .post(url)
        .bearer_auth(&who.token)
        .header("content-type", "application/octet-stream");
    let response = request.body(bytes).send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a body");
    Answer {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    }
}

/// Sends a file and waits for the report.
pub async fn import(app: &TestApp, who: &User, to: (&str, &str), bytes: Vec<u8>) -> Value {
    let asked = send(app, who, to, bytes).await.expect(202);
    let job = format!("/api/v1/jobs/{}/", asked.id());
    assert_eq!(asked.headers["location"], job.as_str());
    assert_eq!(over(who, &job).await["state"], "done");
    who.get(&format!("{job}result/")).await.expect(200).body
}

/// The report of one file.
pub fn item<'r>(report: &'r Value, path: &str) -> &'r Value {
    let items = report["items"].as_array().expect("items");
    items
        .iter()
        .find(|item| item["path"] == path)
        .unwrap_or_else(|| panic!("{path} is not in {report:#}"))
}

/// The codes of the reasons of one file.
pub fn reasons(report: &Value, path: &str) -> Vec<String> {
    let reasons = item(report, path)["reasons"].as_array().expect("reasons").iter();
    reasons.map(|reason| reason["code"].as_str().expect("a code").to_owned()).collect()
}

async fn page(who: &User, report: &Value, path: &str) -> Value {
    let id = item(report, path)["document_id"].as_str().expect("a page");
    who.get(&format!("/api/v1/documents/{id}/")).await.expect(200).body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_markdown_file_becomes_one_page() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("before").await;
    let mut text = String::from("# The long one\n\n");
    let mut chapter = 0;
    while text.len() < 1 << 20 {
        chapter += 1;
        text += &format!("## Chapter {chapter}\n\n");
        for line in 0..20 {
            text += &format!(
                "Paragraph {line} of chapter {chapter} with **bold** and [a link](https://example.com/{chapter}), {}\n\n",
                "word ".repeat(200)
            );
        }
        text += "- one\n- two\n  - three\n\n```rust\nfn main() {}\n```\n\n";
    }
    let report = import(&app, &owner, (&workspace, "file_name=long.md"), text.into_bytes()).await;
    assert_eq!(report["counts"]["imported"], 1, "{report:#}");
    let page = page(&owner, &report, "long.md").await;
    assert_eq!(page["title"], "The long one");
    let blocks = page["blocks"].as_array().expect("blocks");
    assert!(blocks.len() > 1_000, "{}", blocks.len());
    let last = format!("Chapter {chapter}");
    assert!(blocks.iter().any(|block| block["text"] == json!(last)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn html_is_cleaned_and_a_table_is_a_table() {
    let app = TestApp::new().await;
    let (owner, workspace, parent, _) = app.page("before").await;
    let html = "<html><head><title>From the web</title></head><body onload=evil()><p>Hello <b>you</b><script>evil()</script></p>\
        <a href='javascript:evil()'>click</a><ul><li>one<ul><li>two</li></ul></li></ul></body></html>";
    let query = format!("parent_id={parent}&file_name=web.html");
    let report = import(&app, &owner, (&workspace, &query), html.as_bytes().to_vec()).await;
    let web = page(&owner, &report, "web.html").await;
    assert_eq!((&web["title"], &web["parent_id"]), (&json!("From the web"), &json!(parent)));
    assert!(!web.to_string().contains("evil"));
    assert_eq!(reasons(&report, "web.html"), ["script_removed"]);
    assert_eq!(web["blocks"][0]["marks"][0]["name"], "bold");
    assert_eq!(web["blocks"][2]["children"][0]["text"], "two");

    let csv = "Name;Price\n\"=HYPERLINK(\"\"x\"\")\";1,50\nB\u{e9}b\u{e9};2\n";
    let latin: Vec<u8> = csv.chars().map(|c| u8::try_from(u32::from(c)).expect("latin")).collect();
    let report = import(&app, &owner, (&workspace, "file_name=prices.csv"), latin).await;
    assert_eq!(reasons(&report, "prices.csv"), ["encoding_guessed"]);
    let table = &page(&owner, &report, "prices.csv").await["blocks"][0];
    assert_eq!(table["type"], "table");
    assert_eq!(table["children"][1]["props"]["cells"], json!(["=HYPERLINK(\"x\")", "1,50"]));
    assert_eq!(table["children"][2]["props"]["cells"], json!(["Bébé", "2"]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zip_of_folders_is_a_tree_of_pages_with_their_pictures() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("before").await;
    let files: &[(&str, &[u8])] = &[
        (
            "notes/README.md",
            b"# All notes\n\n[First](a.md) and [gone](nowhere.md)\n\n![pixel](img/pixel.png)\n",
        ),
        ("notes/a.md", b"Back to [all](README.md)\n"),
        ("notes/img/pixel.png", PNG),
        ("notes/img/unused.png", PNG),
        ("notes/deep/b.html", b"<p>b</p>"),
    ];
    let report = import(&app, &owner, (&workspace, ""), zip(files)).await;
    assert_eq!(report["format"], "zip");
    let readme = page(&owner, &report, "notes/README.md").await;
    let a = page(&owner, &report, "notes/a.md").await;
    assert_eq!(readme["title"], "All notes");
    assert_eq!(a["parent_id"], readme["id"]);
    let links = readme["blocks"][0]["marks"].as_array().expect("marks");
    assert_eq!(links[0]["value"], format!("/documents/{}", a["id"].as_str().expect("an id")));
    assert_eq!(links.len(), 1);
    assert_eq!(reasons(&report, "notes/README.md"), ["link_broken"]);
    assert_eq!(reasons(&report, "notes/img/unused.png"), ["unused"]);
    let image = &readme["blocks"][1];
    let file = image["props"]["attachment_id"].as_str().expect("a file");
    let content = app.url(&format!("/api/v1/attachments/{file}/content/"));
    let bytes = app
        .http
        .get(content)
        .bearer_auth(&owner.token)
        .send()
        .await
        .expect("an answer")
        .bytes()
        .await
        .expect("bytes");
    assert_eq!(bytes, PNG);
    assert_eq!(page(&owner, &report, "notes/deep").await["title"], "deep");
    app.stop().await;
}
