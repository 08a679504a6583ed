//! Grants, restricted pages, and why somebody may do what they may.

use crate::support::{TestApp, User};
use serde_json::{Value, json};

/// A page, one under it, one beside it, and a guest and a member of the workspace.
struct Place {
    app: TestApp,
    owner: User,
    guest: User,
    member: User,
    workspace: String,
    page: String,
    below: String,
    beside: String,
}

impl Place {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let (owner, workspace, page, _) = app.page("Hello").await;
        let (guest, member) = (app.user("guest").await, app.user("member").await);
        owner.adds(&guest, &workspace, "guest").await;
        owner.adds(&member, &workspace, "member").await;
        let body = json!({ "workspace_id": workspace, "title": "Below", "parent_id": page });
        let below = owner.post("/api/v1/documents/", &body).await.expect(201).id();
        let beside = owner.document(&workspace, "Beside", json!([])).await;
        Self {
            beside: beside["id"].as_str().expect("an id").to_owned(),
            app,
            owner,
            guest,
            member,
            workspace,
            page,
            below,
        }
    }

    fn grants(&self, page: &str) -> String {
        format!("/api/v1/documents/{page}/grants/")
    }

    async fn grant(&self, page: &str, to: &User, level: &str) -> String {
        let body = json!({ "user_id": to.id, "level": level });
        let made = self.owner.post(&self.grants(page), &body).await.expect(201);
        let place = made.headers["location"].to_str().expect("text").to_owned();
        assert_eq!(place, format!("{}{}/", self.grants(page), made.id()));
        place
    }

    /// What somebody may do with a page; `none` when it is not there for them.
    async fn level(&self, who: &User, page: &str) -> String {
        let answer = who.get(&path(page)).await;
        match answer.status {
            404 => "none".to_owned(),
            _ => answer.expect(200).body["level"].as_str().expect("a level").to_owned(),
        }
    }

    async fn levels(&self, who: &User) -> [String; 3] {
        [
            self.level(who, &self.page).await,
            self.level(who, &self.below).await,
            self.level(who, &self.beside).await,
        ]
    }
}

