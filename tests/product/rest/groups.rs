//! Groups of members.

use crate::support::TestApp;
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_made_filled_renamed_and_removed() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("secret").await;
    let (member, guest) = (app.user("member").await, app.user("guest").await);
    owner.adds(&member, &workspace, "member").await;
    owner.adds(&guest, &workspace, "guest").await;
    let groups = format!("/api/v1/workspaces/{workspace}/groups/");
    let made = owner.post(&groups, &json!({ "name": "Engineers" })).await.expect(201);
    let one = format!("{groups}{}/", made.id());
    assert_eq!(made.headers["location"], *one);
    owner
        .post(&groups, &json!({ "name": "ENGINEERS" }))
        .await
        .problem(409, "name_taken");
    owner.post(&groups, &json!({ "name": " " })).await.problem(422, "invalid");
    for person in [&member, &guest, &member] {
        let place = format!("{one}members/{}/", person.id);
        owner.call(Method::PUT, &place, None).await.expect(204);
    }
    let read = member.get(&one).await.expect(200);
    assert_eq!(
        read.body["members"],
        json!([{ "id": guest.id, "display_name": "guest" }, { "id": member.id, "display_name": "member" }])
    );
    assert!(!read.text.contains('@'), "no addresses: {}", read.text);
    guest.get(&one).await.problem(403, "forbidden");
    member.patch(&one, &json!({ "name": "Mine" })).await.problem(403, "forbidden");
    assert_eq!(
        owner.patch(&one, &json!({ "name": "Builders" })).await.expect(200).body["member_count"],
        2
    );
    owner.delete(&format!("{one}members/{}/", guest.id)).await.expect(204);
    owner.delete(&format!("{one}members/{}/", guest.id)).await.expect(204);
    owner
        .delete(&format!("/api/v1/workspaces/{workspace}/members/{}/", member.id))
        .await
        .expect(204);
    let listed = owner.get(&groups).await.expect(200).body;
    assert_eq!(
        (&listed["data"][0]["name"], &listed["data"][0]["member_count"]),
        (&json!("Builders"), &json!(0)),
        "who leaves the workspace leaves its groups"
    );
    owner.delete(&one).await.expect(204);
    owner.get(&one).await.problem(404, "not_found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_of_one_workspace_and_takes_its_members_only() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("secret").await;
    let (stranger, theirs, ..) = app.page("theirs").await;
    let groups = format!("/api/v1/workspaces/{workspace}/groups/");
    let id = owner.post(&groups, &json!({ "name": "Engineers" })).await.expect(201).id();
    let put = async |path: String| owner.call(Method::PUT, &path, None).await;
    put(format!("{groups}{id}/members/{}/", stranger.id))
        .await
        .problem(404, "not_found");
    put(format!("{groups}{id}/members/nonsense/")).await.problem(404, "not_found");
    let foreign = format!("/api/v1/workspaces/{theirs}/groups/{id}/");
    stranger.get(&foreign).await.problem(404, "not_found");
    stranger.patch(&foreign, &json!({ "name": "Mine" })).await.problem(404, "not_found");
    stranger.delete(&foreign).await.problem(404, "not_found");
    let into = format!("{foreign}members/{}/", stranger.id);
    stranger.call(Method::PUT, &into, None).await.problem(404, "not_found");
    stranger.delete(&into).await.problem(404, "not_found");
    stranger.get(&groups).await.problem(404, "not_found");
    app.stop().await;
}
