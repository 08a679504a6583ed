//! Who read what not everybody may read stands in the audit log, whichever way they read it.

use crate::support::{Socket, TestApp, User};
use serde_json::json;

/// How often each person read the page, by the audit log.
async fn readings(owner: &User, workspace: &str, document: &str) -> Vec<String> {
    let path = format!("/api/v1/workspaces/{workspace}/audit-log/?type=document.viewed&subject_id={document}");
    let read = owner.get(&path).await.expect(200);
    let entries = read.body["data"].as_array().expect("entries").clone();
    entries
        .iter()
        .map(|entry| entry["user_id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Waits until the relay has been there: until this person's reading is known. Gives how often.
async fn by(reader: &User, owner: &User, workspace: &str, document: &str) -> usize {
    for _ in 0..500 {
        let read = readings(owner, workspace, document).await;
        let count = read.iter().filter(|id| **id == reader.id).count();
        if count > 0 {
            return count;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no reading of {}: {:?}", reader.email, readings(owner, workspace, document).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_a_restricted_page_is_an_entry_and_reading_an_open_one_is_none() {
    let app = TestApp::new().await;
    let (owner, workspace, open, _) = app.page("for all").await;
    let admin = app.user("admin").await;
    owner.adds(&admin, &workspace, "admin").await;
    let page = owner.document(&workspace, "Salaries", json!([])).await;
    let restricted = page["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/documents/{restricted}/");
    owner.patch(&path, &json!({ "default_level": "none" })).await.expect(200);
    let below = json!({ "workspace_id": workspace, "title": "Below", "parent_id": restricted });
    let below = owner.post("/api/v1/documents/", &below).await.expect(201).id();

    admin.get(&path).await.expect(200);
    admin.get(&format!("{path}markdown/")).await.expect(200);
    admin.get(&format!("/api/v1/documents/{open}/")).await.expect(200);
    admin.get(&format!("/api/v1/documents/{below}/")).await.expect(200);
    // Twice read in a while is one reading.
    assert_eq!(by(&admin, &owner, &workspace, &restricted).await, 1);
    assert_eq!(by(&admin, &owner, &workspace, &below).await, 1);
    assert_eq!(readings(&owner, &workspace, &open).await, Vec::<String>::new());

    // Whoever reads what an open page shows of a restricted one has read there.
    let other = owner
        .document(&workspace, "Bonus", json!([{ "id": "b", "type": "paragraph", "text": "much" }]))
        .await;
    let other = other["id"].as_str().expect("an id").to_owned();
    let bonus = format!("/api/v1/documents/{other}/");
    owner.patch(&bonus, &json!({ "default_level": "none" })).await.expect(200);
    let mirror = json!([{ "type": "synced_block", "props": { "source_document_id": other, "source_block_id": "b" } }]);
    let start = owner.document(&workspace, "Start", mirror).await;
    let start = format!("/api/v1/documents/{}/", start["id"].as_str().expect("an id"));
    let shown = admin.get(&start).await.expect(200).body;
    assert_eq!(shown["references"]["sources"][0]["blocks"][0]["text"], "much");
    assert_eq!(by(&admin, &owner, &workspace, &other).await, 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_a_restricted_page_on_a_socket_is_an_entry() {
    let app = TestApp::new().await;
    let (owner, workspace, document, _) = app.page("secret").await;
    let admin = app.user("admin").await;
    owner.adds(&admin, &workspace, "admin").await;
    let path = format!("/api/v1/documents/{document}/");
    owner.patch(&path, &json!({ "default_level": "none" })).await.expect(200);
    let (socket, _) = Socket::join(&app.address(0), &document, &admin.token).await;
    assert_eq!(by(&admin, &owner, &workspace, &document).await, 1);
    socket.close().await;
    app.stop().await;
}
