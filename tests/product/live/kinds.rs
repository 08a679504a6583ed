//! Tables and blocks of somebody else, written by JSON clients: they are as they were written wherever they are read.

use super::{Scene, edit};
use crate::support::Socket;
use serde_json::{Value, json};

async fn does(socket: &mut Socket, ops: Value) {
    let message = json!({ "type": "op", "ops": ops, "id": kernel::secret::token()[..12] });
    let answer = edit(socket, message.clone()).await;
    assert_eq!(answer["type"], "ack", "{message} got {answer}");
}

/// What blocks say, without what is of one page alone.
fn said(blocks: &Value) -> Value {
    let one = |block: &Value| {
        json!({
            "type": block["type"],
            "text": block["text"],
            "marks": block["marks"],
            "props": block["props"],
            "children": said(&block["children"]),
        })
    };
    blocks.as_array().into_iter().flatten().map(one).collect()
}

impl Scene {
    async fn reads(&self, document: &str) -> Value {
        let page = self.owner.get(&format!("/api/v1/documents/{document}/")).await.expect(200);
        page.body["blocks"].clone()
    }

    async fn duplicates(&self) -> String {
        let path = format!("{}duplicate/", self.page());
        self.owner.post(&path, &json!({})).await.expect(201).id()
    }
}

fn row(id: &str, cells: &[&str]) -> Value {
    json!({ "id": id, "type": "table_row", "props": { "cells": cells } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_changed_by_rows_and_by_columns() {
    let scene = Scene::new("before").await;
    let (mut ada, mut bob) = (scene.join(&scene.owner).await, scene.join(&scene.owner).await);
    let table = json!({
        "op": "block_insert", "id": "t", "type": "table", "props": { "column_count": 2, "has_header_row": true },
        "children": [row("r1", &["a", "b"]), row("r2", &["c", "d"])],
    });
    does(&mut ada, json!([table])).await;
    bob.find("op_echo", |echo| {
        echo["ops"].as_array().is_some_and(|ops| ops.iter().any(|op| op["id"] == "r2"))
    })
    .await;
    // A column more, while somebody else puts a row in between and another goes.
    let widens = json!([
        { "op": "block_set", "id": "t", "key": "props.column_count", "value": 3 },
        { "op": "block_set", "id": "r1", "key": "props.cells", "value": ["a", "b", "new"] },
    ]);
    let grows = json!([
        { "op": "block_insert", "id": "r3", "type": "table_row", "parent": "t", "after": "r1", "props": { "cells": ["e", "f"] } },
        { "op": "block_delete", "id": "r2" },
        { "op": "block_move", "id": "r1", "parent": "t", "after": "r3" },
    ]);
    tokio::join!(does(&mut ada, widens), does(&mut bob, grows));
    let blocks = scene.reads(&scene.document).await;
    assert_eq!(blocks[1]["props"], json!({ "column_count": 3, "has_header_row": true }));
    let cells: Vec<(&Value, &Value)> = blocks[1]["children"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| (&row["id"], &row["props"]["cells"]))
        .collect();
    assert_eq!(
        cells,
        [(&json!("r3"), &json!(["e", "f"])), (&json!("r1"), &json!(["a", "b", "new"]))]
    );
    // A row stands in a table and nowhere else, and a table holds nothing but rows.
    for wrong in [
        json!({ "op": "block_insert", "type": "table_row" }),
        json!({ "op": "block_insert", "type": "paragraph", "parent": "t" }),
        json!({ "op": "block_set", "id": "r1", "key": "props.cells", "value": vec![""; 65] }),
    ] {
        let answer = edit(&mut ada, json!({ "type": "op", "ops": [wrong], "id": "wrong" })).await;
        assert_eq!(answer["type"], "error", "{wrong}");
    }
    let copy = scene.duplicates().await;
    assert_eq!(said(&scene.reads(&copy).await), said(&blocks));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_do_not_know_stays_as_it_came() {
    let scene = Scene::new("before").await;
    let mut ada = scene.join(&scene.owner).await;
    let odd = json!({ "anything": { "deep": [1, 2.5, { "x": "y" }, [], {}] }, "flag": false, "long": "ä🎉".repeat(100) });
    does(
        &mut ada,
        json!([
            { "op": "block_insert", "id": "mine", "type": "custom", "text": "seen", "props": odd,
              "children": [{ "id": "inner", "type": "hologram_v2", "props": { "depth": 3 }, "text": "in it" }] },
            { "op": "format", "block": "inner", "pos": 0, "len": 2, "name": "x_glow", "value": "soft" },
        ]),
    )
    .await;
    let blocks = scene.reads(&scene.document).await;
    assert_eq!((&blocks[1]["type"], &blocks[1]["props"]), (&json!("custom"), &odd));
    let inner = &blocks[1]["children"][0];
    assert_eq!((&inner["type"], &inner["props"]["depth"]), (&json!("hologram_v2"), &json!(3)));
    assert_eq!(
        (&inner["marks"][0]["name"], &inner["marks"][0]["value"]),
        (&json!("x_glow"), &json!("soft"))
    );
    let copy = scene.duplicates().await;
    assert_eq!(said(&scene.reads(&copy).await), said(&blocks));
    // A restart reads them from what was stored.
    let app = scene.app.restart().await;
    let owner = scene.owner.at(&app.address(0));
    let again = owner.get(&format!("/api/v1/documents/{}/", scene.document)).await.expect(200);
    assert_eq!(again.body["blocks"], blocks);
    app.stop().await;
}
