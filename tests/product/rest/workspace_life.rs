//! What a workspace goes through: renamed by two at once, archived, put in the trash and taken out, limited, counted.

use crate::support::{TestApp, User};
use reqwest::Method;
use serde_json::{Value, json};

/// Changes something with `If-Match`.
async fn patch(app: &TestApp, who: &User, path: &str, tag: &str, body: &Value) -> u16 {
    let request = app
        .http
        .patch(app.url(path))
        .bearer_auth(&who.token)
        .header("if-match", tag)
        .json(body);
    request.send().await.expect("the product answers").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_rename_what_both_have_seen_one_is_told() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("secret").await;
    let path = format!("/api/v1/workspaces/{workspace}/");
    for round in 0..5 {
        let seen = owner.get(&path).await.expect(200).headers["etag"]
            .to_str()
            .expect("text")
            .to_owned();
        let (a, b) = (json!({ "name": format!("A{round}") }), json!({ "name": format!("B{round}") }));
        let (first, second) = tokio::join!(patch(&app, &owner, &path, &seen, &a), patch(&app, &owner, &path, &seen, &b));
        let mut statuses = [first, second];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_takes_a_workspace_out_of_the_trash_and_nobody_else() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("Hello").await;
    let admin = app.user("admin").await;
    owner.adds(&admin, &workspace, "admin").await;
    let (path, restore) = (
        format!("/api/v1/workspaces/{workspace}/"),
        format!("/api/v1/workspaces/{workspace}/restore/"),
    );
    owner.call(Method::POST, &restore, None).await.problem(404, "not_found");
    owner.delete(&path).await.expect(204);
    for path in [&path, &format!("/api/v1/documents/{page}/")] {
        owner.get(path).await.problem(404, "not_found");
    }
    let trashed = async |who: &User| who.get("/api/v1/workspaces/?trashed=true").await.expect(200).body["data"].clone();
    assert_eq!(trashed(&owner).await[0]["id"], json!(workspace));
    assert!(trashed(&owner).await[0]["deleted_at"].is_string());
    assert_eq!(trashed(&admin).await, json!([]));
    admin.call(Method::POST, &restore, None).await.problem(404, "not_found");
    app.user("stranger")
        .await
        .call(Method::POST, &restore, None)
        .await
        .problem(404, "not_found");
    User::nobody(&app)
        .call(Method::POST, &restore, None)
        .await
        .problem(401, "unauthenticated");
    owner.call(Method::POST, &restore, None).await.expect(200);
    assert_eq!(owner.texts(&page).await, ["Hello"]);
    admin.get(&path).await.expect(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_workspace_takes_nobody_in() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let admin = app.user("admin").await;
    owner.adds(&admin, &workspace, "admin").await;
    let at = |rest: &str| format!("/api/v1/workspaces/{workspace}/{rest}");
    admin.call(Method::POST, &at("archive/"), None).await.problem(403, "forbidden");
    let archived = owner.call(Method::POST, &at("archive/"), None).await.expect(200).body;
    assert!(archived["archived_at"].is_string(), "{archived}");
    let invite = json!({ "emails": ["grace@example.com"] });
    assert!([403, 409].contains(&admin.post(&at("invite/"), &invite).await.status));
    let link = admin.post(&at("invite-links/"), &json!({})).await;
    assert!([403, 409].contains(&link.status), "{}", link.text);
    let open = owner.call(Method::POST, &at("unarchive/"), None).await.expect(200).body;
    assert_eq!(open["archived_at"], Value::Null);
    admin.post(&at("invite/"), &invite).await.expect(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_kept_and_told() {
    let app = TestApp::with(&[("quotas.members", "2"), ("quotas.documents", "2")]).await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let (second, third) = (app.user("second").await, app.user("third").await);
    owner.adds(&second, &workspace, "member").await;
    let members = format!("/api/v1/workspaces/{workspace}/members/");
    let add = |role: &str| json!({ "email": third.email, "role": role });
    owner.post(&members, &add("member")).await.problem(409, "quota_exceeded");
    owner.post(&members, &add("guest")).await.expect(201);
    let raise = format!("{members}{}/", third.id);
    owner
        .patch(&raise, &json!({ "role": "member" }))
        .await
        .problem(409, "quota_exceeded");
    let page = json!({ "workspace_id": workspace, "title": "More" });
    let answers = tokio::join!(
        owner.post("/api/v1/documents/", &page),
        second.post("/api/v1/documents/", &page),
        second.post("/api/v1/documents/", &page)
    );
    let mut statuses = [answers.0.status, answers.1.status, answers.2.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
    let usage = owner.get(&format!("/api/v1/workspaces/{workspace}/usage/")).await.expect(200).body;
    assert_eq!(
        (&usage["members"], &usage["guests"], &usage["documents"], &usage["blocks"]),
        (&json!(2), &json!(1), &json!(2), &json!(1)),
        "{usage}"
    );
    assert!(usage["bytes"].as_i64().is_some_and(|bytes| bytes > 0), "{usage}");
    assert_eq!(
        usage["limits"],
        json!({ "members": 2, "documents": 2, "bytes": null, "storage_bytes": null })
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_can_be_mentioned_by_members() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let (grace, guest, stranger) = (
        app.user("Grace Hopper").await,
        app.user("guest").await,
        app.user("Grace Stranger").await,
    );
    owner.adds(&grace, &workspace, "member").await;
    owner.adds(&guest, &workspace, "guest").await;
    let path = format!("/api/v1/workspaces/{workspace}/mentionables/?q=");
    let found = grace.get(&format!("{path}hop")).await.expect(200);
    assert_eq!(found.body, json!({ "data": [{ "id": grace.id, "display_name": "Grace Hopper" }] }));
    assert_eq!(grace.get(&path).await.expect(200).body["data"].as_array().map(Vec::len), Some(3));
    assert_eq!(guest.get(&format!("{path}g")).await.expect(200).body, json!({ "data": [] }));
    stranger.get(&path).await.problem(404, "not_found");
    grace.get(&format!("{path}&limit=51")).await.problem(422, "invalid");
    app.stop().await;
}
