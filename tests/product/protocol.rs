//! The JSON protocol as a client without any library speaks it.

mod dialects;
mod resume;

use crate::support::{Socket, TestApp, socket::Heard};
use serde_json::{Value, json};

/// Says something with an id and waits until it is acknowledged.
async fn say(socket: &mut Socket, mut message: Value, id: &str) -> Value {
    message["id"] = json!(id);
    socket.say(message).await;
    socket.find("ack", |ack| ack["id"] == id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_and_nothing_else_edits_a_page() {
    let app = TestApp::new().await;
    let owner = app.user("owner").await;
    let workspace = owner.post("/api/v1/workspaces/", &json!({ "name": "W" })).await.expect(201).id();
    let document = crate::support::app::id_of(&owner.document(&workspace, "Empty", json!([])).await);
    let mut socket = Socket::page(&app.address(0), &document, &owner.token).await;
    socket.text(r#"{"type":"insert","pos":0,"text":"Hello"}"#).await;
    let ack = socket.until("hello_ack").await;
    assert_eq!((ack["permission"].as_str(), ack["server_seq"].as_i64()), (Some("admin"), Some(1)));
    socket.until("snapshot").await;
    assert_eq!(socket.until("op_echo").await["server_seq"], 2);
    assert_eq!(owner.texts(&document).await, ["Hello"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_listener_is_shown_the_page() {
    let app = TestApp::with(&[("collab.listen_secs", "1")]).await;
    let (owner, _, document, _) = app.page("Hello").await;
    let mut socket = Socket::page(&app.address(0), &document, &owner.token).await;
    socket.until("hello_ack").await;
    assert_eq!(socket.until("snapshot").await["doc"]["blocks"][0]["text"], "Hello");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_against_an_old_base_keeps_its_intention() {
    let app = TestApp::new().await;
    let (owner, _, document, block) = app.page("Hello world").await;
    let (mut ada, _) = Socket::join(&app.address(0), &document, &owner.token).await;
    let insert = |pos: usize, text: &str| json!({ "type": "insert", "block": block, "pos": pos, "text": text, "base": 1 });
    say(&mut ada, insert(0, "Oh, "), "1").await;
    say(&mut ada, insert(11, "!"), "2").await;
    say(&mut ada, insert(5, " dear"), "3").await;
    assert_eq!(owner.texts(&document).await, ["Oh, Hello dear world!"]);
    // A range that was deleted where it was seen takes nothing along that came into it meanwhile.
    say(
        &mut ada,
        json!({ "type": "delete", "block": block, "pos": 0, "len": 11, "base": 1 }),
        "4",
    )
    .await;
    assert_eq!(owner.texts(&document).await, ["Oh,  dear!"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_without_a_block_count_in_the_pages_plain_text() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("").await;
    let blocks = json!([{ "text": "one" }, { "text": "two" }]);
    let document = crate::support::app::id_of(&owner.document(&workspace, "Plain", blocks).await);
    let (mut ada, _) = Socket::join(&app.address(0), &document, &owner.token).await;
    say(&mut ada, json!({ "type": "insert", "pos": 4, "text": ">" }), "1").await;
    assert_eq!(owner.texts(&document).await, ["one", ">two"]);
    say(&mut ada, json!({ "type": "replace", "pos": 0, "len": 3, "text": "ONE" }), "2").await;
    say(
        &mut ada,
        json!({ "type": "format", "pos": 0, "len": 6, "name": "bold", "value": true }),
        "3",
    )
    .await;
    say(&mut ada, json!({ "type": "delete", "pos": 2, "len": 3 }), "4").await;
    assert_eq!(owner.texts(&document).await, ["ONtwo"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_all_or_nothing_and_errors_leave_the_socket_open() {
    let app = TestApp::new().await;
    let (owner, _, document, block) = app.page("Hello").await;
    let (mut ada, _) = Socket::join(&app.address(0), &document, &owner.token).await;
    let ops = json!([{ "op": "insert", "block": block, "pos": 0, "text": "x" }, { "op": "block_delete", "id": "none" }]);
    let bad = [
        (json!({ "type": "op", "id": "e", "ops": ops }), "block_not_found"),
        (
            json!({ "type": "insert", "id": "e", "block": block, "pos": 99, "text": "x" }),
            "position_out_of_range",
        ),
        (
            json!({ "type": "op", "id": "e", "ops": [{ "op": "block_move", "id": block, "parent": block }] }),
            "cycle",
        ),
        (json!({ "type": "op", "id": "e", "ops": [{ "op": "fly" }] }), "invalid_op"),
        (
            json!({ "type": "insert", "id": "e", "block": block, "pos": 0, "text": "x", "base": 99 }),
            "base_unknown",
        ),
        (json!({ "type": "nonsense", "id": "e" }), "unknown_type"),
    ];
    for (message, code) in bad {
        ada.say(message).await;
        let error = ada.until("error").await;
        assert_eq!((error["code"].as_str(), error["id"].as_str()), (Some(code), Some("e")), "{error}");
    }
    ada.say(json!({ "type": "ping", "t": 7 })).await;
    assert_eq!(ada.until("pong").await["t"], 7);
    assert_eq!(owner.texts(&document).await, ["Hello"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_in_is_told_in_the_protocol() {
    let app = TestApp::new().await;
    let (owner, _, document, _) = app.page("secret").await;
    let stranger = app.user("stranger").await;
    for (token, code) in [("garbage", 4401), (stranger.token.as_str(), 4404)] {
        let mut socket = Socket::page(&app.address(0), &document, token).await;
        socket.say(json!({ "type": "hello" })).await;
        let Heard::Json(error) = socket.hear().await else {
            panic!("no error came")
        };
        assert_eq!(error["type"], "error");
        assert!(!error.to_string().contains("secret"));
        assert_eq!(socket.closed().await, code);
    }
    for first in [json!({ "a": "hs", "id": null }).to_string()] {
        let mut socket = Socket::page(&app.address(0), &document, &owner.token).await;
        socket.text(&first).await;
        assert_eq!(socket.closed().await, 4406);
    }
    let mut yjs = Socket::page(&app.address(0), &document, &owner.token).await;
    yjs.binary(vec![0, 0, 1, 0]).await;
    assert_eq!(yjs.closed().await, 4406);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_that_is_lost_ends_the_connection_and_nothing_is_taken_after() {
    let app = TestApp::new().await;
    let (owner, workspace, document, block) = app.page("Hello").await;
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "member").await;
    let (mut grace, _) = Socket::join(&app.address(0), &document, &friend.token).await;
    owner
        .delete(&format!("/api/v1/workspaces/{workspace}/members/{}/", friend.id))
        .await
        .expect(204);
    grace
        .say(json!({ "type": "insert", "block": block, "pos": 0, "text": "too late ", "id": "late" }))
        .await;
    assert_eq!(grace.closed().await, 4403);
    assert_eq!(owner.texts(&document).await, ["Hello"]);
    let (mut ada, _) = Socket::join(&app.address(0), &document, &owner.token).await;
    owner.delete(&format!("/api/v1/documents/{document}/")).await.expect(204);
    assert_eq!(ada.closed().await, 4404);
    app.stop().await;
}
