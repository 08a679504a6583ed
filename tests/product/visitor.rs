//! The visitor's way: sign up, make a workspace, write a page together.

use crate::support::{Socket, TestApp};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_writes_a_page_with_somebody_else() {
    let app = TestApp::new().await;
    let (owner, workspace, document, block) = app.page("Hello").await;
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "member").await;

    let (mut ada, _) = Socket::join(&app.address(0), &document, &owner.token).await;
    let (mut grace, snapshot) = Socket::join(&app.address(0), &document, &friend.token).await;
    assert_eq!(snapshot["doc"]["blocks"][0]["text"], "Hello");

    ada.say(json!({ "type": "insert", "block": block, "pos": 5, "text": ", world" }))
        .await;
    let echo = grace.until("op_echo").await;
    assert_eq!(
        echo["ops"][0],
        json!({ "op": "insert", "block": block, "pos": 5, "text": ", world" })
    );

    let path = format!("/api/v1/documents/{document}/blocks/{block}/");
    friend.patch(&path, &json!({ "text": "Hello, wide world" })).await.expect(200);
    ada.find("op_echo", |echo| echo["source"] == "rest").await;
    assert_eq!(owner.texts(&document).await, ["Hello, wide world"]);
    app.stop().await;
}
