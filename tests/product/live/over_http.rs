//! The socket's messages over plain HTTP, and who is on a page.

use super::{Scene, edit, items};
use crate::support::User;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn sync(scene: &Scene) -> String {
    format!("{}sync/", scene.page())
}

async fn hears(user: &User, path: &str) -> Vec<Value> {
    user.get(path).await.expect(200).body["messages"]
        .as_array()
        .expect("messages")
        .clone()
}

async fn says(user: &User, path: &str, messages: Value) -> Vec<Value> {
    let answer = user.post(path, &json!({ "messages": messages })).await.expect(200);
    answer.body["messages"].as_array().expect("messages").clone()
}

/// The numbers of the edits that were told.
fn seqs(messages: &[Value]) -> Vec<i64> {
    let told = messages.iter().flat_map(items).filter(|message| message["type"] == "op_echo");
    told.map(|echo| echo["server_seq"].as_i64().expect("a number")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_read_edited_and_followed_without_a_socket() {
    let scene = Scene::new("Hello").await;
    let mut ada = scene.join(&scene.owner).await;
    let first = hears(&scene.owner, &sync(&scene)).await;
    assert_eq!(
        first.iter().map(|m| m["type"].as_str().expect("a type")).collect::<Vec<_>>(),
        ["hello_ack", "snapshot"]
    );
    let (seq, epoch) = (
        first[1]["server_seq"].as_i64().expect("a number"),
        first[1]["epoch"].as_str().expect("an epoch"),
    );
    let typed = json!([
        { "type": "insert", "id": "h1", "block": scene.block, "pos": 5, "text": ", all" },
        { "type": "op", "id": "h2", "base": seq, "ops": [{ "op": "insert", "block": scene.block, "pos": 0, "text": "> " }] },
    ]);
    let answers = says(&scene.owner, &sync(&scene), typed.clone()).await;
    let acks: Vec<_> = answers
        .iter()
        .filter(|m| m["type"] == "ack")
        .map(|m| (m["id"].clone(), m["server_seq"].clone()))
        .collect();
    assert_eq!(acks, [(json!("h1"), json!(seq + 1)), (json!("h2"), json!(seq + 2))]);
    assert_eq!(
        scene.texts().await,
        ["> Hello, all"],
        "what is acknowledged is read, and the old base was minded"
    );
    ada.find("op_echo", |echo| echo["id"] == "h2").await;
    let again = says(&scene.owner, &sync(&scene), typed).await;
    let repeated = again.iter().filter(|m| m["type"] == "ack" && m["duplicate"] == true).count();
    assert_eq!(repeated, 2, "sent again, made once: {again:?}");
    let missed = hears(&scene.owner, &format!("{}?last_seen_server_seq={seq}&epoch={epoch}", sync(&scene))).await;
    assert_eq!(
        (missed[0]["replay_from"].clone(), seqs(&missed)),
        (json!(seq), vec![seq + 1, seq + 2])
    );
    let nothing = hears(
        &scene.owner,
        &format!("{}?last_seen_server_seq={}&epoch={epoch}", sync(&scene), seq + 2),
    )
    .await;
    assert_eq!(nothing.len(), 1, "{nothing:?}");
    let other = hears(
        &scene.owner,
        &format!("{}?last_seen_server_seq={seq}&epoch={}", sync(&scene), uuid::Uuid::nil()),
    )
    .await;
    assert_eq!((&other[0]["resync"], &other[1]["type"]), (&json!(true), &json!("resync")));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_what_happens_next() {
    let scene = Scene::new("Hello").await;
    let mut ada = scene.join(&scene.owner).await;
    let seq = hears(&scene.owner, &sync(&scene)).await[0]["server_seq"]
        .as_i64()
        .expect("a number");
    let path = format!("{}?last_seen_server_seq={seq}&wait_secs=20", sync(&scene));
    let began = Instant::now();
    let typing = async {
        // The other side is waiting once it shows up beside the socket.
        let message = json!({ "type": "insert", "id": "late", "block": scene.block, "pos": 0, "text": "x" });
        assert_eq!(edit(&mut ada, message).await["type"], "ack");
    };
    let (heard, ()) = tokio::join!(hears(&scene.owner, &path), typing);
    assert_eq!(seqs(&heard), [seq + 1]);
    assert!(began.elapsed() < Duration::from_secs(15), "it was told when it happened");
    let began = Instant::now();
    let path = format!("{}?last_seen_server_seq={}&wait_secs=1", sync(&scene), seq + 1);
    assert_eq!(hears(&scene.owner, &path).await.len(), 1, "nothing happened");
    assert!(began.elapsed() >= Duration::from_secs(1));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_and_limits_are_those_of_a_socket() {
    let scene = Scene::new("Hello").await;
    let guest = scene.app.user("guest").await;
    scene.owner.adds(&guest, &scene.workspace, "guest").await;
    let message = json!([{ "type": "insert", "id": "g1", "block": scene.block, "pos": 0, "text": "x" }]);
    guest.get(&sync(&scene)).await.expect(404);
    let grant = json!({ "user_id": guest.id, "level": "view" });
    scene.owner.post(&format!("{}grants/", scene.page()), &grant).await.expect(201);
    assert_eq!(hears(&guest, &sync(&scene)).await[0]["permission"], "read");
    let refused = says(&guest, &sync(&scene), message.clone()).await;
    assert_eq!(
        (&refused[1]["type"], &refused[1]["code"], &refused[1]["id"]),
        (&json!("error"), &json!("read_only"), &json!("g1"))
    );
    assert_eq!(scene.texts().await, ["Hello"]);
    scene
        .app
        .user("stranger")
        .await
        .post(&sync(&scene), &json!({ "messages": message }))
        .await
        .expect(404);
    let bad = json!({ "messages": [{ "type": "presence" }, { "type": "insert", "id": "m" }] });
    let told = scene.owner.post(&sync(&scene), &bad).await.expect(422).body;
    let pointers: Vec<_> = told["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|e| e["pointer"].clone())
        .collect();
    assert_eq!(pointers, ["/messages/0/type", "/messages/0/id"]);
    let malformed = says(&scene.owner, &sync(&scene), json!([{ "type": "insert", "id": "m", "pos": "x" }])).await;
    assert_eq!(
        (&malformed[1]["type"], &malformed[1]["code"]),
        (&json!("error"), &json!("invalid_op"))
    );
    let many: Vec<_> = (0..65)
        .map(|n| json!({ "type": "insert", "id": n.to_string(), "pos": 0, "text": "x" }))
        .collect();
    scene.owner.post(&sync(&scene), &json!({ "messages": many })).await.expect(422);
    scene
        .owner
        .get(&format!("{}?wait_secs=26&snapshot=pdf", sync(&scene)))
        .await
        .expect(422);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_on_a_page_is_told_to_those_who_may_see_it() {
    let scene = Scene::new("Hello").await;
    let path = format!("{}presence/", scene.page());
    assert_eq!(scene.owner.get(&path).await.expect(200).body["data"], json!([]));
    let mut ada = scene.hello(json!({ "client_id": "ada" })).await;
    ada.until("snapshot").await;
    ada.say(json!({ "type": "presence", "cursor": { "block": scene.block, "pos": 2 } }))
        .await;
    super::up_to_now(&mut ada).await;
    let here = scene.owner.get(&path).await.expect(200).body["data"].clone();
    assert_eq!(
        here,
        json!([{ "cursor": { "block": scene.block, "pos": 2 }, "client_id": "ada", "user_id": scene.owner.id }])
    );
    scene.app.user("stranger").await.get(&path).await.expect(404);
    scene.app.stop().await;
}
