//! Copies of pages, templates, favourites, what was read last, and what leads to a page.

mod files;

use super::tree::{joined, moves, page, titles};
use crate::support::{Answer, Socket, TestApp, User};
use serde_json::{Value, json};
use std::time::Duration;

/// Asks until the answer fits: what follows from an edit or a reading is done a moment later.
async fn until(user: &User, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..500 {
        let body = user.get(path).await.expect(200).body;
        if fits(&body) {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} never came to fit: {}", user.get(path).await.text);
}

async fn duplicates(user: &User, page: &str) -> Answer {
    let path = format!("/api/v1/documents/{page}/duplicate/");
    user.call(reqwest::Method::POST, &path, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_stands_behind_its_page_with_its_subtree_and_leads_to_its_own_pages() {
    let app = TestApp::new().await;
    let (owner, workspace, top, block) = app.page("see the child").await;
    let child = page(&owner, &workspace, "child", Some(&top)).await;
    page(&owner, &workspace, "last", None).await;
    let link = json!({ "type": "link_to_page", "props": { "document_id": child } });
    owner.post(&format!("/api/v1/documents/{top}/blocks/"), &link).await.expect(201);
    let bold = json!({ "marks": [{ "name": "bold", "value": true, "start": 0, "end": 3 }] });
    owner
        .patch(&format!("/api/v1/documents/{top}/blocks/{block}/"), &bold)
        .await
        .expect(200);
    let copy = duplicates(&owner, &top).await.expect(201);
    assert_eq!((&copy.body["title"], &copy.body["copied"]), (&json!("Notes (copy)"), &json!(2)));
    let tree = owner.get(&format!("/api/v1/workspaces/{workspace}/tree/")).await.expect(200).body;
    assert_eq!(titles(&tree), ["Notes", "Notes (copy)", "last"]);
    let (copied, below) = (copy.id(), tree["data"][1]["children"][0]["id"].clone());
    assert!(below != json!(child) && tree["data"][1]["children"][0]["title"] == "child");
    let read = owner.get(&format!("/api/v1/documents/{copied}/")).await.expect(200).body;
    assert_eq!(read["blocks"][1]["props"]["document_id"], below);
    assert_eq!(read["blocks"][0]["marks"], bold["marks"]);
    assert_eq!((&read["blocks"][0]["id"], &read["version"]), (&json!(block), &json!(1)));
    // What is changed in one is not changed in the other.
    let change = json!({ "text": "changed" });
    owner
        .patch(&format!("/api/v1/documents/{copied}/blocks/{block}/"), &change)
        .await
        .expect(200);
    assert_eq!(owner.texts(&top).await[0], "see the child");
    let alone = json!({ "include_subtree": false, "title": "Alone" });
    let alone = owner.post(&format!("/api/v1/documents/{top}/duplicate/"), &alone).await.expect(201);
    assert_eq!((&alone.body["title"], &alone.body["copied"]), (&json!("Alone"), &json!(1)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_what_its_maker_sees_and_is_as_closed_as_what_it_is_made_of() {
    let app = TestApp::new().await;
    let (owner, workspace, top, _) = app.page("open").await;
    let hidden = page(&owner, &workspace, "hidden", Some(&top)).await;
    let shown = page(&owner, &workspace, "shown", Some(&top)).await;
    for id in [&hidden, &shown] {
        owner
            .patch(&format!("/api/v1/documents/{id}/"), &json!({ "restricted": true }))
            .await
            .expect(200);
    }
    let (member, other) = (
        joined(&app, &owner, &workspace, "member").await,
        joined(&app, &owner, &workspace, "member").await,
    );
    let grant = json!({ "user_id": member.id, "level": "view" });
    owner.post(&format!("/api/v1/documents/{shown}/grants/"), &grant).await.expect(201);
    let copy = duplicates(&member, &top).await.expect(201);
    assert_eq!(copy.body["copied"], 2);
    let children = format!("/api/v1/documents/{}/children/", copy.id());
    let below = member.get(&children).await.expect(200).body;
    assert_eq!((titles(&below), &below["data"][0]["level"]), (vec!["shown"], &json!("manage")));
    assert_eq!(titles(&other.get(&children).await.expect(200).body), Vec::<&str>::new());
    // Who may not put pages where it is may not duplicate it there.
    let guest = joined(&app, &owner, &workspace, "guest").await;
    let grant = json!({ "user_id": guest.id, "level": "edit" });
    owner.post(&format!("/api/v1/documents/{top}/grants/"), &grant).await.expect(201);
    duplicates(&guest, &top).await.problem(403, "forbidden");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_copied_to_another_workspace_within_its_quota() {
    let app = TestApp::with(&[("quotas.documents", "3")]).await;
    let (owner, workspace, top, _) = app.page("text").await;
    let child = page(&owner, &workspace, "child", Some(&top)).await;
    let new = owner.post("/api/v1/workspaces/", &json!({ "name": "New" })).await.expect(201).id();
    let copy = format!("/api/v1/documents/{top}/copy/");
    let made = owner.post(&copy, &json!({ "workspace_id": new })).await.expect(201);
    assert_eq!((&made.body["workspace_id"], &made.body["title"]), (&json!(new), &json!("Notes")));
    assert_eq!(owner.texts(&made.id()).await, ["text"]);
    owner
        .post(&copy, &json!({ "workspace_id": new }))
        .await
        .problem(409, "quota_exceeded");
    moves(&owner, &top, json!({ "workspace_id": new }))
        .await
        .problem(409, "quota_exceeded");
    let into = json!({ "workspace_id": new, "parent_id": made.id(), "include_subtree": false });
    let third = owner.post(&copy, &into).await.expect(201);
    assert_eq!(third.body["parent_id"], made.id());
    duplicates(&owner, &child).await.expect(201);
    duplicates(&owner, &child).await.problem(409, "quota_exceeded");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_subtree_is_copied_by_a_job() {
    let app = TestApp::new().await;
    let (owner, workspace, top, _) = app.page("many").await;
    for n in 0..40 {
        page(&owner, &workspace, &format!("p{n:02}"), Some(&top)).await;
    }
    let job = duplicates(&owner, &top).await.expect(202);
    let path = format!("/api/v1/jobs/{}/", job.id());
    until(&owner, &path, |job| job["state"] == "done").await;
    let done = owner.get(&format!("{path}result/")).await.expect(200).body;
    assert_eq!(done["copied"], 41);
    let copy = done["document_id"].as_str().expect("an id");
    let below = owner.get(&format!("/api/v1/documents/{copy}/children/")).await.expect(200).body;
    let expected: Vec<String> = (0..40).map(|n| format!("p{n:02}")).collect();
    assert_eq!(titles(&below), expected);
    let tree = owner
        .get(&format!("/api/v1/workspaces/{workspace}/tree/?depth=1"))
        .await
        .expect(200)
        .body;
    assert_eq!(titles(&tree), ["Notes", "Notes (copy)"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_made_from_a_template_has_its_content_and_is_a_page_of_its_own() {
    let app = TestApp::new().await;
    let (owner, workspace, top, _) = app.page("Agenda").await;
    let new = json!({ "workspace_id": workspace, "template_id": top, "icon": "📝" });
    let refused = owner.post("/api/v1/documents/", &new).await.problem(422, "invalid");
    assert_eq!(refused.body["errors"][0]["pointer"], "/template_id");
    owner
        .patch(&format!("/api/v1/documents/{top}/"), &json!({ "is_template": true }))
        .await
        .expect(200);
    let templates = owner
        .get(&format!("/api/v1/workspaces/{workspace}/templates/"))
        .await
        .expect(200)
        .body;
    assert_eq!(titles(&templates), ["Notes"]);
    let made = owner.post("/api/v1/documents/", &new).await.expect(201).body;
    assert_eq!(
        (&made["title"], &made["icon"], &made["is_template"]),
        (&json!("Notes"), &json!("📝"), &json!(false))
    );
    assert_eq!(made["blocks"][0]["text"], "Agenda");
    let titled = json!({ "workspace_id": workspace, "template_id": top, "title": "Monday", "parent_id": made["id"] });
    assert_eq!(owner.post("/api/v1/documents/", &titled).await.expect(201).body["title"], "Monday");
    let both = json!({ "workspace_id": workspace, "template_id": top, "blocks": [{ "text": "x" }] });
    owner.post("/api/v1/documents/", &both).await.problem(422, "invalid");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn favourites_and_recents_are_in_their_order_and_without_what_was_lost() {
    let app = TestApp::new().await;
    let (owner, workspace, a, _) = app.page("a").await;
    let b = page(&owner, &workspace, "b", None).await;
    let c = page(&owner, &workspace, "c", None).await;
    let member = joined(&app, &owner, &workspace, "member").await;
    let put = async |page: &str, place: Option<Value>| {
        let path = format!("/api/v1/documents/{page}/favorite/");
        member.call(reqwest::Method::PUT, &path, place.as_ref()).await
    };
    for page in [&a, &b, &c] {
        put(page, None).await.expect(204);
    }
    put(&c, Some(json!({ "position": "first" }))).await.expect(204);
    put(&b, None).await.expect(204);
    let favorites = "/api/v1/users/me/favorites/";
    assert_eq!(titles(&member.get(favorites).await.expect(200).body), ["c", "Notes", "b"]);
    assert_eq!(titles(&owner.get(favorites).await.expect(200).body), Vec::<&str>::new());
    put(&a, Some(json!({ "after": workspace }))).await.problem(422, "invalid");
    // Read by REST and by a socket.
    let recents = "/api/v1/users/me/recents/";
    member.get(&format!("/api/v1/documents/{a}/")).await.expect(200);
    until(&member, recents, |body| titles(body) == ["Notes"]).await;
    let (socket, _) = Socket::join(&app.address(0), &c, &member.token).await;
    until(&member, recents, |body| titles(body) == ["c", "Notes"]).await;
    socket.close().await;
    owner
        .patch(&format!("/api/v1/documents/{c}/"), &json!({ "default_level": "none" }))
        .await
        .expect(200);
    assert_eq!(titles(&member.get(favorites).await.expect(200).body), ["Notes", "b"]);
    assert_eq!(titles(&member.get(recents).await.expect(200).body), ["Notes"]);
    member.delete(&format!("/api/v1/documents/{b}/favorite/")).await.expect(204);
    owner.delete(&format!("/api/v1/documents/{a}/")).await.expect(204);
    assert_eq!(member.get(favorites).await.expect(200).body["data"], json!([]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_knows_what_leads_to_it_as_far_as_the_reader_may() {
    let app = TestApp::new().await;
    let (owner, workspace, target, _) = app.page("target").await;
    let mention = json!({ "kind": "page", "id": target }).to_string();
    let blocks = json!([
        { "id": "m", "text": "see it", "marks": [{ "name": "mention", "value": mention, "start": 0, "end": 3 }] },
        { "id": "l", "text": "and here", "marks": [{ "name": "link", "value": format!("/documents/{target}/"), "start": 0, "end": 3 }] },
    ]);
    let open = owner.document(&workspace, "open", blocks).await;
    let link = json!([{ "type": "link_to_page", "props": { "document_id": target } }]);
    let closed = owner.document(&workspace, "closed", link).await;
    let path = format!("/api/v1/documents/{}/", closed["id"].as_str().expect("an id"));
    owner.patch(&path, &json!({ "restricted": true })).await.expect(200);
    let member = joined(&app, &owner, &workspace, "member").await;
    let backlinks = format!("/api/v1/documents/{target}/backlinks/");
    let both = until(&owner, &backlinks, |body| {
        body["data"].as_array().is_some_and(|rows| rows.len() == 2)
    })
    .await;
    let found = both["data"].as_array().expect("rows").iter().find(|row| row["title"] == "open");
    let naming = json!([{ "block_id": "l", "kind": "link" }, { "block_id": "m", "kind": "mention" }]);
    assert_eq!(found.expect("it leads there")["blocks"], naming);
    assert_eq!(titles(&member.get(&backlinks).await.expect(200).body), ["open"]);
    let page = format!("/api/v1/documents/{}/blocks/", open["id"].as_str().expect("an id"));
    for block in ["l", "m"] {
        owner.delete(&format!("{page}{block}/")).await.expect(204);
    }
    until(&owner, &backlinks, |body| titles(body) == ["closed"]).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_icon_is_an_emoji_or_a_picture() {
    let app = TestApp::new().await;
    let (owner, _, top, _) = app.page("text").await;
    let path = format!("/api/v1/documents/{top}/");
    for icon in ["👩‍🚀", "https://example.com/i.png"] {
        assert_eq!(owner.patch(&path, &json!({ "icon": icon })).await.expect(200).body["icon"], icon);
    }
    let bad = json!({ "icon": "javascript:alert(1)", "cover": "x" });
    let refused = owner.patch(&path, &bad).await.problem(422, "invalid");
    assert_eq!(refused.body["errors"].as_array().map(Vec::len), Some(2));
    app.stop().await;
}
