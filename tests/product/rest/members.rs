//! Members: what they see of each other, the list, and handing a workspace on.

use crate::support::{TestApp, User};
use entity::session;
use kernel::clock;
use sea_orm::{EntityTrait, sea_query::Expr};
use serde_json::{Value, json};
use std::time::Duration;

fn names(list: &Value) -> Vec<String> {
    let all = list["data"].as_array().expect("a list").iter();
    all.map(|one| one["user"]["display_name"].as_str().expect("a name").to_owned())
        .collect()
}

/// A workspace with one of each role: `(owner, admin, member, guest, workspace)`.
async fn people(app: &TestApp) -> (User, User, User, User, String) {
    let (owner, workspace, ..) = app.page("secret").await;
    let (admin, member, guest) = (app.user("Ada Admin").await, app.user("member").await, app.user("guest").await);
    for (person, role) in [(&admin, "admin"), (&member, "member"), (&guest, "guest")] {
        owner.adds(person, &workspace, role).await;
    }
    (owner, admin, member, guest, workspace)
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_for_admins_and_oneself() {
    let app = TestApp::new().await;
    let (owner, admin, member, _, workspace) = people(&app).await;
    let members = format!("/api/v1/workspaces/{workspace}/members/");
    let list = member.get(&members).await.expect(200);
    let shown: Vec<&Value> = list.body["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["user"]["email"])
        .collect();
    assert_eq!(shown, [&Value::Null, &Value::Null, &json!(member.email), &Value::Null]);
    let one = format!("{members}{}/", owner.id);
    assert_eq!(member.get(&one).await.expect(200).body["user"]["email"], Value::Null);
    assert_eq!(admin.get(&one).await.expect(200).body["user"]["email"], owner.email);
    let by_address = format!("{members}?q={}", owner.email);
    assert_eq!(
        names(&member.get(&by_address).await.expect(200).body),
        [""; 0],
        "nor can they be guessed"
    );
    assert_eq!(names(&admin.get(&by_address).await.expect(200).body), ["owner"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_paged_and_searched() {
    let app = TestApp::new().await;
    let (owner, _, member, _, workspace) = people(&app).await;
    let members = format!("/api/v1/workspaces/{workspace}/members/");
    let mut seen = Vec::new();
    let mut path = format!("{members}?limit=3");
    loop {
        let list = owner.get(&path).await.expect(200).body;
        seen.extend(names(&list));
        let Some(cursor) = list["next_cursor"].as_str() else { break };
        path = format!("{members}?limit=3&cursor={cursor}");
    }
    assert_eq!(seen, ["owner", "Ada Admin", "member", "guest"]);
    for (word, found) in [
        ("ada", vec!["Ada Admin"]),
        ("ADM", vec!["Ada Admin"]),
        ("%", vec![]),
        ("dmin", vec![]),
    ] {
        let list = member
            .get(&format!("{members}?q={}", word.replace('%', "%25")))
            .await
            .expect(200)
            .body;
        assert_eq!(names(&list), found, "{word}");
    }
    owner.get(&format!("{members}?limit=0")).await.problem(422, "invalid");
    owner.get(&format!("{members}?cursor=nonsense")).await.problem(422, "invalid");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_handed_on_with_a_fresh_login() {
    let app = TestApp::new().await;
    let (owner, admin, member, _, workspace) = people(&app).await;
    let path = format!("/api/v1/workspaces/{workspace}/transfer-ownership/");
    let to = |user: &User| json!({ "user_id": user.id });
    admin.post(&path, &to(&member)).await.problem(403, "forbidden");
    let stranger = app.user("stranger").await;
    stranger.post(&path, &to(&stranger)).await.problem(404, "not_found");
    owner.post(&path, &to(&stranger)).await.problem(404, "not_found");
    owner.post(&path, &to(&owner)).await.problem(422, "invalid");
    let db = app.database().await;
    let authenticated = async |at: clock::Time| {
        session::Entity::update_many()
            .col_expr(session::Column::AuthenticatedAt, Expr::value(Some(at)))
            .exec(&db)
            .await
            .expect("written");
    };
    authenticated(clock::now() - Duration::from_secs(3_600)).await;
    owner.post(&path, &to(&member)).await.problem(403, "fresh_login_required");
    let delete = format!("/api/v1/workspaces/{workspace}/");
    owner.delete(&delete).await.problem(403, "fresh_login_required");
    authenticated(clock::now()).await;
    owner.post(&path, &to(&member)).await.expect(204);
    let role = async |who: &User| who.get(&delete).await.expect(200).body["role"].clone();
    assert_eq!((role(&owner).await, role(&member).await), (json!("admin"), json!("owner")));
    owner.post(&path, &to(&owner)).await.problem(403, "forbidden");
    db.close().await.expect("it closes");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_who_put_each_other_down_at_once_leave_one() {
    let app = TestApp::new().await;
    let (owner, admin, _, _, workspace) = people(&app).await;
    let member = |user: &User| format!("/api/v1/workspaces/{workspace}/members/{}/", user.id);
    owner.patch(&member(&admin), &json!({ "role": "owner" })).await.expect(200);
    let down = json!({ "role": "member" });
    let (there, here) = (member(&admin), member(&owner));
    let answers = tokio::join!(owner.patch(&there, &down), admin.patch(&here, &down));
    let mut statuses = [answers.0.status, answers.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403], "{} {}", answers.0.text, answers.1.text);
    let left = if answers.0.status == 200 { &owner } else { &admin };
    let leave = format!("/api/v1/workspaces/{workspace}/leave/");
    left.post(&leave, &json!({})).await.problem(409, "last_owner");
    app.stop().await;
}
