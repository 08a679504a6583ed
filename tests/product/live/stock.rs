//! Stock automerge-repo clients, unchanged.

use super::{Scene, edit};
use crate::support::{Stock, TestApp};
use serde_json::json;
use std::time::{Duration, Instant};

/// A stock client waits a minute for a page that nobody answers for; a refusal has to be quicker by far.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn client(scene: &Scene, token: &str) -> Stock {
    Stock::start(&scene.app.address(0), &scene.document, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_clients_find_a_page_and_converge() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    let (address, block) = (scene.app.address(0), &scene.block);
    let shown = scene.owner.get(&scene.page()).await.expect(200).body;
    assert_eq!(
        shown["automerge_url"],
        documents::url::automerge_url(scene.document.parse().expect("an id"))
    );
    let mut ada = Stock::on_page(&address, &scene.document, &scene.owner).await;
    let mut grace = Stock::on_page(&address, &scene.document, &friend).await;
    assert_eq!(ada.reads(block).await, "Hello");
    for round in 0..10 {
        ada.types(block, 0, &format!("<a{round}>")).await;
        grace.types(block, 0, &format!("<g{round}>")).await;
    }
    for other in ["<a9>", "<g9>"] {
        ada.sees(block, other).await;
        grace.sees(block, other).await;
    }
    let text = ada.reads(block).await;
    for round in 0..10 {
        assert_eq!(text.matches(&format!("<a{round}>")).count(), 1, "{text}");
        assert_eq!(text.matches(&format!("<g{round}>")).count(), 1, "{text}");
    }
    assert_eq!(grace.reads(block).await, text);
    assert_eq!(ada.heads().await, grace.heads().await);
    let mut json = scene.join(&scene.owner).await;
    let ack = edit(
        &mut json,
        json!({ "type": "insert", "id": "end", "block": block, "pos": 0, "text": "<json>" }),
    )
    .await;
    assert_eq!(ack["type"], "ack");
    ada.sees(block, "<json>").await;
    assert_eq!(scene.texts().await, [format!("<json>{text}")]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broadcasts_reach_the_others_and_not_their_sender() {
    let scene = Scene::new("Hello").await;
    let address = scene.app.address(0);
    let mut ada = Stock::on_page(&address, &scene.document, &scene.owner).await;
    let mut grace = Stock::on_page(&address, &scene.document, &scene.owner).await;
    ada.does(json!({ "cmd": "broadcast", "value": { "cursor": 3 } })).await;
    assert_eq!(grace.event("ephemeral").await["value"], json!({ "cursor": 3 }));
    // What comes back from the other one proves that an echo would have come before it.
    grace.does(json!({ "cmd": "broadcast", "value": "back" })).await;
    assert_eq!(ada.event("ephemeral").await["value"], "back");
    assert!(!ada.had("ephemeral"));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_for_a_stock_client_is_unavailable_at_once() {
    let scene = Scene::new("secret").await;
    let stranger = scene.app.user("stranger").await;
    let missing = "00000000-0000-4000-8000-000000000001";
    let cases = [
        (missing, scene.owner.token.as_str()),
        (&scene.document, &stranger.token),
        (&scene.document, "garbage"),
    ];
    for (document, token) in cases {
        let mut client = Stock::start(&scene.app.address(0), document, token);
        client.event("peer").await;
        let asked = Instant::now();
        client.find().await.expect_err("it is not there");
        assert!(client.had("unavailable"));
        assert!(asked.elapsed() < AT_ONCE, "a refusal took {:?}", asked.elapsed());
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_while_the_server_is_away_arrives() {
    let listen = format!("127.0.0.1:{}", testing::free_port());
    let mut scene = Scene::of(TestApp::with(&[("server.listen", &listen)]).await, "Hello").await;
    let block = scene.block.clone();
    let mut client = Stock::on_page(&listen, &scene.document, &scene.owner).await;
    client.types(&block, 0, "<before>").await;
    scene.join(&scene.owner).await.close().await;
    scene.app.halt().await;
    client.event("peer_gone").await;
    client.types(&block, 0, "<while>").await;
    scene.app.resume().await;
    let mut other = Stock::on_page(&listen, &scene.document, &scene.owner).await;
    let text = other.sees(&block, "<while>").await;
    assert_eq!(text.matches("<while>").count(), 1, "{text}");
    assert_eq!(text, "<while><before>Hello");
    client.types(&block, 0, "<after>").await;
    other.sees(&block, "<after>").await;
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_readers_edit_is_held_back_until_they_may_write() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    let block = &scene.block;
    scene
        .owner
        .patch(&scene.page(), &json!({ "default_level": "view" }))
        .await
        .expect(200);
    let before = scene.owner.get(&scene.page()).await.expect(200).body["heads"].clone();
    let mut owner = client(&scene, &scene.owner.token).await;
    owner.find().await.expect("the page is found");
    let mut reader = client(&scene, &friend.token).await;
    reader.find().await.expect("the page is found");
    reader.types(block, 0, "<refused>").await;
    // A broadcast goes the same way behind the edit; once it is here, the edit was looked at.
    reader.does(json!({ "cmd": "broadcast", "value": "behind" })).await;
    assert_eq!(owner.event("ephemeral").await["value"], "behind");
    assert_eq!(scene.owner.get(&scene.page()).await.expect(200).body["heads"], before);
    owner.types(block, 0, "<live>").await;
    reader.sees(block, "<live>").await;
    assert_eq!(owner.reads(block).await, "<live>Hello");
    assert_eq!(scene.texts().await, ["<live>Hello"]);
    scene
        .owner
        .patch(&scene.page(), &json!({ "default_level": "edit" }))
        .await
        .expect(200);
    owner.sees(block, "<refused>").await;
    assert_eq!(scene.texts().await[0].matches("<refused>").count(), 1);
    reader.types(block, 0, "<again>").await;
    owner.sees(block, "<again>").await;
    scene.app.stop().await;
}
