//! Links that let people join.

use crate::support::{TestApp, User};
use serde_json::json;

const ACCEPT: &str = "/api/v1/invitations/accept/";

#[tokio::test(flavor = "multi_thread")]
async fn a_link_lets_in_as_many_as_it_says_until_it_is_off() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("secret").await;
    let links = format!("/api/v1/workspaces/{workspace}/invite-links/");
    let made = owner
        .post(&links, &json!({ "role": "member", "max_uses": 2 }))
        .await
        .expect(201)
        .body;
    let token = made["token"].as_str().expect("a token").to_owned();
    assert_eq!(made["path"], format!("/open/#invitation={token}"));
    let listed = owner.get(&links).await.expect(200).body;
    assert_eq!(listed["data"], json!([made]), "who made it may copy it again");

    let seen = User::nobody(&app)
        .get(&format!("/api/v1/invitations/{token}/"))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&seen["workspace"], &seen["role"], &seen["email"]),
        (&json!("Engines"), &json!("member"), &json!(null))
    );
    let body = json!({ "token": token });
    let anew = json!({ "token": token, "display_name": "New", "password": "correct horse battery staple" });
    for body in [&body, &anew] {
        User::nobody(&app).post(ACCEPT, body).await.problem(401, "unauthenticated");
    }
    let people = [app.user("a").await, app.user("b").await, app.user("c").await, app.user("d").await];
    let [a, b, c, d] = &people;
    let answers = tokio::join!(
        a.post(ACCEPT, &body),
        b.post(ACCEPT, &body),
        c.post(ACCEPT, &body),
        d.post(ACCEPT, &body)
    );
    let mut statuses = <[_; 4]>::from(answers).map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 410, 410]);
    owner.post(ACCEPT, &body).await.problem(410, "invitation_used");

    let second = owner.post(&links, &json!({})).await.expect(201);
    let token = second.body["token"].as_str().expect("a token").to_owned();
    owner.post(ACCEPT, &json!({ "token": token })).await.problem(409, "already_member");
    owner.delete(&format!("{links}{}/", second.id())).await.expect(204);
    owner.delete(&format!("{links}{}/", second.id())).await.problem(404, "not_found");
    app.user("e")
        .await
        .post(ACCEPT, &json!({ "token": token }))
        .await
        .problem(410, "invitation_revoked");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_made_by_admins_within_bounds_and_seen_by_them() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("secret").await;
    let (stranger, theirs, ..) = app.page("theirs").await;
    let member = app.user("member").await;
    owner.adds(&member, &workspace, "member").await;
    let links = format!("/api/v1/workspaces/{workspace}/invite-links/");
    let made = owner.post(&links, &json!({ "email_domain": "Corp.example" })).await.expect(201);
    assert_eq!(made.body["email_domain"], "corp.example");
    member.get(&links).await.problem(403, "forbidden");
    member.post(&links, &json!({})).await.problem(403, "forbidden");
    stranger.get(&links).await.problem(404, "not_found");
    let foreign = format!("/api/v1/workspaces/{theirs}/invite-links/{}/", made.id());
    stranger.delete(&foreign).await.problem(404, "not_found");
    let bad = json!({ "role": "admin", "email_domain": "x", "max_uses": 0, "expires_at": "2020-01-01T00:00:00Z" });
    let problem = owner.post(&links, &bad).await.problem(422, "invalid").body;
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(4), "{problem}");
    let body = json!({ "token": made.body["token"] });
    stranger.post(ACCEPT, &body).await.problem(403, "email_not_verified");
    app.stop().await;
}
