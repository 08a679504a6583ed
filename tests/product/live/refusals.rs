//! Who is turned away, and with which code.

use super::Scene;
use crate::support::{Socket, socket::Heard};
use serde_json::json;

/// What a JSON client hears when its hello is refused: the reason as an error, then the close.
async fn refused(scene: &Scene, document: &str, token: &str) -> (String, u16) {
    let mut socket = Socket::page(&scene.app.address(0), document, token).await;
    socket.say(json!({ "type": "hello" })).await;
    let Heard::Json(error) = socket.hear().await else {
        panic!("the reason is told before the close")
    };
    assert_eq!((&error["type"], &error["fatal"]), (&json!("error"), &json!(true)), "{error}");
    (error["code"].as_str().expect("a code").to_owned(), socket.closed().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_a_good_token_comes_in() {
    let scene = Scene::new("secret").await;
    for token in ["", "garbage", &scene.owner.refresh] {
        assert_eq!(refused(&scene, &scene.document, token).await, ("unauthenticated".to_owned(), 4401));
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_not_there_and_one_that_is_anothers_look_the_same() {
    let scene = Scene::new("secret").await;
    let stranger = scene.app.user("stranger").await;
    for (document, token) in [
        ("00000000-0000-4000-8000-000000000001", &scene.owner.token),
        ("no-page", &scene.owner.token),
        (scene.document.as_str(), &stranger.token),
    ] {
        assert_eq!(refused(&scene, document, token).await, ("not_found".to_owned(), 4404), "{document}");
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_products_protocols_are_refused_by_name() {
    let scene = Scene::new("Hello").await;
    let address = scene.app.address(0);
    let open = || Socket::page(&address, &scene.document, &scene.owner.token);
    let mut sharedb = open().await;
    sharedb.text(r#"{"a":"hs","id":null}"#).await;
    assert_eq!(sharedb.closed().await, 4406);
    let y_websocket = vec![0, 0, 1, 0];
    let hocuspocus = [&[0x24][..], scene.document.as_bytes(), &[0, 0, 1, 0]].concat();
    for frame in [y_websocket, hocuspocus, b"SU".to_vec()] {
        let mut socket = open().await;
        socket.binary(frame).await;
        assert_eq!(socket.closed().await, 4406);
    }
    let path = format!("/ws/documents/{}?token={}&protocol=yjs", scene.document, scene.owner.token);
    let mut named = Socket::open(&scene.app.address(0), &path, None).await;
    named.say(json!({ "type": "hello" })).await;
    assert_eq!(named.closed().await, 4406);
    for nonsense in ["hello?", "[1]"] {
        let mut socket = open().await;
        socket.text(nonsense).await;
        assert_eq!(socket.closed().await, 4400);
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_frame_beyond_its_limit_is_refused() {
    let scene = Scene::new("Hello").await;
    let long = json!({ "type": "hello", "client_id": "x".repeat(70_000) }).to_string();
    for token in [scene.owner.token.as_str(), "garbage"] {
        let mut socket = Socket::page(&scene.app.address(0), &scene.document, token).await;
        socket.text(&long).await;
        assert_eq!(socket.closed().await, 4413);
    }
    let mut fits = Socket::page(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    let text = "x".repeat(60_000);
    fits.say(json!({ "type": "insert", "id": "long", "pos": 5, "text": text })).await;
    fits.until("ack").await;
    fits.say(json!({ "type": "insert", "id": "longer", "pos": 5, "text": "y".repeat(100_000) }))
        .await;
    fits.find("ack", |ack| ack["id"] == "longer").await;
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_connection_of_the_same_name_takes_the_firsts_place() {
    let scene = Scene::new("Hello").await;
    let mut first = scene.hello(json!({ "client_id": "tab" })).await;
    first.until("snapshot").await;
    let mut second = scene.hello(json!({ "client_id": "tab" })).await;
    second.until("snapshot").await;
    assert_eq!(first.closed().await, 4409);
    scene.app.stop().await;
}
