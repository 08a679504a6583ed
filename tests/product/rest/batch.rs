//! Several edits as one change: when one cannot be made, it is said which.

use crate::support::TestApp;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn the_step_that_cannot_be_made_is_named_and_none_is_made() {
    let app = TestApp::new().await;
    let (owner, _, document, block) = app.page("Hello").await;
    let path = format!("/api/v1/documents/{document}/blocks/batch/");
    // One step, but several edits of the page: a text, a type and a prop.
    let first = json!({ "op": "update", "id": block, "text": "Changed", "type": "todo", "props": { "checked": true } });
    let cases: [(Value, u16, &str, &str); 9] = [
        (json!({ "op": "delete", "id": "nowhere" }), 404, "block_not_found", "/ops/1"),
        (json!({ "op": "merge", "id": "nowhere" }), 404, "block_not_found", "/ops/1"),
        (json!({ "op": "insert", "id": block, "text": "x" }), 409, "id_taken", "/ops/1"),
        (json!({ "op": "move", "id": block, "parent_id": block }), 409, "cycle", "/ops/1"),
        (
            json!({ "op": "split", "id": block, "pos": 100 }),
            422,
            "position_out_of_range",
            "/ops/1",
        ),
        (
            json!({ "op": "insert", "type": "heading", "props": { "level": 9 } }),
            422,
            "invalid",
            "/ops/1/props/level",
        ),
        (
            json!({ "op": "insert", "children": [{ "type": "code", "props": { "wrap": 1 } }] }),
            422,
            "invalid",
            "/ops/1/children/0/props/wrap",
        ),
        (
            json!({ "op": "update", "id": block, "props": { "color": "nocolour" } }),
            422,
            "invalid",
            "/ops/1/props/color",
        ),
        (json!({ "op": "insert", "text": "x".repeat(300 << 10) }), 413, "too_large", "/ops/1"),
    ];
    for (step, status, code, pointer) in cases {
        let answer = owner.post(&path, &json!({ "ops": [first, step] })).await.problem(status, code);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.text);
        assert_eq!(owner.texts(&document).await, ["Hello"], "all or nothing");
    }
    // A request about one block speaks of its own body.
    let heading = json!({ "type": "heading", "props": { "level": 9 } });
    let blocks = format!("/api/v1/documents/{document}/blocks/");
    let answer = owner.post(&blocks, &heading).await.problem(422, "invalid");
    assert_eq!(answer.body["errors"][0]["pointer"], "/props/level");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_heads_at_all_are_no_state_to_edit() {
    let app = TestApp::new().await;
    let (owner, _, document, block) = app.page("Hello").await;
    let path = format!("/api/v1/documents/{document}/");
    let none = json!({ "text": "x", "base_heads": [] });
    let batch = json!({ "ops": [{ "op": "delete", "id": block }], "base_heads": [] });
    for (place, body) in [("blocks/", &none), ("blocks/batch/", &batch)] {
        let answer = owner.post(&format!("{path}{place}"), body).await.problem(422, "invalid");
        assert_eq!(answer.body["errors"][0]["pointer"], "/base_heads");
    }
    owner.patch(&format!("{path}blocks/{block}/"), &none).await.problem(422, "invalid");
    let version = owner
        .post(&format!("{path}versions/"), &json!({ "name": "now" }))
        .await
        .expect(201)
        .id();
    owner
        .patch(&format!("{path}blocks/{block}/"), &json!({ "text": "Later" }))
        .await
        .expect(200);
    let restore = format!("{path}versions/{version}/restore/");
    owner.post(&restore, &json!({ "base_heads": [] })).await.problem(422, "invalid");
    assert_eq!(owner.texts(&document).await, ["Later"]);
    // A body is an object; its fields in a row are none.
    owner.post(&format!("{path}blocks/"), &json!(["x"])).await.problem(422, "invalid");
    app.stop().await;
}
