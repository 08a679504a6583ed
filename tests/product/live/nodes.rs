//! Two nodes on one PostgreSQL and Redis: clients on different nodes see each other.

use crate::support::{Socket, Stock, TestApp};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn clients_on_different_nodes_see_each_other() {
    let app = TestApp::cluster(2).await;
    let (owner, workspace, document, block) = app.page("Hello").await;
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "member").await;
    let (mut ada, _) = Socket::join(&app.address(0), &document, &owner.token).await;
    let (mut grace, _) = Socket::join(&app.address(1), &document, &friend.token).await;
    ada.say(json!({ "type": "insert", "block": block, "pos": 5, "text": " from one", "id": "a" }))
        .await;
    ada.find("ack", |ack| ack["id"] == "a").await;
    let echo = grace.until("op_echo").await;
    assert_eq!(echo["ops"][0]["text"], " from one");
    // Acknowledged on one node means readable on the other.
    assert_eq!(owner.at(&app.address(1)).texts(&document).await, ["Hello from one"]);
    grace
        .say(json!({ "type": "presence", "cursor": { "block": block, "pos": 2 } }))
        .await;
    let presence = ada.find("presence", |p| p["peers"][0]["cursor"]["pos"] == 2).await;
    assert_eq!(presence["peers"][0]["user_id"], friend.id);
    let mut stock = Stock::on_page(&app.address(1), &document, &owner).await;
    stock.sees(&block, "Hello from one").await;
    stock.types(&block, 0, "Stock says ").await;
    ada.find("op_echo", |echo| echo["ops"][0]["text"] == "Stock says ").await;
    // Access lost on one node is lost on the other.
    owner
        .delete(&format!("/api/v1/workspaces/{workspace}/members/{}/", friend.id))
        .await
        .expect(204);
    assert_eq!(grace.closed().await, 4403);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_on_both_nodes_at_once_are_one_history() {
    let app = TestApp::cluster(2).await;
    let (owner, _, document, block) = app.page("").await;
    let mut writers = Vec::new();
    for node in [0, 1, 0, 1] {
        writers.push(Socket::join(&app.address(node), &document, &owner.token).await.0);
    }
    let each = 40;
    let work = writers.into_iter().enumerate().map(|(w, mut socket)| {
        let block = block.clone();
        tokio::spawn(async move {
            for n in 0..each {
                let (id, text) = (format!("{w}-{n}"), format!("<{w}-{n}>"));
                socket
                    .say(json!({ "type": "insert", "block": block, "pos": 0, "text": text, "id": id }))
                    .await;
                socket.find("ack", |ack| ack["id"] == id).await;
            }
        })
    });
    for writer in work.collect::<Vec<_>>() {
        writer.await.expect("the writer is done");
    }
    let read = |node: usize| owner.at(&app.address(node)).get_owned(format!("/api/v1/documents/{document}/"));
    let (one, two) = (read(0).await.expect(200).body, read(1).await.expect(200).body);
    assert_eq!(one["heads"], two["heads"]);
    assert_eq!(one["blocks"], two["blocks"]);
    let text = one["blocks"][0]["text"].as_str().expect("a text");
    for w in 0..4 {
        for n in 0..each {
            assert_eq!(text.matches(&format!("<{w}-{n}>")).count(), 1, "<{w}-{n}>");
        }
    }
    // One row for the page's beginning, one for each edit, and no number left out.
    assert_eq!(one["version"], 1 + 4 * each);
    app.stop().await;
}
