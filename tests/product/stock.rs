//! RepoClient automerge-repo clients, which nobody here wrote.

use crate::support::{RepoClient, TestApp};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn two_stock_clients_edit_one_page_with_rest_edits_merging_in() {
    let app = TestApp::new().await;
    let (owner, workspace, document, block) = app.page("Hello").await;
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "member").await;
    let mut ada = RepoClient::open(&app.address(0), &document, &owner.token).await;
    let mut grace = RepoClient::open(&app.address(0), &document, &friend.token).await;
    ada.until("event", "ready").await;
    grace.until("event", "ready").await;
    ada.types(&block, 5, ", Grace").await;
    grace.sees(&block, "Hello, Grace").await;
    grace.types(&block, 0, "Oh. ").await;
    ada.sees(&block, "Oh. Hello, Grace").await;
    let path = format!("/api/v1/documents/{document}/blocks/{block}/");
    owner.patch(&path, &json!({ "text": "Oh. Hello, dear Grace" })).await.expect(200);
    ada.sees(&block, "dear Grace").await;
    grace.sees(&block, "dear Grace").await;
    assert_eq!(ada.view().await["blocks"], grace.view().await["blocks"]);
    assert_eq!(owner.texts(&document).await, ["Oh. Hello, dear Grace"]);
    // Presence goes to the other, and not back.
    ada.command(json!({ "cmd": "broadcast", "value": { "cursor": 3 } })).await;
    let heard = grace.until("event", "ephemeral").await;
    assert_eq!(heard["value"], json!({ "cursor": 3 }));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_missing_or_forbidden_is_unavailable_at_once() {
    let app = TestApp::new().await;
    let (owner, _, document, _) = app.page("secret").await;
    let stranger = app.user("stranger").await;
    let missing = "00000000-0000-4000-8000-000000000001";
    for (document, token) in [
        (missing, &owner.token),
        (document.as_str(), &stranger.token),
        (document.as_str(), &"garbage".to_owned()),
    ] {
        let mut client = RepoClient::open(&app.address(0), document, token).await;
        client.until("event", "unavailable").await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_while_the_server_was_down_arrives_after_its_restart() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let app = TestApp::with(&[("server.listen", &address)]).await;
    let (owner, _, document, block) = app.page("Hello").await;
    let mut client = RepoClient::open(&address, &document, &owner.token).await;
    client.until("event", "ready").await;
    client.types(&block, 5, "!").await;
    let mut other = RepoClient::open(&address, &document, &owner.token).await;
    other.until("event", "ready").await;
    other.sees(&block, "Hello!").await;
    let app = app
        .restart_after(async {
            client.until("event", "peer_gone").await;
            client.types(&block, 6, " Still here.").await;
        })
        .await;
    other.sees(&block, "Still here.").await;
    other.types(&block, 0, "Oh. ").await;
    client.sees(&block, "Oh. Hello! Still here.").await;
    assert_eq!(owner.texts(&document).await, ["Oh. Hello! Still here."]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_readers_changes_are_not_applied_until_they_may_write() {
    let app = TestApp::new().await;
    let (owner, workspace, document, block) = app.page("Hello").await;
    let reader = app.user("reader").await;
    owner.adds(&reader, &workspace, "member").await;
    let page = format!("/api/v1/documents/{document}/");
    owner.patch(&page, &json!({ "default_level": "view" })).await.expect(200);
    let mut client = RepoClient::open(&app.address(0), &document, &reader.token).await;
    client.until("event", "ready").await;
    client.types(&block, 0, "not mine ").await;
    // A reader goes on reading live.
    let path = format!("{page}blocks/{block}/");
    owner.patch(&path, &json!({ "text": "Hello, readers" })).await.expect(200);
    client.sees(&block, ", readers").await;
    assert_eq!(owner.texts(&document).await, ["Hello, readers"]);
    reader.patch(&path, &json!({ "text": "x" })).await.problem(403, "forbidden");
    // Lifted again, the client comes back and its edit arrives.
    owner.patch(&page, &json!({ "default_level": "edit" })).await.expect(200);
    let mut witness = RepoClient::open(&app.address(0), &document, &owner.token).await;
    witness.until("event", "ready").await;
    witness.sees(&block, "not mine ").await;
    app.stop().await;
}
