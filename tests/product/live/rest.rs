//! Open sockets and REST show each other's work, and losing a page ends the connection.

use super::{Scene, edit, up_to_now};
use crate::support::{Socket, Stock, socket::Heard};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn rest_and_sockets_show_each_other_at_once() {
    let scene = Scene::new("Hello").await;
    let mut ada = scene.join(&scene.owner).await;
    let mut stock = Stock::on_page(&scene.app.address(0), &scene.document, &scene.owner).await;
    let blocks = format!("{}blocks/", scene.page());
    let body = json!({ "text": "from rest", "type": "todo" });
    let made = scene.owner.post(&blocks, &body).await.expect(201).body["blocks"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let echo = ada.until("op_echo").await;
    assert_eq!((&echo["source"], &echo["user_id"]), (&json!("rest"), &json!(scene.owner.id)));
    assert_eq!(
        (&echo["ops"][0]["op"], &echo["ops"][0]["id"], &echo["ops"][0]["text"]),
        (&json!("block_insert"), &json!(made), &json!("from rest"))
    );
    stock.sees(&made, "from rest").await;
    for round in 0..20 {
        let message = json!({ "type": "insert", "id": format!("r{round}"), "block": scene.block, "pos": 0, "text": "x" });
        assert_eq!(edit(&mut ada, message).await["type"], "ack");
        assert_eq!(
            scene.texts().await[0],
            format!("{}Hello", "x".repeat(round + 1)),
            "what is acknowledged is read"
        );
    }
    stock.types(&made, 0, "<stock>").await;
    ada.find("op_echo", |echo| {
        echo["source"] == "automerge" && echo["ops"][0]["text"] == "<stock>"
    })
    .await;
    assert_eq!(scene.texts().await[1], "<stock>from rest");
    scene.owner.patch(&scene.page(), &json!({ "title": "Renamed" })).await.expect(200);
    let echo = ada.find("op_echo", |echo| echo["source"] == "rest").await;
    assert!(
        echo["ops"]
            .as_array()
            .expect("edits")
            .iter()
            .all(|op| op["block"] == "@title" || op["path"] == "title"),
        "{echo}"
    );
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_is_out_within_a_second_and_writes_no_more() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    let mut theirs = scene.join(&friend).await;
    let mut idle = scene.join(&friend).await;
    let mut owner = scene.join(&scene.owner).await;
    let write = |id: &str, text: &str| json!({ "type": "insert", "id": id, "block": scene.block, "pos": 0, "text": text });
    assert_eq!(edit(&mut theirs, write("before", "<before>")).await["type"], "ack");
    owner.until("op_echo").await;
    scene
        .owner
        .delete(&format!("/api/v1/workspaces/{}/members/{}/", scene.workspace, friend.id))
        .await
        .expect(204);
    let removed = Instant::now();
    theirs.say(write("after", "<after>")).await;
    assert_eq!(idle.closed().await, 4403);
    assert!(removed.elapsed() < Duration::from_secs(1), "it took {:?}", removed.elapsed());
    loop {
        match theirs.hear().await {
            Heard::Json(message) => assert!(message["type"] != "ack" || message["id"] != "after", "{message}"),
            Heard::Closed(code, _) => break assert_eq!(code, 4403),
            end => panic!("waited for the close, but heard {end:?}"),
        }
    }
    assert_eq!(scene.texts().await, ["<before>Hello"]);
    assert!(up_to_now(&mut owner).await.iter().all(|message| message["type"] != "op_echo"));
    let mut again = Socket::page(&scene.app.address(0), &scene.document, &friend.token).await;
    again.say(json!({ "type": "hello" })).await;
    assert_eq!(again.closed().await, 4404);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_the_trash_ends_its_connections() {
    let scene = Scene::new("Hello").await;
    let mut ada = scene.join(&scene.owner).await;
    let mut stock = Stock::on_page(&scene.app.address(0), &scene.document, &scene.owner).await;
    scene.owner.delete(&scene.page()).await.expect(204);
    assert_eq!(ada.closed().await, 4404);
    stock.event("peer_gone").await;
    let mut again = Socket::page(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    again.say(json!({ "type": "hello" })).await;
    assert_eq!(again.closed().await, 4404);
    scene.owner.post(&format!("{}restore/", scene.page()), &json!({})).await.expect(200);
    let mut back = scene.join(&scene.owner).await;
    assert_eq!(
        edit(&mut back, json!({ "type": "insert", "id": "back", "pos": 0, "text": "x" })).await["type"],
        "ack"
    );
    stock.sees(&scene.block, "xHello").await;
    scene.app.stop().await;
}
