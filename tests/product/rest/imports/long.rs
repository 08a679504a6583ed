//! A long text: more than one page should hold, and more operations than anybody types.

use super::{item, reasons, send};
use crate::support::{TestApp, User};
use serde_json::{Value, json};
use std::{
    fmt::Write,
    time::{Duration, Instant},
};

/// How long the import may take where nothing is optimised. It takes some 25 seconds of a quiet machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Markdown of so many bytes, in short paragraphs with formats. Gives how many there are, too.
fn text(bytes: usize) -> (String, usize) {
    let (mut text, mut paragraphs) = (String::from("# The long one\n\n"), 0);
    while text.len() < bytes {
        paragraphs += 1;
        let words = "word ".repeat(30);
        let link = format!("[a link](https://example.com/{paragraphs})");
        write!(text, "Paragraph {paragraphs} with **bold** and {link}, {words}\n\n").expect("written");
    }
    (text, paragraphs)
}

async fn done(who: &User, job: &str) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let body = who.get(job).await.expect(200).body;
        if ["done", "dead", "cancelled"].contains(&body["state"].as_str().expect("a state")) {
            assert_eq!(body["state"], "done", "{body}");
            return who.get(&format!("{job}result/")).await.expect(200).body;
        }
        assert!(Instant::now() < until, "not over: {body}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_megabytes_of_markdown_become_pages_that_hold_all_of_it() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("before").await;
    let (text, paragraphs) = text(5_000_000);
    let asked = send(&app, &owner, (&workspace, "file_name=long.md"), text.into_bytes())
        .await
        .expect(202);
    let report = done(&owner, &format!("/api/v1/jobs/{}/", asked.id())).await;
    assert_eq!(reasons(&report, "long.md"), ["page_split"], "{report:#}");
    let first = item(&report, "long.md")["document_id"].as_str().expect("a page").to_owned();
    let below = owner
        .get(&format!("/api/v1/documents/?workspace_id={workspace}&parent_id={first}"))
        .await;
    let below = below.expect(200).body["data"].as_array().expect("pages").clone();
    let mut ids = vec![first];
    ids.extend(below.iter().map(|page| page["id"].as_str().expect("an id").to_owned()));
    assert!((3..=10).contains(&ids.len()), "{} pages", ids.len());
    let mut seen = 0;
    for id in &ids {
        let page = owner.get(&format!("/api/v1/documents/{id}/")).await.expect(200).body;
        let blocks = page["blocks"].as_array().expect("blocks");
        for block in blocks.iter().filter(|block| block["type"] == "paragraph") {
            seen += 1;
            let begins = format!("Paragraph {seen} with bold and a link, ");
            assert!(block["text"].as_str().is_some_and(|text| text.starts_with(&begins)), "{block}");
            assert_eq!(block["marks"].as_array().map(Vec::len), Some(2), "{block}");
        }
    }
    assert_eq!(seen, paragraphs, "each once, in their order");
    let edit = json!({ "type": "paragraph", "text": "one more" });
    owner
        .post(&format!("/api/v1/documents/{}/blocks/", ids[0]), &edit)
        .await
        .expect(201);
    app.stop().await;
}
