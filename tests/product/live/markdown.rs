//! A page that is saved as Markdown while others are on it.

use super::{Scene, edit};
use serde_json::{Value, json};

impl Scene {
    async fn blocks(&self) -> Vec<Value> {
        let page = self.owner.get(&self.page()).await.expect(200).body;
        page["blocks"].as_array().expect("blocks").clone()
    }

    async fn markdown(&self) -> (String, String) {
        let read = self.owner.get(&format!("{}markdown/", self.page())).await.expect(200);
        (read.text, read.headers["etag"].to_str().expect("a tag").to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_differs_is_changed_and_blocks_keep_their_ids() {
    let scene = Scene::new("first words").await;
    let path = format!("{}markdown/", scene.page());
    let ops = json!([
        { "op": "insert", "type": "hologram", "text": "seen", "props": { "depth": [1, { "b": 2 }] } },
        { "op": "insert", "type": "custom", "props": { "anything": true } },
        { "op": "insert", "type": "todo", "text": "buy gears", "props": { "color": "red", "checked": false } },
    ]);
    scene
        .owner
        .post(&format!("{}blocks/batch/", scene.page()), &json!({ "ops": ops }))
        .await
        .expect(200);
    let before = scene.blocks().await;
    let (text, tag) = scene.markdown().await;
    let same = scene.owner.put_markdown(&path, &text, Some(&tag)).await.expect(200);
    assert_eq!(
        (&same.body["edits"], &same.headers["etag"]),
        (&json!(0), &tag.parse().expect("a tag"))
    );
    let mut ada = scene.join(&scene.owner).await;
    let saved = scene
        .owner
        .put_markdown(
            &path,
            &text.replace("- [ ] buy gears", "- [x] buy **big** gears\n- [ ] sell them"),
            None,
        )
        .await
        .expect(200);
    assert_eq!(saved.body["notes"], json!([]));
    let echo = ada.until("op_echo").await;
    assert_eq!(echo["source"], "rest");
    let kinds: Vec<&str> = echo["ops"]
        .as_array()
        .expect("edits")
        .iter()
        .filter_map(|op| op["op"].as_str())
        .collect();
    assert!(
        !kinds.contains(&"block_delete") && kinds.iter().filter(|kind| **kind == "block_insert").count() == 1,
        "{kinds:?}"
    );
    let after = scene.blocks().await;
    assert_eq!(after[..3], before[..3]);
    assert_eq!((&after[3]["id"], &after[3]["text"]), (&before[3]["id"], &json!("buy big gears")));
    assert_eq!(after[3]["props"], json!({ "color": "red", "checked": true }));
    assert_eq!(after[4]["text"], "sell them");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_type_meanwhile_is_kept() {
    let scene = Scene::new("one two three").await;
    let path = format!("{}markdown/", scene.page());
    let (text, tag) = scene.markdown().await;
    let mut ada = scene.join(&scene.owner).await;
    for round in 0..10 {
        let message = json!({ "type": "insert", "id": format!("t{round}"), "block": scene.block, "pos": 0, "text": "x" });
        assert_eq!(edit(&mut ada, message).await["type"], "ack");
    }
    let changed = text.replace("two", "2") + "\n## New\n";
    scene.owner.put_markdown(&path, &changed, Some(&tag)).await.problem(412, "stale");
    let based = format!("{path}?base_heads={}&message_id=save-1", tag.trim_matches('"'));
    let saved = scene.owner.put_markdown(&based, &changed, None).await.expect(200);
    assert_eq!(saved.body["duplicate"], false);
    let blocks = scene.blocks().await;
    assert_eq!(
        (&blocks[0]["id"], &blocks[0]["text"]),
        (&json!(scene.block), &json!("xxxxxxxxxxone 2 three"))
    );
    assert_eq!(
        (&blocks[1]["type"], &blocks[1]["text"], blocks.len()),
        (&json!("heading"), &json!("New"), 2)
    );
    // Sent again it is known.
    assert_eq!(
        scene.owner.put_markdown(&based, &changed, None).await.expect(200).body["duplicate"],
        true
    );
    assert_eq!(scene.blocks().await, blocks);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_goes_on_while_texts_are_saved() {
    let scene = Scene::new("word").await;
    let path = format!("{}markdown/", scene.page());
    let mut ada = scene.join(&scene.owner).await;
    let typing = async {
        for round in 0..40 {
            let message = json!({ "type": "insert", "id": format!("t{round}"), "block": scene.block, "pos": 0, "text": "x" });
            assert_eq!(edit(&mut ada, message).await["type"], "ack");
        }
    };
    let saving = async {
        for round in 0..8 {
            let (text, tag) = scene.markdown().await;
            let based = format!("{path}?base_heads={}", tag.trim_matches('"'));
            let text = format!("{text}\nline {round}\n");
            scene.owner.put_markdown(&based, &text, None).await.expect(200);
        }
    };
    tokio::join!(typing, saving);
    let blocks = scene.blocks().await;
    assert_eq!(
        (&blocks[0]["id"], &blocks[0]["text"]),
        (&json!(scene.block), &json!(format!("{}word", "x".repeat(40))))
    );
    let lines: Vec<&str> = blocks[1..].iter().filter_map(|block| block["text"].as_str()).collect();
    assert_eq!(lines, (0..8).map(|round| format!("line {round}")).collect::<Vec<_>>());
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_text_is_saved_as_one_change_and_bad_ones_are_refused() {
    let scene = Scene::new("Hello").await;
    let path = format!("{}markdown/", scene.page());
    let version = |answer: &Value| answer["version"].as_i64().expect("a number");
    let before = version(&scene.owner.get(&scene.page()).await.expect(200).body);
    let large: String = (0..3_000).map(|line| format!("line {line}\n\n")).collect();
    let saved = scene.owner.put_markdown(&path, &large, None).await.expect(200).body;
    assert_eq!(version(&saved), before + 1);
    assert_eq!(scene.blocks().await.len(), 3_000);
    let noted = scene.owner.put_markdown(&path, "a\n\n<!-- mine -->\n", None).await.expect(200).body;
    assert_eq!(
        (&noted["notes"][0]["line"], &noted["notes"][0]["code"]),
        (&json!(3), &json!("comment"))
    );
    scene
        .owner
        .put_markdown(&path, &"a\n\n".repeat(60_000), None)
        .await
        .problem(413, "too_large");
    scene
        .owner
        .put_markdown(&path, &"a".repeat(5 << 20), None)
        .await
        .problem(413, "too_large");
    scene
        .owner
        .put_markdown(&format!("{path}?base_heads=abc"), "a", None)
        .await
        .problem(422, "invalid");
    scene
        .owner
        .put(&path, &json!({ "text": "a" }))
        .await
        .problem(415, "unsupported_media_type");
    assert_eq!(scene.texts().await, ["a"]);
    scene.app.stop().await;
}
