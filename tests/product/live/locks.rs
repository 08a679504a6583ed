//! Pages that somebody has locked: nobody else changes them, whatever they come by, and nothing that was done meanwhile by
//! an Automerge client is lost.

use super::{
    Scene, edit,
    revoked::{Writer, committed, races},
};
use crate::support::{Socket, Stock, TestApp, User};
use serde_json::{Value, json};
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

impl Scene {
    fn lock(&self) -> String {
        format!("{}lock/", self.page())
    }

    async fn locks(&self, body: Value) -> Value {
        self.owner.put(&self.lock(), &body).await.expect(200).body
    }

    async fn unlocks(&self) {
        self.owner.delete(&self.lock()).await.expect(204);
    }

    fn block_path(&self) -> String {
        format!("{}blocks/{}/", self.page(), self.block)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_keeps_the_edits_of_others_out_and_lets_its_owners_in() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    assert_eq!(friend.get(&scene.lock()).await.expect(200).body["locked"], false);
    let lock = scene.locks(json!({ "reason": "final, do not edit" })).await;
    assert_eq!(lock["owner_id"], scene.owner.id);
    assert_eq!(lock["abilities"], json!({ "edit": true, "lock": true, "unlock": true }));
    let seen = friend.get(&scene.lock()).await.expect(200).body;
    assert_eq!((&seen["locked"], &seen["reason"]), (&json!(true), &json!("final, do not edit")));
    assert_eq!(seen["abilities"], json!({ "edit": false, "lock": false, "unlock": false }));
    let before = scene.owner.get(&scene.page()).await.expect(200).body;
    let block = json!({ "type": "paragraph", "text": "more" });
    let refused = [
        friend.patch(&scene.block_path(), &json!({ "text": "Changed" })).await,
        friend.post(&format!("{}blocks/", scene.page()), &block).await,
        friend.patch(&scene.page(), &json!({ "title": "Changed" })).await,
        friend.patch(&scene.page(), &json!({ "icon": "x" })).await,
        friend.delete(&scene.page()).await,
        friend.put(&scene.lock(), &json!({})).await,
    ];
    for answer in refused {
        let problem = answer.problem(423, "locked");
        assert_eq!(problem.body["owner_id"], scene.owner.id);
        assert_eq!(problem.body["reason"], "final, do not edit");
        assert!(problem.headers.get("retry-after").is_none(), "nobody knows when");
    }
    friend.delete(&scene.lock()).await.problem(403, "forbidden");
    assert_eq!(scene.owner.get(&scene.page()).await.expect(200).body, before);
    scene.owner.patch(&scene.block_path(), &json!({ "text": "Mine" })).await.expect(200);
    scene.unlocks().await;
    friend.patch(&scene.block_path(), &json!({ "text": "Theirs" })).await.expect(200);
    scene.unlocks().await;
    assert_eq!(scene.texts().await, ["Theirs"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_takes_over_and_a_member_locks_for_themselves() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    friend.put(&scene.lock(), &json!({})).await.expect(200);
    scene
        .owner
        .patch(&scene.block_path(), &json!({ "text": "No" }))
        .await
        .problem(423, "locked");
    scene.locks(json!({ "reason": "mine now" })).await;
    friend
        .patch(&scene.block_path(), &json!({ "text": "No" }))
        .await
        .problem(423, "locked");
    assert_eq!(scene.texts().await, ["Hello"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_ends_at_its_time() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    let mut watches = scene.join(&friend).await;
    scene.locks(json!({ "expires_in_secs": 2 })).await;
    assert_eq!(watches.until("lock_state").await["locked"], true);
    let problem = friend
        .patch(&scene.block_path(), &json!({ "text": "x" }))
        .await
        .problem(423, "locked");
    assert!(problem.headers.contains_key("retry-after"), "{}", problem.text);
    assert_eq!(watches.until("lock_state").await["locked"], false, "the end is told");
    friend.patch(&scene.block_path(), &json!({ "text": "Free" })).await.expect(200);
    assert_eq!(friend.get(&scene.lock()).await.expect(200).body["locked"], false);
    for (bad, pointer) in [
        (json!({ "expires_at": "2001-01-01T00:00:00Z" }), "/expires_at"),
        (json!({ "expires_in_secs": 0 }), "/expires_in_secs"),
        (
            json!({ "expires_in_secs": 9, "expires_at": "2101-01-01T00:00:00Z" }),
            "/expires_in_secs",
        ),
        (json!({ "reason": "x".repeat(501) }), "/reason"),
    ] {
        let problem = scene.owner.put(&scene.lock(), &bad).await.problem(422, "invalid");
        assert_eq!(problem.body["errors"][0]["pointer"], pointer);
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_told_of_a_lock_and_its_edits_are_refused() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    let mut early = scene.join(&friend).await;
    scene.locks(json!({ "reason": "final" })).await;
    let told = early.until("lock_state").await;
    assert_eq!((&told["kind"], &told["owner_id"]), (&json!("lock"), &json!(scene.owner.id)));
    let insert = |id: &str| json!({ "type": "insert", "block": scene.block, "pos": 0, "text": id, "id": id });
    let answer = edit(&mut early, insert("one")).await;
    assert_eq!((&answer["code"], &answer["reason"]), (&json!("locked"), &json!("final")));
    let mut late = Socket::page(&scene.app.address(0), &scene.document, &friend.token).await;
    late.say(json!({ "type": "hello" })).await;
    assert_eq!(late.until("hello_ack").await["lock"]["owner_id"], scene.owner.id);
    let mut own = scene.join(&scene.owner).await;
    assert_eq!(edit(&mut own, insert("own")).await["type"], "ack");
    scene.unlocks().await;
    assert_eq!(early.until("lock_state").await["locked"], false);
    assert_eq!(edit(&mut early, insert("one")).await["type"], "ack", "sent again, it is taken");
    assert_eq!(scene.texts().await, ["oneownHello"]);
    scene.app.stop().await;
}

/// What a stock client types while the page is locked arrives when it is not any more, once, and so does what comes after.
async fn types_while_locked(app: TestApp, node: usize) {
    let scene = Scene::of(app, "Hello").await;
    let friend = scene.member("friend").await;
    let block = scene.block.clone();
    let mut client = Stock::on_page(&scene.app.address(node), &scene.document, &friend).await;
    client.types(&block, 0, "<before>").await;
    let mut watches = Socket::join(&scene.app.address(node), &scene.document, &friend.token).await.0;
    scene.owner.sees(&scene.document, "<before>").await;
    scene.locks(json!({})).await;
    assert_eq!(watches.until("lock_state").await["locked"], true);
    for n in 0..3 {
        client.types(&block, 0, &format!("<while{n}>")).await;
    }
    // A broadcast goes the same way behind the edits; once it is here, they were looked at.
    client.does(json!({ "cmd": "broadcast", "value": "behind" })).await;
    watches.find("presence", |p| p["peers"][0]["state"] == "behind").await;
    assert_eq!(scene.texts().await, ["<before>Hello"]);
    let more = json!({ "text": "<before>Hello, from the owner" });
    scene.owner.patch(&scene.block_path(), &more).await.expect(200);
    client.sees(&block, "from the owner").await;
    assert_eq!(scene.texts().await, ["<before>Hello, from the owner"]);
    scene.unlocks().await;
    scene.owner.sees(&scene.document, "<while0>").await;
    client.types(&block, 0, "<after>").await;
    scene.owner.sees(&scene.document, "<after>").await;
    let expected = "<after><while2><while1><while0><before>Hello, from the owner";
    assert_eq!(scene.texts().await, [expected]);
    assert_eq!(client.reads(&block).await, expected);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stock_client_types_while_the_page_is_locked_arrives_later() {
    types_while_locked(TestApp::new().await, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stock_client_types_on_another_node_arrives_later() {
    types_while_locked(TestApp::cluster(2).await, 1).await;
}

/// One who writes by REST and by a socket on `node` is locked out again and again by somebody on the first node.
async fn race(app: TestApp, node: usize) {
    let scene = Scene::of(app, "Hello").await;
    let friend = scene.member("friend").await.at(&scene.app.address(node));
    let (socket, _) = Socket::join(&scene.app.address(node), &scene.document, &friend.token).await;
    let (rest, live) = (Arc::new(Writer::default()), Arc::new(Writer::default()));
    let writing = [
        tokio::spawn(rest.clone().by_rest(friend.clone(), scene.document.clone())),
        tokio::spawn(live.clone().by_socket(socket, scene.block.clone())),
    ];
    let db = scene.app.database().await;
    for n in 0..races() {
        live.waits(&live.acked, 1).await;
        rest.waits(&rest.acked, 1).await;
        scene.locks(json!({})).await;
        let then = committed(&db, &scene.document, &friend.id).await;
        // What was on its way is answered, and so is what was sent afterwards.
        rest.waits(&rest.answered, 2).await;
        live.waits(&live.answered, 2).await;
        let now = committed(&db, &scene.document, &friend.id).await;
        assert_eq!(now, then, "something was committed after the lock of race {n}");
        scene.unlocks().await;
    }
    for writer in [&rest, &live] {
        writer.is_over.store(true, Ordering::SeqCst);
    }
    for task in writing {
        task.await.expect("the writer ended well");
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_committed_after_a_lock() {
    race(TestApp::new().await, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_committed_after_a_lock_on_another_node() {
    race(TestApp::cluster(2).await, 1).await;
}

impl User {
    /// Waits until one of a page's top blocks contains a text.
    async fn sees(&self, document: &str, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(15);
        while !self.texts(document).await.iter().any(|block| block.contains(text)) {
            assert!(Instant::now() < deadline, "{text} never came");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
