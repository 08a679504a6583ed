//! A workspace's settings.

use crate::support::TestApp;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_read_by_all_and_changed_by_admins() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let (member, guest) = (app.user("member").await, app.user("guest").await);
    owner.adds(&member, &workspace, "member").await;
    owner.adds(&guest, &workspace, "guest").await;
    let path = format!("/api/v1/workspaces/{workspace}/settings/");
    let usual = guest.get(&path).await.expect(200);
    assert_eq!(
        usual.body,
        json!({ "default_level": "edit", "share_links": true, "member_invites": false, "archive_after_days": null })
    );
    member
        .patch(&path, &json!({ "member_invites": true }))
        .await
        .problem(403, "forbidden");
    let bad = owner
        .patch(&path, &json!({ "default_level": "everything" }))
        .await
        .problem(422, "invalid")
        .body;
    assert_eq!(bad["errors"][0]["pointer"], "/default_level");
    let never = owner
        .patch(&path, &json!({ "archive_after_days": 0 }))
        .await
        .problem(422, "invalid")
        .body;
    assert_eq!(never["errors"][0]["pointer"], "/archive_after_days");

    let invite = format!("/api/v1/workspaces/{workspace}/invite/");
    let (as_member, as_admin) = (
        json!({ "emails": ["a@example.com"], "role": "member" }),
        json!({ "emails": ["b@example.com"], "role": "admin" }),
    );
    member.post(&invite, &as_member).await.problem(403, "forbidden");
    let changed = owner.patch(&path, &json!({ "member_invites": true })).await.expect(200);
    assert_eq!(
        changed.body,
        json!({ "default_level": "edit", "share_links": true, "member_invites": true, "archive_after_days": null })
    );
    assert_ne!(changed.headers["etag"], usual.headers["etag"]);
    member.post(&invite, &as_member).await.expect(200);
    member.post(&invite, &as_admin).await.problem(403, "role_too_high");
    guest.post(&invite, &as_member).await.problem(403, "forbidden");

    let stale = usual.headers["etag"].to_str().expect("text");
    let request = app.http.patch(app.url(&path)).bearer_auth(&owner.token).header("if-match", stale);
    let answer = request.json(&json!({ "share_links": false })).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 412);
    assert_eq!(owner.get(&path).await.expect(200).body["share_links"], true);
    for days in [json!(90), json!(null)] {
        let policy = json!({ "archive_after_days": days });
        assert_eq!(owner.patch(&path, &policy).await.expect(200).body["archive_after_days"], days);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_makes_a_page_where_members_see_none_manages_it() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("x").await;
    let ada = app.user("Ada").await;
    owner.adds(&ada, &workspace, "member").await;
    let settings = format!("/api/v1/workspaces/{workspace}/settings/");
    owner.patch(&settings, &json!({ "default_level": "none" })).await.expect(200);
    ada.get(&format!("/api/v1/documents/{page}/")).await.problem(404, "not_found");
    let made = ada.document(&workspace, "Mine", json!([])).await;
    assert_eq!(made["level"], "manage", "{made}");
    let mine = format!("/api/v1/documents/{}/", made["id"].as_str().expect("an id"));
    ada.patch(&mine, &json!({ "title": "Still mine" })).await.expect(200);
    app.stop().await;
}
