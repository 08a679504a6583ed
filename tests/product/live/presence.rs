//! Who is here and where.

use super::{Scene, up_to_now};
use crate::support::Socket;
use serde_json::{Value, json};

/// Waits for a presence message in which a client shows up, and gives what it says about that client.
async fn shown(socket: &mut Socket, client: &str) -> Value {
    let about = |message: &Value| {
        message["peers"]
            .as_array()
            .and_then(|peers| peers.iter().find(|peer| peer["client_id"] == client).cloned())
    };
    let message = socket.find("presence", |message| about(message).is_some()).await;
    about(&message).expect("it was there")
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_shows_others_under_their_own_name_until_they_leave() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    let mut ada = scene.hello(json!({ "client_id": "ada" })).await;
    ada.until("snapshot").await;
    let mut grace = Socket::page(&scene.app.address(0), &scene.document, &friend.token).await;
    grace.say(json!({ "type": "hello", "client_id": "grace" })).await;
    grace.until("snapshot").await;
    let forged = json!({ "type": "presence", "cursor": { "block": scene.block, "pos": 2 }, "user_id": scene.owner.id, "client_id": "ada" });
    grace.say(forged).await;
    let seen = shown(&mut ada, "grace").await;
    assert_eq!(seen["user_id"], friend.id);
    assert_eq!(seen["cursor"], json!({ "block": scene.block, "pos": 2 }));
    grace.say(json!({ "type": "typing", "value": true })).await;
    let seen = shown(&mut ada, "grace").await;
    assert_eq!(
        (&seen["typing"], &seen["cursor"]["pos"]),
        (&json!(true), &json!(2)),
        "values are merged"
    );
    grace.say(json!({ "type": "presence", "typing": null })).await;
    assert!(shown(&mut ada, "grace").await.get("typing").is_none_or(Value::is_null));
    let mut late = scene.hello(json!({ "client_id": "late" })).await;
    late.until("snapshot").await;
    let everybody = late.until("presence").await;
    assert_eq!(
        (&everybody["full"], &everybody["peers"][0]["client_id"]),
        (&json!(true), &json!("grace"))
    );
    grace.close().await;
    ada.find("presence", |message| message["left"] == json!(["grace"])).await;
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_is_never_kept_and_may_be_declined() {
    let scene = Scene::new("Hello").await;
    let mut ada = scene.hello(json!({ "client_id": "ada" })).await;
    ada.until("snapshot").await;
    let mut deaf = scene.hello(json!({ "want": { "presence": false } })).await;
    deaf.until("snapshot").await;
    ada.say(json!({ "type": "cursor", "value": 1 })).await;
    shown(&mut ada, "ada").await;
    assert!(up_to_now(&mut deaf).await.is_empty());
    let large = json!({ "type": "presence", "cursor": "x".repeat(20_000) });
    ada.say(large).await;
    assert_eq!(ada.until("error").await["code"], "too_large");
    let scene = Scene {
        app: scene.app.restart().await,
        ..scene
    };
    let mut fresh = Socket::page(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    fresh.say(json!({ "type": "hello" })).await;
    fresh.until("snapshot").await;
    assert!(up_to_now(&mut fresh).await.is_empty());
    scene.app.stop().await;
}