fn path(page: &str) -> String {
    format!("/api/v1/documents/{page}/")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_opens_a_page_and_what_hangs_under_it_until_it_is_taken_back() {
    let place = Place::new().await;
    assert_eq!(place.levels(&place.guest).await, ["none"; 3]);
    let grant = place.grant(&place.page, &place.guest, "view").await;
    assert_eq!(place.levels(&place.guest).await, ["view", "view", "none"]);
    place
        .guest
        .patch(&path(&place.page), &json!({ "title": "x" }))
        .await
        .problem(403, "forbidden");
    let body = json!({ "level": "edit" });
    assert_eq!(place.owner.patch(&grant, &body).await.expect(200).body["level"], "edit");
    place
        .guest
        .patch(&path(&place.below), &json!({ "title": "Mine" }))
        .await
        .expect(200);
    let listed = place
        .guest
        .get(&format!("/api/v1/documents/?workspace_id={}", place.workspace))
        .await;
    assert_eq!(listed.expect(200).body["data"].as_array().map(Vec::len), Some(2));
    place.owner.delete(&grant).await.expect(204);
    place.owner.delete(&grant).await.problem(404, "not_found");
    assert_eq!(place.levels(&place.guest).await, ["none"; 3]);
    place.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_page_begins_anew() {
    let place = Place::new().await;
    place.grant(&place.page, &place.guest, "edit").await;
    place
        .owner
        .patch(&path(&place.below), &json!({ "restricted": true }))
        .await
        .expect(200);
    assert_eq!(place.levels(&place.guest).await, ["edit", "none", "none"]);
    assert_eq!(place.levels(&place.member).await, ["edit", "none", "edit"]);
    place.grant(&place.below, &place.member, "comment").await;
    assert_eq!(place.levels(&place.member).await, ["edit", "comment", "edit"]);
    let opened = place
        .owner
        .patch(&path(&place.below), &json!({ "restricted": false }))
        .await
        .expect(200);
    assert_eq!(opened.body["restricted"], false);
    assert_eq!(place.levels(&place.guest).await, ["edit", "edit", "none"]);
    place.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_restricts_a_page_goes_on_managing_it() {
    let place = Place::new().await;
    place.grant(&place.page, &place.member, "manage").await;
    // From above, where it stops to count.
    assert_eq!(place.level(&place.member, &place.below).await, "manage");
    place
        .member
        .patch(&path(&place.below), &json!({ "restricted": true }))
        .await
        .expect(200);
    assert_eq!(place.level(&place.member, &place.below).await, "manage");
    let kept = place.member.get(&place.grants(&place.below)).await.expect(200);
    assert_eq!(
        (&kept.body["data"][0]["user_id"], &kept.body["data"][0]["level"]),
        (&json!(place.member.id), &json!("manage"))
    );
    place.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_take_the_right_to_manage_and_people_of_the_workspace() {
    let place = Place::new().await;
    let (grants, stranger) = (place.grants(&place.page), place.app.user("stranger").await);
    let wish = |to: &User, level: &str| json!({ "user_id": to.id, "level": level });
    let member = &place.member;
    member.post(&grants, &wish(member, "manage")).await.problem(403, "forbidden");
    place
        .guest
        .post(&grants, &wish(&place.guest, "view"))
        .await
        .problem(404, "not_found");
    let (owner, field) = (&place.owner, |answer: &Value| answer["errors"][0]["pointer"].clone());
    let refused = owner.post(&grants, &wish(&stranger, "view")).await.problem(422, "invalid");
    assert_eq!(field(&refused.body), "/user_id");
    let refused = owner.post(&grants, &wish(member, "none")).await.problem(422, "invalid");
    assert_eq!(field(&refused.body), "/level");
    let nobody = json!({ "level": "view" });
    assert_eq!(field(&owner.post(&grants, &nobody).await.problem(422, "invalid").body), "/user_id");
    let group = json!({ "group_id": kernel::id::GroupId::new(), "level": "view" });
    assert_eq!(field(&owner.post(&grants, &group).await.problem(422, "invalid").body), "/group_id");
    let grant = place.grant(&place.page, member, "manage").await;
    owner.post(&grants, &wish(member, "view")).await.problem(409, "already_granted");
    // Under the path of another page it is not there.
    let elsewhere = grant.replace(&place.page, &place.beside);
    owner.patch(&elsewhere, &json!({ "level": "view" })).await.problem(404, "not_found");
    owner.delete(&elsewhere).await.problem(404, "not_found");
    // Now they manage it, so they may let others in.
    member.post(&grants, &wish(&place.guest, "manage")).await.expect(201);
    // Who leaves keeps nothing.
    let whole = format!("/api/v1/workspaces/{}/", place.workspace);
    owner.delete(&format!("{whole}members/{}/", member.id)).await.expect(204);
    owner.adds(member, &place.workspace, "guest").await;
    assert_eq!(place.levels(member).await, ["none"; 3]);
    place.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_on_the_workspace_counts_for_every_page_that_is_not_restricted() {
    let place = Place::new().await;
    let grants = format!("/api/v1/workspaces/{}/grants/", place.workspace);
    let wish = json!({ "user_id": place.guest.id, "level": "comment" });
    place.member.post(&grants, &wish).await.problem(403, "forbidden");
    let grant = place.owner.post(&grants, &wish).await.expect(201).id();
    place
        .owner
        .patch(&path(&place.beside), &json!({ "restricted": true }))
        .await
        .expect(200);
    assert_eq!(place.levels(&place.guest).await, ["comment", "comment", "none"]);
    let listed = place.owner.get(&grants).await.expect(200);
    assert_eq!(
        (&listed.body["data"][0]["id"], &listed.body["data"][0]["document_id"]),
        (&json!(grant), &Value::Null)
    );
    let one = format!("{grants}{grant}/");
    place.owner.patch(&one, &json!({ "level": "view" })).await.expect(200);
    assert_eq!(place.level(&place.guest, &place.page).await, "view");
    place.owner.delete(&one).await.expect(204);
    assert_eq!(place.levels(&place.guest).await, ["none"; 3]);
    place.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_says_what_gives_which_level() {
    let place = Place::new().await;
    let explain = |page: &str, user: &str| format!("/api/v1/documents/{page}/access/explain/?user={user}");
    place.grant(&place.page, &place.member, "manage").await;
    place
        .owner
        .patch(&path(&place.page), &json!({ "default_level": "view" }))
        .await
        .expect(200);
    let why = place.owner.get(&explain(&place.below, &place.member.id)).await.expect(200).body;
    assert_eq!((&why["role"], &why["level"]), (&json!("member"), &json!("manage")));
    let reasons: Vec<(&str, &str, &str)> = why["reasons"]
        .as_array()
        .expect("reasons")
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default();
            (text("source"), text("level"), text("document_id"))
        })
        .collect();
    assert_eq!(
        reasons,
        [
            ("document_default", "view", place.page.as_str()),
            ("grant", "manage", &place.page),
            ("manages_above", "manage", &place.page)
        ]
    );
    // Oneself always; others only for who manages; nobody for a stranger.
    let own = place
        .member
        .get(&format!("/api/v1/documents/{}/access/explain/", place.beside))
        .await
        .expect(200);
    assert_eq!(
        (&own.body["level"], &own.body["reasons"][0]["source"]),
        (&json!("edit"), &json!("workspace_default"))
    );
    place
        .member
        .get(&explain(&place.beside, &place.owner.id))
        .await
        .problem(403, "forbidden");
    let managed = place.member.get(&explain(&place.page, &place.owner.id)).await.expect(200);
    assert_eq!(managed.body["reasons"][0]["source"], "role");
    place
        .guest
        .get(&explain(&place.page, &place.guest.id))
        .await
        .problem(404, "not_found");
    let stranger = place.app.user("stranger").await;
    place
        .owner
        .get(&explain(&place.page, &stranger.id))
        .await
        .problem(404, "user_not_found");
    let whole = format!("/api/v1/workspaces/{}/access/explain/?user={}", place.workspace, place.guest.id);
    let why = place.owner.get(&whole).await.expect(200).body;
    assert_eq!((&why["role"], &why["level"]), (&json!("guest"), &json!("none")));
    place.member.get(&whole).await.problem(403, "forbidden");
    place.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_the_page_above_is_not_told_which_one_it_is() {
    let place = Place::new().await;
    // A guest who manages the page below and sees nothing above it.
    place.grant(&place.below, &place.guest, "manage").await;
    place
        .owner
        .patch(&path(&place.page), &json!({ "default_level": "comment" }))
        .await
        .expect(200);
    let why = format!("/api/v1/documents/{}/access/explain/?user={}", place.below, place.member.id);
    let told = place.guest.get(&why).await.expect(200).body;
    assert_eq!(told["level"], "comment");
    assert_eq!(
        (&told["reasons"][0]["source"], &told["reasons"][0]["document_id"]),
        (&json!("document_default"), &Value::Null)
    );
    let told = place.owner.get(&why).await.expect(200).body;
    assert_eq!(told["reasons"][0]["document_id"], place.page);
    place.app.stop().await;
}
