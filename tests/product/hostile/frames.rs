//! Attacks by frames: too large, malformed, too deep, too many, never read.

use super::{Scene, bytes};
use crate::support::{Socket, User};
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_make_no_sense_close_the_connection() {
    let scene = Scene::new().await;
    for garbage in [
        &[0xff_u8; 64][..],
        &[0xa1, 0x7f][..],
        &[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..],
        &[0x9f; 5_000][..],
    ] {
        let mut socket = scene.attack(None).await;
        socket.binary(garbage.to_vec()).await;
        assert!((4400..4500).contains(&socket.closed().await));
    }
    for text in ["", "{", "[]", "null", "42", &"[".repeat(60_000), "{\"type\":1}", "\u{0}"] {
        let mut socket = scene.attack(None).await;
        socket.text(text).await;
        socket.say(json!({ "a": "hs" })).await;
        assert!((4400..4500).contains(&socket.closed().await), "{}", &text[..text.len().min(20)]);
    }
    scene.stands().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nesting_in_every_format_is_bounded() {
    let scene = Scene::new().await;
    let (mut socket, _) = Socket::join(&scene.app.address(0), &scene.document, &scene.attacker.token).await;
    socket
        .text(&format!(
            "{{\"type\":\"presence\",\"cursor\":{}1{}}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        ))
        .await;
    socket.until("error").await;
    let deep = (0..100).fold(
        json!({ "type": "paragraph" }),
        |block, _| json!({ "type": "paragraph", "children": [block] }),
    );
    socket
        .say(json!({ "type": "op", "id": "deep", "ops": [{ "op": "block_insert", "type": "paragraph", "children": [deep] }] }))
        .await;
    let error = socket.until("error").await;
    assert!(
        ["too_large", "invalid_op", "bad_frame"].contains(&error["code"].as_str().expect("a code")),
        "{error}"
    );
    let mut repo = scene.attack(None).await;
    repo.binary(bytes::cbor(&[("type", "join"), ("senderId", "evil")], None)).await;
    let mut nested = vec![0xa2, 0x64, b't', b'y', b'p', b'e', 0x64, b's', b'y', b'n', b'c', 0x61, b'x'];
    nested.extend(vec![0x81; 60_000]);
    repo.binary(nested).await;
    repo.binary(bytes::cbor(&[("type", "leave"), ("senderId", "evil")], None)).await;
    socket.close().await;
    scene.stands().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_above_the_limit_close_the_connection() {
    let scene = Scene::new().await;
    let mut early = scene.attack(None).await;
    early
        .text(&format!("{{\"type\":\"hello\",\"x\":\"{}\"}}", "x".repeat(70_000)))
        .await;
    assert_eq!(early.closed().await, 4413);
    let (mut late, _) = Socket::join(&scene.app.address(0), &scene.document, &scene.attacker.token).await;
    late.text(&"x".repeat(1_100_000)).await;
    assert_eq!(late.closed().await, 4413);
    scene.stands().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_told_to_slow_down_and_hurts_nobody_else() {
    let scene = Scene::new().await;
    let (mut honest, _) = Socket::join(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    let (mut flood, _) = Socket::join(&scene.app.address(0), &scene.document, &scene.attacker.token).await;
    for i in 0..1_500 {
        flood
            .say(json!({ "type": "insert", "block": scene.block, "pos": 0, "text": "f", "id": format!("f{i}") }))
            .await;
    }
    flood.find("error", |error| error["code"] == "rate_limited").await;
    honest
        .say(json!({ "type": "insert", "block": scene.block, "pos": 0, "text": "h", "id": "through" }))
        .await;
    honest.find("ack", |ack| ack["id"] == "through").await;
    flood.close().await;
    honest.close().await;
    scene.stands().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_speaks_with_anothers_name() {
    let scene = Scene::new().await;
    let (mut owner, _) = Socket::join(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    let (mut attacker, _) = Socket::join(&scene.app.address(0), &scene.document, &scene.attacker.token).await;
    attacker
        .say(json!({ "type": "presence", "user_id": scene.owner.id, "client_id": "owner", "cursor": { "block": "b", "pos": 1 } }))
        .await;
    let presence = owner.until("presence").await;
    assert_eq!(presence["peers"][0]["user_id"], scene.attacker.id);
    assert_ne!(presence["peers"][0]["client_id"], "owner");
    scene.stands().await;
}

/// Opens the socket by hand and sends bytes that are no WebSocket frames.
async fn raw_bytes(scene: &Scene, garbage: &[u8]) {
    let mut stream = TcpStream::connect(scene.app.address(0)).await.expect("it listens");
    let request = format!(
        "GET /ws/documents/{}?token={} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        scene.document, scene.attacker.token
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = [0; 1_024];
    let read = stream.read(&mut answer).await.expect("an answer");
    assert!(answer[..read].starts_with(b"HTTP/1.1 101"));
    drop(stream.write_all(garbage).await);
    // Whatever it answers, it ends the connection.
    let mut rest = Vec::new();
    drop(
        tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut rest))
            .await
            .expect("the connection ends"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_websocket_frames_end_the_connection() {
    let scene = Scene::new().await;
    let unmasked = [0x81, 0x02, b'h', b'i'];
    let reserved_opcode = [0x83, 0x80, 0, 0, 0, 0];
    let four_gigabytes = [0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4];
    let bad_utf8 = [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe];
    let bad_close = [0x88, 0x81, 0, 0, 0, 0, 1];
    for garbage in [&unmasked[..], &reserved_opcode, &four_gigabytes, &bad_utf8, &bad_close] {
        raw_bytes(&scene, garbage).await;
    }
    scene.stands().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_holds_nobody_up() {
    let scene = Scene::new().await;
    let (deaf, _) = Socket::join(&scene.app.address(0), &scene.document, &scene.attacker.token).await;
    let (mut honest, _) = Socket::join(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    for i in 0..60 {
        honest
            .say(json!({ "type": "insert", "block": scene.block, "pos": 0, "text": "t".repeat(3_000), "id": format!("{i}") }))
            .await;
        honest.find("ack", |ack| ack["id"] == format!("{i}")).await;
    }
    User::nobody(&scene.app).get("/health").await.expect(200);
    drop(deaf);
    honest.close().await;
    scene.stands().await;
}
