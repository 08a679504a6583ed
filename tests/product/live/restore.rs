//! Bringing a page back while people are on it: to them it is an edit.

use super::{Scene, echoes, edit, up_to_now};
use crate::support::{Binary, Stock, User, app::text_of};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

impl Scene {
    async fn named(&self, name: &str) -> String {
        let versions = format!("{}versions/", self.page());
        self.owner.post(&versions, &json!({ "name": name })).await.expect(201).id()
    }

    async fn restores(&self, version: &str, body: &Value) -> Value {
        let path = format!("{}versions/{version}/restore/", self.page());
        self.owner.post(&path, body).await.expect(200).body
    }

    /// Waits until what a stock client typed has arrived, and it has all of the rest: to itself its own is there at once.
    async fn settles(&self, stock: &mut Stock) {
        let until = Instant::now() + Duration::from_secs(20);
        while stock.heads().await != self.owner.get(&self.page()).await.expect(200).body["heads"] {
            assert!(Instant::now() < until, "the stock client and the page do not agree");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_on_the_page_sees_it_come_back() {
    let scene = Scene::new("Hello").await;
    let added = json!({ "text": "Second", "after": scene.block });
    let second = text_of(&scene.owner.post(&format!("{}blocks/", scene.page()), &added).await.expect(201).body["blocks"][0]["id"]);
    let version = scene.named("Good").await;
    let mut ada = scene.join(&scene.owner).await;
    let mut stock = Stock::on_page(&scene.app.address(0), &scene.document, &scene.owner).await;
    stock.types(&scene.block, 0, "<gone>").await;
    scene.settles(&mut stock).await;
    scene.owner.delete(&format!("{}blocks/{second}/", scene.page())).await.expect(204);
    up_to_now(&mut ada).await;
    let before = scene.owner.get(&scene.page()).await.expect(200).body["version"]
        .as_i64()
        .expect("a number");
    let done = scene.restores(&version, &json!({})).await;
    assert_eq!(done["version"], before + 1, "one change");
    let echo = echoes(&mut ada, before, before + 1).await.remove(0);
    assert_eq!((&echo["source"], &echo["user_id"]), (&json!("rest"), &json!(scene.owner.id)));
    let ops = echo["ops"].as_array().expect("edits");
    assert!(
        ops.iter()
            .any(|op| op["op"] == "delete" && op["block"] == json!(scene.block) && op["len"] == 6),
        "{ops:?}"
    );
    assert!(
        ops.iter()
            .any(|op| op["op"] == "block_insert" && op["id"] == json!(second) && op["text"] == "Second"),
        "{ops:?}"
    );
    stock.sees(&second, "Second").await;
    while stock.reads(&scene.block).await != "Hello" {
        stock.event("changed").await;
    }
    assert_eq!(scene.texts().await, ["Hello", "Second"]);
    stock.types(&second, 0, "<on>").await;
    scene.settles(&mut stock).await;
    assert_eq!(
        edit(
            &mut ada,
            json!({ "type": "insert", "id": "a", "block": second, "pos": 0, "text": "<json>" })
        )
        .await["type"],
        "ack"
    );
    stock.sees(&second, "<json>").await;
    assert_eq!(scene.texts().await, ["Hello", "<json><on>Second"], "they go on in what came back");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_types_meanwhile_loses_nothing() {
    let scene = Scene::new("Hello").await;
    let version = scene.named("Good").await;
    let changed = scene
        .owner
        .patch(&format!("{}blocks/{}/", scene.page(), scene.block), &json!({ "text": "Goodbye" }))
        .await;
    let seen = changed.expect(200).body["heads"].clone();
    let mut stock = Stock::on_page(&scene.app.address(0), &scene.document, &scene.owner).await;
    let mut ada = scene.join(&scene.owner).await;
    stock.types(&scene.block, 0, "<stock>").await;
    scene.settles(&mut stock).await;
    let typed = json!({ "type": "insert", "id": "j", "block": scene.block, "pos": 0, "text": "<json>" });
    assert_eq!(edit(&mut ada, typed).await["type"], "ack");
    stock.sees(&scene.block, "<json>").await;
    scene.restores(&version, &json!({ "base_heads": seen })).await;
    stock.sees(&scene.block, "Hello").await;
    let text = stock.reads(&scene.block).await;
    for kept in ["<stock>", "<json>", "Hello"] {
        assert!(text.contains(kept), "{text}");
    }
    assert_eq!(scene.texts().await, [text]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_page_is_held_while_it_comes_back_and_no_typing_is_lost() {
    let scene = Scene::new("Hello").await;
    let lines: Vec<Value> = (0..999)
        .map(|n| json!({ "op": "insert", "type": "paragraph", "text": format!("{n}") }))
        .collect();
    scene
        .owner
        .post(&format!("{}blocks/batch/", scene.page()), &json!({ "ops": lines }))
        .await
        .expect(200);
    let version = scene.named("Good").await;
    scene
        .owner
        .patch(&format!("{}blocks/{}/", scene.page(), scene.block), &json!({ "text": "Goodbye" }))
        .await
        .expect(200);
    let friend = scene.member("friend").await;
    let (mut ada, mut bob) = (scene.join(&scene.owner).await, scene.join(&friend).await);
    let mut stock = Stock::on_page(&scene.app.address(0), &scene.document, &friend).await;
    let seen = stock.heads().await;
    let base = json!({ "base_heads": seen });
    let restores = scene.restores(&version, &base);
    let types = async {
        let held = bob.find("lock_state", |state| state["locked"] == true).await;
        assert_eq!(held["reason"], "a version is being restored");
        stock.types(&scene.block, 0, "<meanwhile>").await;
    };
    tokio::join!(restores, types);
    bob.find("lock_state", |state| state["locked"] == false).await;
    scene.settles(&mut stock).await;
    let text = stock.reads(&scene.block).await;
    assert!(text.contains("<meanwhile>") && text.contains("Hello"), "{text}");
    assert_eq!(scene.texts().await[0], text);
    // Who holds the page keeps a restore of others out.
    ada.say(json!({ "type": "lock", "scope": "document", "mode": "exclusive", "ttl_ms": 60_000, "id": "lock" }))
        .await;
    bob.find("lock_state", |state| state["locked"] == true).await;
    let path = format!("{}versions/{version}/restore/", scene.page());
    friend.post(&path, &json!({})).await.problem(423, "locked");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_restores_and_two_typists_at_once_converge() {
    let scene = Scene::new("Hello").await;
    let version = scene.named("Good").await;
    let mut stock = Stock::on_page(&scene.app.address(0), &scene.document, &scene.owner).await;
    let mut ada = scene.join(&scene.owner).await;
    let nothing = json!({});
    for round in 0..10 {
        let restore = scene.restores(&version, &nothing);
        let typed = json!({ "type": "insert", "id": format!("j{round}"), "block": scene.block, "pos": 0, "text": format!("<j{round}>") });
        let types = stock.types(&scene.block, 0, "<s>");
        let (_, ack, ()) = tokio::join!(restore, edit(&mut ada, typed), types);
        assert_eq!(ack["type"], "ack");
    }
    scene.settles(&mut stock).await;
    scene.restores(&version, &json!({})).await;
    assert_eq!(scene.texts().await, ["Hello"]);
    while stock.reads(&scene.block).await != "Hello" {
        stock.event("changed").await;
    }
    let page = scene.owner.get(&scene.page()).await.expect(200).body;
    assert_eq!(stock.heads().await, page["heads"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_a_kill() {
    let mut product = Binary::start(&[]).await;
    let owner = User::newcomer(&product.address(), "owner").await;
    let workspace = owner
        .post("/api/v1/workspaces/", &json!({ "name": "Engines" }))
        .await
        .expect(201)
        .id();
    let page = owner
        .document(&workspace, "Notes", json!([{ "type": "paragraph", "text": "One" }]))
        .await;
    let (document, block) = (text_of(&page["id"]), text_of(&page["blocks"][0]["id"]));
    let at = |path: &str| format!("/api/v1/documents/{document}/{path}");
    let version = owner.post(&at("versions/"), &json!({ "name": "First" })).await.expect(201).id();
    owner.delete(&at(&format!("blocks/{block}/"))).await.expect(204);
    let done = owner
        .post(&at(&format!("versions/{version}/restore/")), &json!({}))
        .await
        .expect(200)
        .body;
    product.kill9();
    product.restart().await;
    let owner = owner.at(&product.address());
    let again = owner.get(&at("")).await.expect(200).body;
    assert_eq!((&again["heads"], &again["blocks"][0]["text"]), (&done["heads"], &json!("One")));
    let listed = owner.get(&at("versions/")).await.expect(200).body;
    assert_eq!(listed["data"][0]["id"], done["restored"]["id"]);
    assert_eq!(owner.get(&at("?at=2")).await.expect(200).body["blocks"], json!([]));
}
