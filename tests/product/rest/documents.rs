//! Pages and blocks over REST.

use crate::support::TestApp;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_lives_through_trash_and_restore_with_what_hangs_under_it() {
    let app = TestApp::new().await;
    let (owner, workspace, parent, _) = app.page("parent").await;
    let body = json!({ "workspace_id": workspace, "title": "Child", "parent_id": parent });
    let child = owner.post("/api/v1/documents/", &body).await.expect(201).id();
    owner.delete(&format!("/api/v1/documents/{parent}/")).await.expect(204);
    for id in [&parent, &child] {
        owner.get(&format!("/api/v1/documents/{id}/")).await.problem(404, "not_found");
    }
    let list = format!("/api/v1/documents/?workspace_id={workspace}");
    assert_eq!(owner.get(&list).await.expect(200).body["data"], json!([]));
    assert_eq!(
        owner.get(&format!("{list}&trashed=true")).await.expect(200).body["data"]
            .as_array()
            .expect("rows")
            .len(),
        2
    );
    owner
        .post(&format!("/api/v1/documents/{parent}/restore/"), &json!({}))
        .await
        .expect(200);
    assert_eq!(
        owner.get(&format!("/api/v1/documents/{child}/")).await.expect(200).body["parent_id"],
        parent
    );
    owner
        .delete(&format!("/api/v1/documents/{parent}/?permanent=true"))
        .await
        .problem(404, "not_found");
    owner.delete(&format!("/api/v1/documents/{parent}/")).await.expect(204);
    owner
        .delete(&format!("/api/v1/documents/{parent}/?permanent=true"))
        .await
        .expect(204);
    owner
        .post(&format!("/api/v1/documents/{parent}/restore/"), &json!({}))
        .await
        .problem(404, "not_found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_made_moved_split_merged_and_deleted() {
    let app = TestApp::new().await;
    let (owner, _, document, first) = app.page("Hello world").await;
    let blocks = format!("/api/v1/documents/{document}/blocks/");
    let made = owner
        .post(
            &blocks,
            &json!({ "type": "todo", "text": "second", "after": first, "props": { "checked": false } }),
        )
        .await
        .expect(201);
    let second = made.body["blocks"][0]["id"].as_str().expect("an id").to_owned();
    owner
        .post(&format!("{blocks}{second}/move/"), &json!({ "before": first }))
        .await
        .expect(200);
    assert_eq!(owner.texts(&document).await, ["second", "Hello world"]);
    owner
        .post(&format!("{blocks}{first}/split/"), &json!({ "pos": 5, "new_id": "tail" }))
        .await
        .expect(200);
    assert_eq!(owner.texts(&document).await, ["second", "Hello", " world"]);
    owner.post(&format!("{blocks}tail/merge/"), &json!({})).await.expect(200);
    assert_eq!(owner.texts(&document).await, ["second", "Hello world"]);
    let child = owner
        .post(&format!("{blocks}{first}/children/"), &json!({ "text": "below" }))
        .await
        .expect(201);
    let below = child.body["blocks"][0]["id"].as_str().expect("an id").to_owned();
    owner
        .post(&format!("{blocks}{first}/move/"), &json!({ "parent_id": below }))
        .await
        .problem(409, "cycle");
    owner.delete(&format!("{blocks}{first}/")).await.expect(204);
    assert_eq!(owner.texts(&document).await, ["second"]);
    owner.get(&format!("{blocks}{below}/")).await.problem(404, "block_not_found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_with_old_heads_merges_and_a_batch_is_all_or_nothing() {
    let app = TestApp::new().await;
    let (owner, _, document, block) = app.page("Hello").await;
    let page = format!("/api/v1/documents/{document}/");
    let old = owner.get(&page).await.expect(200).body["heads"].clone();
    let path = format!("{page}blocks/{block}/");
    owner.patch(&path, &json!({ "text": "Hello world" })).await.expect(200);
    owner
        .patch(&path, &json!({ "text": "Oh, Hello", "base_heads": old }))
        .await
        .expect(200);
    assert_eq!(owner.texts(&document).await, ["Oh, Hello world"]);
    let batch = json!({ "ops": [{ "op": "insert", "text": "kept?" }, { "op": "delete", "id": "no-such-block" }] });
    owner
        .post(&format!("{page}blocks/batch/"), &batch)
        .await
        .problem(404, "block_not_found");
    assert_eq!(owner.texts(&document).await, ["Oh, Hello world"]);
    let again = json!({ "ops": [{ "op": "insert", "text": "once" }], "message_id": "m1" });
    for is_duplicate in [false, true] {
        let answer = owner.post(&format!("{page}blocks/batch/"), &again).await.expect(200);
        assert_eq!(answer.body["duplicate"], is_duplicate);
    }
    assert_eq!(owner.texts(&document).await, ["Oh, Hello world", "once"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_field_is_named() {
    let app = TestApp::new().await;
    let (owner, workspace, document, _) = app.page("text").await;
    let bad = json!({ "workspace_id": workspace, "title": "x", "blocks": [{ "type": "heading", "props": { "level": 9 } }] });
    let answer = owner.post("/api/v1/documents/", &bad).await.problem(422, "invalid");
    assert_eq!(answer.body["errors"][0]["pointer"], "/blocks/0/props/level");
    let body = json!({ "text": "x", "type": "Not A Type" });
    owner
        .post(&format!("/api/v1/documents/{document}/blocks/"), &body)
        .await
        .problem(422, "invalid");
    owner.get("/api/v1/documents/no-uuid/").await.problem(404, "not_found");
    owner
        .post("/api/v1/documents/", &json!({ "workspace_id": workspace, "parent_id": workspace }))
        .await
        .problem(422, "invalid");
    let nested = (0..70).fold(json!({ "text": "x" }), |block, _| json!({ "text": "x", "children": [block] }));
    let deep = owner
        .post("/api/v1/documents/", &json!({ "workspace_id": workspace, "blocks": [nested] }))
        .await;
    assert!([400, 413, 422].contains(&deep.status), "{}", deep.text);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reads_as_markdown_and_its_title_merges() {
    let app = TestApp::new().await;
    let (owner, _, document, _) = app.page("Hello").await;
    owner
        .patch(
            &format!("/api/v1/documents/{document}/"),
            &json!({ "title": "Better notes", "icon": "📝" }),
        )
        .await
        .expect(200);
    let markdown = owner.get(&format!("/api/v1/documents/{document}/markdown")).await.expect(200);
    assert_eq!(markdown.text.trim(), "# Better notes\n\nHello");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_sent_again_is_known_also_behind_a_snapshot() {
    let app = TestApp::with(&[("collab.snapshot_rows", "1")]).await;
    let (owner, _, document, _) = app.page("Hello").await;
    let path = format!("/api/v1/documents/{document}/blocks/batch/");
    let write = json!({ "ops": [{ "op": "insert", "text": "once" }], "message_id": "m1" });
    owner.post(&path, &write).await.expect(200);
    // After the restart the page comes from its snapshot, and only the log in the database remembers the message.
    let app = app.restart().await;
    let owner = owner.at(&app.address(0));
    for _ in 0..2 {
        assert_eq!(owner.post(&path, &write).await.expect(200).body["duplicate"], true);
    }
    assert_eq!(owner.texts(&document).await, ["Hello", "once"]);
    app.stop().await;
}
