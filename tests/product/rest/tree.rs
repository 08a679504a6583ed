//! The tree of pages over REST: what is under and above a page, moves within and between workspaces, the archive, the trash.

use crate::support::{Answer, Socket, TestApp, User, app::id_of};
use serde_json::{Value, json};

pub(super) async fn page(owner: &User, workspace: &str, title: &str, parent: Option<&str>) -> String {
    let body = json!({ "workspace_id": workspace, "title": title, "parent_id": parent });
    owner.post("/api/v1/documents/", &body).await.expect(201).id()
}

pub(super) async fn moves(user: &User, page: &str, to: Value) -> Answer {
    user.post(&format!("/api/v1/documents/{page}/move/"), &to).await
}

pub(super) fn titles(list: &Value) -> Vec<&str> {
    let rows = list["data"].as_array().expect("rows");
    rows.iter().map(|row| row["title"].as_str().expect("a title")).collect()
}

/// Somebody who belongs to the workspace as this.
pub(super) async fn joined(app: &TestApp, owner: &User, workspace: &str, role: &str) -> User {
    let user = app.user(role).await;
    owner.adds(&user, workspace, role).await;
    user
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_moved_among_siblings_and_under_others_and_their_path_is_shown() {
    let app = TestApp::new().await;
    let (owner, workspace, top, _) = app.page("top").await;
    let a = page(&owner, &workspace, "a", Some(&top)).await;
    let b = page(&owner, &workspace, "b", Some(&top)).await;
    let c = page(&owner, &workspace, "c", Some(&top)).await;
    let children = format!("/api/v1/documents/{top}/children/");
    assert_eq!(titles(&owner.get(&children).await.expect(200).body), ["a", "b", "c"]);
    moves(&owner, &c, json!({ "before": b })).await.expect(200);
    moves(&owner, &a, json!({ "position": "last" })).await.expect(200);
    assert_eq!(titles(&owner.get(&children).await.expect(200).body), ["c", "b", "a"]);
    let moved = moves(&owner, &b, json!({ "parent_id": c })).await.expect(200);
    assert_eq!(moved.body["parent_id"], c);
    let listed = owner.get(&children).await.expect(200).body;
    assert_eq!(titles(&listed), ["c", "a"]);
    assert_eq!(
        (&listed["data"][0]["has_children"], &listed["data"][1]["has_children"]),
        (&json!(true), &json!(false))
    );
    let above = owner.get(&format!("/api/v1/documents/{b}/ancestors/")).await.expect(200);
    assert_eq!(titles(&above.body), ["Notes", "c"]);
    moves(&owner, &top, json!({ "parent_id": b })).await.problem(409, "cycle");
    moves(&owner, &b, json!({ "parent_id": null })).await.expect(200);
    let tree = owner.get(&format!("/api/v1/workspaces/{workspace}/tree/")).await.expect(200).body;
    assert_eq!(titles(&tree), ["Notes", "b"]);
    assert_eq!(tree["data"][0]["children"][0]["title"], "c");
    for (bad, pointer) in [
        (json!({ "after": b, "before": a }), "/position"),
        (json!({ "after": workspace }), "/after"),
        (json!({ "parent_id": workspace }), "/parent_id"),
        (json!({ "workspace_id": a }), "/workspace_id"),
    ] {
        let refused = moves(&owner, &b, bad).await.problem(422, "invalid");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_the_old_workspace_reads_what_was_moved_to_another_one() {
    let app = TestApp::new().await;
    let (owner, old, top, _) = app.page("secret").await;
    let below = page(&owner, &old, "below", Some(&top)).await;
    let admin = joined(&app, &owner, &old, "admin").await;
    let guest = joined(&app, &owner, &old, "guest").await;
    let grant = json!({ "user_id": guest.id, "level": "manage" });
    owner.post(&format!("/api/v1/documents/{top}/grants/"), &grant).await.expect(201);
    let link = owner
        .post(&format!("/api/v1/documents/{top}/share-links/"), &json!({}))
        .await
        .expect(201);
    let link = link.body["token"].as_str().expect("a token").to_owned();
    let new = owner.post("/api/v1/workspaces/", &json!({ "name": "New" })).await.expect(201).id();
    // They manage the page but are nobody there.
    let refused = moves(&guest, &top, json!({ "workspace_id": new })).await.problem(422, "invalid");
    assert_eq!(refused.body["errors"][0]["pointer"], "/workspace_id");
    let (mut socket, _) = Socket::join(&app.address(0), &top, &admin.token).await;
    let moved = moves(&owner, &top, json!({ "workspace_id": new })).await.expect(200);
    assert_eq!((&moved.body["workspace_id"], &moved.body["level"]), (&json!(new), &json!("manage")));
    assert_eq!(
        moved.body["dropped"],
        json!({ "grants": 1, "share_links": 1, "access_requests": 0 })
    );
    assert_eq!(socket.closed().await, 4403);
    for page in [&top, &below] {
        owner.get(&format!("/api/v1/documents/{page}/")).await.expect(200);
        for other in [&admin, &guest] {
            other.get(&format!("/api/v1/documents/{page}/")).await.problem(404, "not_found");
        }
    }
    User::nobody(&app)
        .post(&format!("/api/v1/share-links/{link}/unlock/"), &json!({}))
        .await
        .problem(404, "not_found");
    let left = owner.get(&format!("/api/v1/workspaces/{old}/documents/")).await.expect(200);
    assert_eq!(left.body["data"], json!([]));
    assert_eq!(owner.texts(&top).await, ["secret"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_page_is_read_only_for_everybody_and_in_no_list_that_does_not_ask() {
    let app = TestApp::new().await;
    let (owner, workspace, top, block) = app.page("kept").await;
    let below = page(&owner, &workspace, "below", Some(&top)).await;
    let path = format!("/api/v1/documents/{top}/");
    let archived = owner.post(&format!("{path}archive/"), &json!({})).await.expect(200);
    assert!(archived.body["archived_at"].is_string());
    let read = owner.get(&path).await.expect(200).body;
    assert_eq!((&read["level"], &read["abilities"]["edit"]), (&json!("view"), &json!(false)));
    let change = json!({ "text": "changed" });
    owner
        .patch(&format!("{path}blocks/{block}/"), &change)
        .await
        .problem(409, "document_archived");
    owner
        .patch(&format!("/api/v1/documents/{below}/"), &json!({ "title": "x" }))
        .await
        .problem(409, "document_archived");
    owner.delete(&path).await.problem(409, "document_archived");
    let under = json!({ "workspace_id": workspace, "parent_id": top });
    owner.post("/api/v1/documents/", &under).await.problem(422, "invalid");
    let list = format!("/api/v1/workspaces/{workspace}/documents/");
    assert_eq!(owner.get(&list).await.expect(200).body["data"], json!([]));
    assert_eq!(
        owner.get(&format!("{list}?archived=true")).await.expect(200).body["data"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let tree = format!("/api/v1/workspaces/{workspace}/tree/");
    assert_eq!(owner.get(&tree).await.expect(200).body["data"], json!([]));
    // Out of the archive before what it hangs under, it shows at the top.
    owner
        .post(&format!("/api/v1/documents/{below}/unarchive/"), &json!({}))
        .await
        .expect(200);
    assert_eq!(titles(&owner.get(&tree).await.expect(200).body), ["below"]);
    owner.post(&format!("{path}unarchive/"), &json!({})).await.expect(200);
    owner.post(&format!("{path}unarchive/"), &json!({})).await.problem(404, "not_found");
    owner.patch(&format!("{path}blocks/{block}/"), &change).await.expect(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_socket_becomes_read_only_when_the_page_is_archived() {
    let app = TestApp::new().await;
    let (owner, _, top, block) = app.page("kept").await;
    let (mut socket, _) = Socket::join(&app.address(0), &top, &owner.token).await;
    owner
        .post(&format!("/api/v1/documents/{top}/archive/"), &json!({}))
        .await
        .expect(200);
    let late = json!({ "type": "insert", "block": block, "pos": 0, "text": "late", "id": "m1" });
    socket.say(late).await;
    let refused = socket.find("error", |message| message["id"] == "m1").await;
    assert_eq!(refused["code"], "read_only", "{refused}");
    assert_eq!(owner.texts(&top).await, ["kept"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trash_is_listed_with_where_from_and_emptied_by_who_manages_it() {
    let app = TestApp::new().await;
    let (owner, workspace, top, _) = app.page("top").await;
    let a = page(&owner, &workspace, "a", Some(&top)).await;
    let below = page(&owner, &workspace, "below", Some(&a)).await;
    let member = joined(&app, &owner, &workspace, "member").await;
    let guest = joined(&app, &owner, &workspace, "guest").await;
    member.delete(&format!("/api/v1/documents/{a}/")).await.expect(204);
    let trash = format!("/api/v1/workspaces/{workspace}/trash/");
    let listed = owner.get(&trash).await.expect(200).body;
    let one = &listed["data"][0];
    assert_eq!(
        (id_of(one), &one["deleted_by"], &one["pages"]),
        (a.clone(), &json!(member.id), &json!(2))
    );
    assert_eq!(one["was_under"]["id"], top);
    assert_eq!(guest.get(&trash).await.expect(200).body["data"], json!([]));
    // Members edit; to destroy takes to manage.
    let kept = member.delete(&trash).await.expect(200).body;
    assert_eq!(kept, json!({ "destroyed": 0, "kept": 1, "next_cursor": null }));
    // One of what went there comes back alone, to the nearest place that lives.
    let back = member
        .post(&format!("/api/v1/documents/{below}/restore/"), &json!({}))
        .await
        .expect(200);
    assert_eq!(back.body["parent_id"], top);
    let emptied = owner.delete(&trash).await.expect(200).body;
    assert_eq!(emptied["destroyed"], 1);
    assert_eq!(owner.get(&trash).await.expect(200).body["data"], json!([]));
    owner.get(&format!("/api/v1/documents/{below}/")).await.expect(200);
    owner
        .post(&format!("/api/v1/documents/{a}/restore/"), &json!({}))
        .await
        .problem(404, "not_found");
    app.stop().await;
}
