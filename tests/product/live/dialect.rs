//! The enveloped dialect, and clients that send Automerge changes.

use crate::support::{Socket, TestApp};
use automerge::{ActorId, AutoCommit, ROOT, ReadDoc, transaction::Transactable};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_enveloped_client_sends_changes_and_others_get_them() {
    let app = TestApp::new().await;
    let (owner, _, document, block) = app.page("Hello").await;
    let mut other = Socket::page(&app.address(0), &document, &owner.token).await;
    other.say(json!({ "type": "hello", "data": { "client_id": "other" } })).await;
    other.until("snapshot").await;

    let mut socket = Socket::page(&app.address(0), &document, &owner.token).await;
    socket
        .say(json!({ "type": "hello", "data": { "client_id": "me", "want": { "snapshot": "automerge" } } }))
        .await;
    let snapshot = socket.until("snapshot").await;
    let saved = STANDARD
        .decode(snapshot["data"]["automerge"].as_str().expect("a document"))
        .expect("base64");
    let mut doc = AutoCommit::load(&saved).expect("the page").with_actor(ActorId::random());
    let blocks = doc.get(ROOT, "blocks").expect("readable").expect("blocks").1;
    let entry = doc.get(&blocks, block.as_str()).expect("readable").expect("the block").1;
    let text = doc.get(&entry, "text").expect("readable").expect("its text").1;
    for (i, typed) in ["!", "?"].into_iter().enumerate() {
        doc.splice_text(&text, 5 + i, 0, typed).expect("typed");
        let change = doc.get_last_local_change().expect("a change");
        let operation = json!({ "type": "update", "payload": hex::encode(change.raw_bytes()), "client_id": "me" });
        socket
            .say(json!({ "type": "operation", "id": typed, "data": { "operation": operation, "version": 1 } }))
            .await;
        let ack = socket.find("ack", |ack| ack["id"] == typed).await;
        assert_eq!(ack["data"]["version"], 2 + i);
        let told = other.until("operation").await;
        assert_eq!(told["id"], typed);
        assert_eq!(told["data"]["operation"]["payload"], hex::encode(change.raw_bytes()));
    }
    assert_eq!(owner.texts(&document).await, ["Hello!?"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_in_place_by_its_owner_only() {
    let app = TestApp::new().await;
    let (owner, _, document, _) = app.page("Hello").await;
    let stranger = app.user("stranger").await;
    let (mut socket, _) = Socket::join(&app.address(0), &document, &owner.token).await;
    socket.say(json!({ "type": "auth", "token": stranger.token })).await;
    assert_eq!(socket.until("error").await["code"], "unauthenticated");
    socket.say(json!({ "type": "auth", "token": owner.token })).await;
    socket.until("auth_ok").await;
    app.stop().await;
}
