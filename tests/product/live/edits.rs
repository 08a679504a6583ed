//! Edits in JSON: what they do, what others are told, and that their authors' intention holds.

use super::{Scene, edit, up_to_now};
use crate::support::Socket;
use serde_json::{Value, json};

/// Two blocks, "Hello" and "world", and somebody on the page who hears every edit.
async fn two_blocks() -> (Scene, Socket, Socket) {
    let scene = Scene::new("Hello").await;
    let mut writer = scene.join(&scene.owner).await;
    op(
        &mut writer,
        json!([{ "op": "block_insert", "id": "two", "text": "world", "after": scene.block }]),
    )
    .await;
    let listener = scene.join(&scene.owner).await;
    (scene, writer, listener)
}

/// Makes an edit, which has to be taken.
async fn op(socket: &mut Socket, ops: Value) -> Value {
    says(socket, json!({ "type": "op", "ops": ops })).await
}

async fn says(socket: &mut Socket, mut message: Value) -> Value {
    message["id"] = json!(kernel::secret::token()[..12]);
    let ack = edit(socket, message.clone()).await;
    assert_eq!(ack["type"], "ack", "{message} got {ack}");
    ack
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_at_an_old_position_stands_where_its_author_meant_it() {
    let scene = Scene::new("Hello world").await;
    let block = &scene.block;
    let mut ada = scene.join(&scene.owner).await;
    let (mut grace, snapshot) = Socket::join(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    let base = snapshot["server_seq"].clone();
    says(&mut ada, json!({ "type": "insert", "block": block, "pos": 0, "text": "Oh, " })).await;
    says(
        &mut grace,
        json!({ "type": "insert", "base": base, "block": block, "pos": 5, "text": " big" }),
    )
    .await;
    assert_eq!(scene.texts().await, ["Oh, Hello big world"]);
    let told = ada.find("op_echo", |echo| echo["ops"][0]["text"] == " big").await;
    assert_eq!(told["ops"], json!([{ "op": "insert", "block": block, "pos": 9, "text": " big" }]));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_at_an_old_position_spares_what_came_into_its_range() {
    let scene = Scene::new("one two three").await;
    let block = &scene.block;
    let mut ada = scene.join(&scene.owner).await;
    let (mut grace, snapshot) = Socket::join(&scene.app.address(0), &scene.document, &scene.owner.token).await;
    let base = snapshot["server_seq"].clone();
    says(&mut ada, json!({ "type": "insert", "block": block, "pos": 5, "text": "XYZ" })).await;
    says(
        &mut grace,
        json!({ "type": "delete", "base": base, "block": block, "pos": 4, "len": 4 }),
    )
    .await;
    assert_eq!(scene.texts().await, ["one XYZthree"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn short_edits_name_their_block() {
    let (scene, mut ada, mut listener) = two_blocks().await;
    says(&mut ada, json!({ "type": "insert", "block": "two", "pos": 5, "text": "!" })).await;
    says(&mut ada, json!({ "type": "delete", "block": scene.block, "pos": 0, "len": 1 })).await;
    says(
        &mut ada,
        json!({ "type": "replace", "block": "two", "pos": 0, "len": 5, "text": "earth" }),
    )
    .await;
    says(
        &mut ada,
        json!({ "type": "format", "block": "two", "pos": 0, "len": 5, "name": "bold", "value": true }),
    )
    .await;
    says(&mut ada, json!({ "type": "insert", "block": "@title", "pos": 0, "text": "My " })).await;
    assert_eq!(scene.texts().await, ["ello", "earth!"]);
    let page = scene.owner.get(&scene.page()).await.expect(200).body;
    assert_eq!(page["title"], "My Notes");
    assert_eq!(
        page["blocks"][1]["marks"],
        json!([{ "start": 0, "end": 5, "name": "bold", "value": true }])
    );
    let told: Vec<Value> = up_to_now(&mut listener)
        .await
        .iter()
        .flat_map(|m| m["ops"].as_array().cloned().unwrap_or_default())
        .collect();
    assert_eq!(told[0], json!({ "op": "insert", "block": "two", "pos": 5, "text": "!" }));
    assert_eq!(told[1], json!({ "op": "delete", "block": scene.block, "pos": 0, "len": 1 }));
    assert!(
        told.contains(&json!({ "op": "format", "block": "two", "pos": 0, "len": 5, "name": "bold", "value": true })),
        "{told:?}"
    );
    assert_eq!(
        told.last(),
        Some(&json!({ "op": "insert", "block": "@title", "pos": 0, "text": "My " }))
    );
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_without_a_block_count_in_the_pages_plain_text() {
    let (scene, mut ada, _) = two_blocks().await;
    says(&mut ada, json!({ "type": "insert", "pos": 6, "text": "big " })).await;
    assert_eq!(scene.texts().await, ["Hello", "big world"]);
    says(&mut ada, json!({ "type": "insert", "pos": 5, "text": "," })).await;
    assert_eq!(scene.texts().await, ["Hello,", "big world"]);
    says(&mut ada, json!({ "type": "delete", "pos": 7, "len": 4 })).await;
    assert_eq!(scene.texts().await, ["Hello,", "world"]);
    says(&mut ada, json!({ "type": "replace", "pos": 7, "len": 5, "text": "moon" })).await;
    assert_eq!(scene.texts().await, ["Hello,", "moon"]);
    says(
        &mut ada,
        json!({ "type": "format", "pos": 7, "len": 4, "name": "italic", "value": true }),
    )
    .await;
    let page = scene.owner.get(&scene.page()).await.expect(200).body;
    assert_eq!(
        page["blocks"][1]["marks"],
        json!([{ "start": 0, "end": 4, "name": "italic", "value": true }])
    );
    let late = edit(&mut ada, json!({ "type": "insert", "id": "late", "pos": 12, "text": "x" })).await;
    assert_eq!(late["code"], "position_out_of_range", "{late}");
    says(&mut ada, json!({ "type": "insert", "pos": 11, "text": "." })).await;
    assert_eq!(scene.texts().await, ["Hello,", "moon."]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_over_a_newline_merges_the_blocks() {
    let (scene, mut ada, mut listener) = two_blocks().await;
    says(&mut ada, json!({ "type": "delete", "pos": 4, "len": 3 })).await;
    assert_eq!(scene.texts().await, ["Hellorld"]);
    let told = listener.until("op_echo").await.to_string();
    assert!(told.contains("block_delete") && told.contains("two"), "{told}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_taken_whole_or_not_at_all() {
    let (scene, mut ada, mut listener) = two_blocks().await;
    let before = scene.owner.get(&scene.page()).await.expect(200).body["heads"].clone();
    let good = json!({ "op": "insert", "block": "two", "pos": 0, "text": "kept?" });
    let bad = json!({ "op": "insert", "block": "two", "pos": 99, "text": "x" });
    let refused = edit(&mut ada, json!({ "type": "op", "id": "batch", "ops": [good, bad] })).await;
    assert_eq!(refused["code"], "position_out_of_range");
    assert_eq!(scene.owner.get(&scene.page()).await.expect(200).body["heads"], before);
    // The id of a refused message is free for the mended one.
    let ack = edit(
        &mut ada,
        json!({ "type": "op", "id": "batch", "ops": [good, { "op": "delete", "block": "two", "pos": 0, "len": 1 }] }),
    )
    .await;
    assert_eq!((&ack["type"], &ack["duplicate"]), (&json!("ack"), &Value::Null));
    assert_eq!(scene.texts().await, ["Hello", "ept?world"]);
    let echo = listener.until("op_echo").await;
    assert_eq!((&echo["id"], &echo["server_seq"]), (&json!("batch"), &ack["server_seq"]));
    assert!(up_to_now(&mut listener).await.is_empty(), "a batch is one echo");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn block_edits_are_told_as_they_are() {
    let (scene, mut ada, mut listener) = two_blocks().await;
    let first = scene.block.clone();
    let cases = [
        (
            json!({ "op": "block_insert", "id": "three", "type": "todo", "text": "buy", "props": { "checked": false } }),
            "block_insert",
            "three",
        ),
        (json!({ "op": "block_move", "id": "three", "before": first }), "block_move", "three"),
        (
            json!({ "op": "block_set", "id": "three", "key": "props.checked", "value": true }),
            "block_set",
            "three",
        ),
        (
            json!({ "op": "block_set", "id": "three", "key": "type", "value": "heading" }),
            "block_set",
            "three",
        ),
        (
            json!({ "op": "block_split", "id": "two", "pos": 2, "new_id": "tail" }),
            "block_insert",
            "tail",
        ),
        (json!({ "op": "block_merge", "id": "tail" }), "block_delete", "tail"),
        (json!({ "op": "block_delete", "id": "two" }), "block_delete", "two"),
    ];
    for (what, told_as, about) in cases {
        let ack = op(&mut ada, json!([what])).await;
        let echo = listener.until("op_echo").await;
        assert_eq!(echo["server_seq"], ack["server_seq"]);
        let told = echo["ops"]
            .as_array()
            .expect("edits")
            .iter()
            .any(|op| op["op"] == told_as && op["id"] == about);
        assert!(told, "{what} was told as {echo}");
    }
    let page = scene.owner.get(&scene.page()).await.expect(200).body;
    let blocks = page["blocks"].as_array().expect("blocks");
    let seen: Vec<_> = blocks
        .iter()
        .map(|block| (block["id"].clone(), block["type"].clone(), block["text"].clone()))
        .collect();
    assert_eq!(
        seen,
        [
            (json!("three"), json!("heading"), json!("buy")),
            (json!(first), json!("paragraph"), json!("Hello"))
        ]
    );
    assert_eq!(blocks[0]["props"]["checked"], true);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn split_and_merge_leave_the_text_as_it_was() {
    let (scene, mut ada, _) = two_blocks().await;
    let ack = op(&mut ada, json!([{ "op": "block_split", "id": "two", "pos": 2 }])).await;
    assert_eq!(scene.texts().await, ["Hello", "wo", "rld"]);
    let made = ack["made"][0].as_str().expect("the new block's id is told");
    op(&mut ada, json!([{ "op": "block_merge", "id": made }])).await;
    assert_eq!(scene.texts().await, ["Hello", "world"]);
    op(&mut ada, json!([{ "op": "put", "path": "title", "value": "Renamed" }])).await;
    assert_eq!(scene.owner.get(&scene.page()).await.expect(200).body["title"], "Renamed");
    scene.app.stop().await;
}
