//! Coming back: nothing missing, nothing twice.

use super::say;
use crate::support::{Socket, TestApp};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_acknowledged_and_not_applied_also_after_a_restart() {
    let app = TestApp::new().await;
    let (owner, _, document, block) = app.page("").await;
    let edit = json!({ "type": "insert", "block": block, "pos": 0, "text": "once" });
    let (mut ada, _) = Socket::join(&app.address(0), &document, &owner.token).await;
    let first = say(&mut ada, edit.clone(), "same").await;
    assert_eq!(say(&mut ada, edit.clone(), "same").await["duplicate"], true);
    ada.close().await;
    let app = app.restart().await;
    let (mut ada, _) = Socket::join(&app.address(0), &document, &owner.token).await;
    let again = say(&mut ada, edit, "same").await;
    assert_eq!((&again["duplicate"], &again["server_seq"]), (&json!(true), &first["server_seq"]));
    assert_eq!(owner.at(&app.address(0)).texts(&document).await, ["once"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_gets_what_was_missed_in_order() {
    let app = TestApp::new().await;
    let (owner, _, document, block) = app.page("").await;
    let (mut ada, snapshot) = Socket::join(&app.address(0), &document, &owner.token).await;
    let (seen, epoch) = (snapshot["server_seq"].as_i64().expect("a number"), snapshot["epoch"].clone());
    for n in 0..5 {
        say(
            &mut ada,
            json!({ "type": "insert", "block": block, "pos": 0, "text": n.to_string() }),
            &format!("{n}"),
        )
        .await;
    }
    let mut back = Socket::page(&app.address(0), &document, &owner.token).await;
    back.say(json!({ "type": "hello", "last_seen_server_seq": seen + 2, "epoch": epoch }))
        .await;
    assert_eq!(back.until("hello_ack").await["replay_from"], seen + 2);
    for next in [seen + 3, seen + 4, seen + 5] {
        back.find("op_echo", |echo| echo["server_seq"] == next).await;
    }
    say(
        &mut ada,
        json!({ "type": "insert", "block": block, "pos": 0, "text": "live" }),
        "live",
    )
    .await;
    assert_eq!(back.until("op_echo").await["server_seq"], seen + 6);
    // After a restart the echoes are gone, and the difference is told as one.
    let app = app.restart().await;
    let mut again = Socket::page(&app.address(0), &document, &owner.token).await;
    again
        .say(json!({ "type": "hello", "last_seen_server_seq": seen + 2, "epoch": epoch }))
        .await;
    let echo = again.until("op_echo").await;
    assert_eq!(
        (echo["from_seq"].as_i64(), echo["server_seq"].as_i64()),
        (Some(seen + 2), Some(seen + 6))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_caught_up_gets_the_page_whole() {
    let app = TestApp::new().await;
    let (owner, _, document, _) = app.page("Hello").await;
    let other_epoch = "00000000-0000-4000-8000-000000000000";
    for hello in [
        json!({ "type": "hello", "last_seen_server_seq": 99 }),
        json!({ "type": "hello", "last_seen_server_seq": 1, "epoch": other_epoch }),
    ] {
        let mut socket = Socket::page(&app.address(0), &document, &owner.token).await;
        socket.say(hello).await;
        assert_eq!(socket.until("hello_ack").await["resync"], true);
        assert_eq!(socket.until("resync").await["doc"]["blocks"][0]["text"], "Hello");
    }
    app.stop().await;
}
