//! The beginning of a JSON conversation, and what never ends it.

use super::{Scene, edit, up_to_now};
use crate::support::{Socket, TestApp, socket::Heard};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_is_answered_with_who_one_is_and_the_whole_page() {
    let scene = Scene::new("Hello").await;
    let mut socket = scene.hello(json!({ "client_id": "ada" })).await;
    let ack = socket.until("hello_ack").await;
    assert_eq!(ack["client_id"], "ada");
    assert_eq!(ack["permission"], "admin");
    assert!(ack["session_id"].as_str().is_some_and(|id| !id.is_empty()));
    assert!(
        ack["token_exp"].as_i64().is_some_and(|at| at * 1000 > kernel::clock::now_ms()),
        "{ack}"
    );
    assert!(ack.get("replay_from").is_none() && ack.get("resync").is_none(), "{ack}");
    for limit in ["max_frame", "max_ops", "ops_per_s", "presence_hz", "window", "block_text_bytes"] {
        assert!(ack["limits"][limit].as_i64().is_some_and(|n| n > 0), "{limit} in {ack}");
    }
    let snapshot = socket.until("snapshot").await;
    let rest = scene.owner.get(&scene.page()).await.expect(200).body;
    assert_eq!(snapshot["reason"], "initial");
    assert_eq!(snapshot["server_seq"], ack["server_seq"]);
    assert_eq!(snapshot["epoch"], ack["epoch"]);
    assert_eq!(snapshot["heads"], rest["heads"]);
    assert_eq!(snapshot["doc"]["title"], "Notes");
    let block = &snapshot["doc"]["blocks"][0];
    assert_eq!(
        (&block["id"], &block["type"], &block["text"]),
        (&json!(scene.block), &json!("paragraph"), &json!("Hello"))
    );
    assert_eq!(
        (&block["parent"], &block["marks"], &block["props"]),
        (&json!(""), &json!([]), &json!({}))
    );
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_told_what_they_may_do() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    for (level, told) in [("edit", "write"), ("comment", "comment"), ("view", "read")] {
        scene
            .owner
            .patch(&scene.page(), &json!({ "default_level": level }))
            .await
            .expect(200);
        let mut socket = Socket::page(&scene.app.address(0), &scene.document, &friend.token).await;
        socket.say(json!({ "type": "hello" })).await;
        assert_eq!(socket.until("hello_ack").await["permission"], told);
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_frame_that_is_an_edit_implies_the_hello() {
    let scene = Scene::new("Hello").await;
    let mut socket = Socket::page(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    socket
        .say(json!({ "type": "insert", "id": "first", "pos": 5, "text": " world" }))
        .await;
    socket.until("hello_ack").await;
    assert_eq!(socket.until("snapshot").await["doc"]["blocks"][0]["text"], "Hello");
    let echo = socket.until("op_echo").await;
    assert_eq!(
        echo["ops"],
        json!([{ "op": "insert", "block": scene.block, "pos": 5, "text": " world" }])
    );
    assert_eq!(scene.texts().await, ["Hello world"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_is_let_in_as_a_listener() {
    let scene = Scene::of(TestApp::with(&[("collab.listen_secs", "1")]).await, "Hello").await;
    let mut silent = Socket::page(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    silent.until("hello_ack").await;
    assert_eq!(silent.until("snapshot").await["doc"]["blocks"][0]["text"], "Hello");
    let mut other = scene.join(&scene.owner).await;
    edit(&mut other, json!({ "type": "insert", "id": "a", "pos": 0, "text": "Oh, " })).await;
    assert_eq!(silent.until("op_echo").await["ops"][0]["text"], "Oh, ");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_chooses_what_it_is_sent() {
    let scene = Scene::new("Hello").await;
    let mut quiet = scene.hello(json!({ "want": { "snapshot": "none", "echo": false } })).await;
    let heard = up_to_now(&mut quiet).await;
    assert_eq!(
        heard.iter().map(|m| m["type"].as_str().unwrap_or_default()).collect::<Vec<_>>(),
        ["hello_ack"]
    );
    let mut changes = scene.hello(json!({ "want": { "changes": true } })).await;
    changes.until("snapshot").await;
    assert_eq!(
        edit(&mut quiet, json!({ "type": "insert", "id": "q", "pos": 0, "text": "x" })).await["type"],
        "ack"
    );
    let told = changes.until("op_echo").await;
    assert!(told["changes"].as_str().is_some_and(|changes| !changes.is_empty()), "{told}");
    assert!(up_to_now(&mut quiet).await.iter().all(|m| m["type"] != "op_echo"));
    quiet.say(json!({ "type": "resync" })).await;
    let snapshot = quiet.until("snapshot").await;
    assert_eq!(
        (&snapshot["reason"], &snapshot["doc"]["blocks"][0]["text"]),
        (&json!("requested"), &json!("xHello"))
    );
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_answered_with_what_it_carried() {
    let scene = Scene::new("Hello").await;
    let mut socket = scene.join(&scene.owner).await;
    socket.say(json!({ "type": "ping", "t": 12345 })).await;
    assert_eq!(socket.until("pong").await, json!({ "type": "pong", "t": 12345 }));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_told_and_leave_the_connection_open() {
    let scene = Scene::new("Hello").await;
    let mut socket = scene.join(&scene.owner).await;
    let block = &scene.block;
    edit(
        &mut socket,
        json!({ "type": "op", "id": "child", "ops": [{ "op": "block_insert", "id": "below", "parent": block }] }),
    )
    .await;
    let cases = [
        (json!({ "type": "dance", "id": "1" }), "unknown_type"),
        (json!({ "type": "insert", "id": "2", "pos": "zero" }), "invalid_op"),
        (json!({ "type": "op", "id": "3", "ops": [{ "op": "explode" }] }), "invalid_op"),
        (
            json!({ "type": "insert", "id": "4", "block": block, "pos": 6, "text": "x" }),
            "position_out_of_range",
        ),
        (
            json!({ "type": "delete", "id": "5", "block": block, "pos": 3, "len": 9 }),
            "position_out_of_range",
        ),
        (
            json!({ "type": "insert", "id": "6", "block": "nowhere", "pos": 0, "text": "x" }),
            "block_not_found",
        ),
        (
            json!({ "type": "op", "id": "7", "ops": [{ "op": "block_move", "id": block, "parent": "below" }] }),
            "cycle",
        ),
        (
            json!({ "type": "op", "id": "8", "ops": [{ "op": "block_insert", "id": "below" }] }),
            "id_taken",
        ),
        (
            json!({ "type": "insert", "id": "9", "base": 999, "block": block, "pos": 0, "text": "x" }),
            "base_unknown",
        ),
    ];
    for (message, code) in cases {
        let error = edit(&mut socket, message.clone()).await;
        assert_eq!(
            (&error["type"], &error["code"]),
            (&json!("error"), &json!(code)),
            "{message} got {error}"
        );
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()));
        if code == "position_out_of_range" {
            assert!(
                error["message"].as_str().is_some_and(|text| text.contains('5')),
                "the length is told: {error}"
            );
        }
    }
    for broken in ["{", "[]", "7", "{\"id\":\"x\"}"] {
        socket.text(broken).await;
        assert_eq!(socket.until("error").await["code"], "bad_frame");
    }
    let ack = edit(
        &mut socket,
        json!({ "type": "insert", "id": "fine", "block": block, "pos": 5, "text": "!" }),
    )
    .await;
    assert_eq!(ack["type"], "ack");
    assert_eq!(scene.texts().await, ["Hello!"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_may_listen_and_not_write() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    scene
        .owner
        .patch(&scene.page(), &json!({ "default_level": "view" }))
        .await
        .expect(200);
    let mut reader = scene.join(&friend).await;
    let write = |id: &str| json!({ "type": "insert", "id": id, "pos": 0, "text": "no" });
    assert_eq!(edit(&mut reader, write("1")).await["code"], "read_only");
    let mut owner = scene.join(&scene.owner).await;
    edit(&mut owner, json!({ "type": "insert", "id": "o", "pos": 5, "text": "!" })).await;
    assert_eq!(reader.until("op_echo").await["ops"][0]["text"], "!");
    scene
        .owner
        .patch(&scene.page(), &json!({ "default_level": "edit" }))
        .await
        .expect(200);
    assert_eq!(reader.until("permission").await["permission"], "write");
    assert_eq!(edit(&mut reader, write("2")).await["type"], "ack");
    scene
        .owner
        .patch(&scene.page(), &json!({ "default_level": "view" }))
        .await
        .expect(200);
    assert_eq!(edit(&mut reader, write("3")).await["code"], "read_only");
    assert_eq!(scene.texts().await, ["noHello!"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_in_place_and_only_by_the_same_person() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    let mut socket = scene.join(&scene.owner).await;
    let fresh = scene
        .owner
        .post("/api/v1/auth/token/refresh/", &json!({ "refresh_token": scene.owner.refresh }))
        .await
        .expect(200);
    socket.say(json!({ "type": "auth", "token": fresh.body["access_token"] })).await;
    assert!(
        socket.until("auth_ok").await["exp"]
            .as_i64()
            .is_some_and(|at| at * 1000 > kernel::clock::now_ms())
    );
    for token in ["garbage", friend.token.as_str()] {
        socket.say(json!({ "type": "auth", "token": token })).await;
        assert_eq!(socket.until("error").await["code"], "unauthenticated");
    }
    assert_eq!(
        edit(&mut socket, json!({ "type": "insert", "id": "a", "pos": 0, "text": "x" })).await["type"],
        "ack"
    );
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_come_in_the_hello_and_the_page_in_the_first_message() {
    let scene = Scene::new("Hello").await;
    for path in ["/ws", "/collab"] {
        let mut socket = Socket::open(&scene.app.address(0), path, None).await;
        socket
            .say(json!({ "type": "hello", "token": scene.owner.token, "document_id": scene.document }))
            .await;
        socket.until("hello_ack").await;
        assert_eq!(socket.until("snapshot").await["doc"]["blocks"][0]["text"], "Hello");
        assert!(!matches!(up_to_now(&mut socket).await.first(), Some(other) if other["type"] == "error"));
        socket.close().await;
    }
    let mut nobody = Socket::open(&scene.app.address(0), "/ws", None).await;
    nobody.say(json!({ "type": "hello", "document_id": scene.document })).await;
    let Heard::Json(error) = nobody.hear().await else {
        panic!("the reason is told first")
    };
    assert_eq!((&error["code"], &error["fatal"]), (&json!("unauthenticated"), &json!(true)));
    assert_eq!(nobody.closed().await, 4401);
    scene.app.stop().await;
}
