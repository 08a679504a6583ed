//! Share links: what they open, and that they open nothing else.

use crate::support::{Answer, Socket, TestApp, User};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Somebody who came by a link.
async fn comes_by(app: &TestApp, token: &str, body: Value) -> Answer {
    User::nobody(app).post(&format!("/api/v1/share-links/{token}/unlock/"), &body).await
}

async fn holder(app: &TestApp, token: &str) -> User {
    let opened = comes_by(app, token, json!({})).await.expect(200);
    let mut holder = User::nobody(app);
    holder.token = opened.body["access_token"].as_str().expect("a token").to_owned();
    holder
}

async fn shares(owner: &User, page: &str, body: Value) -> (String, String) {
    let made = owner
        .post(&format!("/api/v1/documents/{page}/share-links/"), &body)
        .await
        .expect(201);
    let token = made.body["token"].as_str().expect("a token").to_owned();
    (format!("/api/v1/share-links/{}/", made.id()), token)
}

fn path(page: &str) -> String {
    format!("/api/v1/documents/{page}/")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_its_page_and_what_hangs_openly_under_it_and_nothing_else() {
    let app = TestApp::new().await;
    let (owner, workspace, page, block) = app.page("Hello").await;
    let under = |title: &str| json!({ "workspace_id": workspace, "title": title, "parent_id": page });
    let below = owner.post("/api/v1/documents/", &under("Below")).await.expect(201).id();
    let closed = owner.post("/api/v1/documents/", &under("Closed")).await.expect(201).id();
    owner.patch(&path(&closed), &json!({ "restricted": true })).await.expect(200);
    let beside = owner.document(&workspace, "Beside", json!([])).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (_, token) = shares(&owner, &page, json!({})).await;
    let look = User::nobody(&app).get(&format!("/api/v1/public/{token}/")).await.expect(200).body;
    assert_eq!(
        (&look["needs_password"], &look["page"]["document_id"]),
        (&json!(false), &json!(page))
    );
    let holder = holder(&app, &token).await;
    let read = holder.get(&path(&page)).await.expect(200).body;
    assert_eq!((&read["level"], &read["blocks"][0]["text"]), (&json!("view"), &json!("Hello")));
    holder.get(&path(&below)).await.expect(200);
    holder.get(&format!("{}markdown/", path(&page))).await.expect(200);
    for other in [&closed, &beside] {
        holder.get(&path(other)).await.problem(404, "not_found");
    }
    holder.patch(&path(&page), &json!({ "title": "x" })).await.problem(403, "forbidden");
    holder
        .patch(&format!("{}blocks/{block}/", path(&page)), &json!({ "text": "x" }))
        .await
        .problem(403, "forbidden");
    // It is no user: what asks for one does not know it.
    for path in [
        "/api/v1/users/me/".to_owned(),
        format!("/api/v1/workspaces/{workspace}/"),
        format!("/api/v1/workspaces/{workspace}/members/"),
        format!("/api/v1/documents/?workspace_id={workspace}"),
        format!("{}grants/", path(&page)),
        format!("{}activity/", path(&page)),
    ] {
        holder.get(&path).await.problem(401, "unauthenticated");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn holders_of_one_link_edit_live_and_are_two() {
    let app = TestApp::new().await;
    let (owner, _, page, block) = app.page("Hello").await;
    let (_, token) = shares(&owner, &page, json!({ "level": "edit" })).await;
    let (one, two) = (holder(&app, &token).await, holder(&app, &token).await);
    let (mut first, _) = Socket::join(&app.address(0), &page, &one.token).await;
    let (mut second, _) = Socket::join(&app.address(0), &page, &two.token).await;
    // The same id of a message, chosen by two people.
    let insert = |text: &str| json!({ "type": "insert", "block": block, "pos": 0, "text": text, "id": "same" });
    first.say(insert("A")).await;
    first.find("ack", |ack| ack["id"] == "same").await;
    second.find("op_echo", |echo| echo["ops"][0]["text"] == "A").await;
    second.say(insert("B")).await;
    second.find("ack", |ack| ack["id"] == "same").await;
    assert_eq!(owner.texts(&page).await, ["BAHello"]);
    one.post(
        &format!("{}blocks/", path(&page)),
        &json!({ "type": "paragraph", "text": "By REST" }),
    )
    .await
    .expect(201);
    one.patch(&path(&page), &json!({ "title": "Ours" })).await.expect(200);
    one.patch(&path(&page), &json!({ "default_level": "none" }))
        .await
        .problem(403, "forbidden");
    one.delete(&path(&page)).await.problem(401, "unauthenticated");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_switched_off_or_ran_out_lets_nobody_stay() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("Hello").await;
    for change in [Some(json!({ "is_enabled": false })), Some(json!({ "password": "swordfish" })), None] {
        let (link, token) = shares(&owner, &page, json!({ "level": "edit" })).await;
        let holder = holder(&app, &token).await;
        let (mut socket, _) = Socket::join(&app.address(0), &page, &holder.token).await;
        let began = Instant::now();
        match &change {
            Some(change) => owner.patch(&link, change).await.expect(200),
            None => owner.delete(&link).await.expect(204),
        };
        assert_eq!(socket.closed().await, 4403);
        assert!(began.elapsed() < Duration::from_secs(1), "{change:?} took {:?}", began.elapsed());
        holder.get(&path(&page)).await.problem(404, "not_found");
        holder
            .post(&format!("{}blocks/", path(&page)), &json!({ "type": "paragraph", "text": "x" }))
            .await
            .problem(404, "not_found");
    }
    let soon = kernel::clock::now() + Duration::from_millis(700);
    let (_, token) = shares(&owner, &page, json!({ "expires_at": soon })).await;
    let holder = holder(&app, &token).await;
    holder.get(&path(&page)).await.expect(200);
    let deadline = Instant::now() + Duration::from_secs(10);
    while holder.get(&path(&page)).await.status == 200 {
        assert!(Instant::now() < deadline, "it does not run out");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    User::nobody(&app)
        .get(&format!("/api/v1/public/{token}/"))
        .await
        .problem(404, "not_found");
    let past = json!({ "expires_at": "2020-01-01T00:00:00Z" });
    owner
        .post(&format!("{}share-links/", path(&page)), &past)
        .await
        .problem(422, "invalid");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_guards_all_that_a_link_tells() {
    let app = TestApp::with(&[("limits.login_failures", "4")]).await;
    let (owner, _, page, _) = app.page("Hello").await;
    let (link, token) = shares(&owner, &page, json!({ "password": "swordfish" })).await;
    let look = User::nobody(&app).get(&format!("/api/v1/public/{token}/")).await.expect(200).body;
    assert_eq!(look, json!({ "needs_password": true, "page": null }));
    comes_by(&app, &token, json!({})).await.problem(403, "password_required");
    comes_by(&app, &token, json!({ "password": "" }))
        .await
        .problem(403, "wrong_password");
    comes_by(&app, &token, json!({ "password": "Swordfish" }))
        .await
        .problem(403, "wrong_password");
    let opened = comes_by(&app, &token, json!({ "password": "swordfish" })).await.expect(200).body;
    assert_eq!((&opened["document_id"], &opened["token_type"]), (&json!(page), &json!("Bearer")));
    comes_by(&app, "nothing", json!({})).await.problem(404, "not_found");
    let mut wrong = 0;
    while comes_by(&app, &token, json!({ "password": "guess" })).await.status == 403 {
        wrong += 1;
        assert!(wrong < 50, "guessing goes on");
    }
    let waits = comes_by(&app, &token, json!({ "password": "swordfish" })).await;
    assert!(waits.problem(429, "too_many_attempts").headers.contains_key("retry-after"));
    let listed = owner.get(&format!("{}share-links/", path(&page))).await.expect(200);
    assert_eq!(
        (&listed.body["data"][0]["token"], &listed.body["data"][0]["has_password"]),
        (&json!(token), &json!(true))
    );
    assert!(!listed.text.contains("swordfish") && !listed.text.contains("argon2"));
    owner.patch(&link, &json!({ "password": null })).await.expect(200);
    comes_by(&app, &token, json!({})).await.expect(200);
    let member = app.user("member").await;
    owner
        .adds(
            &member,
            owner.get(&path(&page)).await.body["workspace_id"].as_str().expect("an id"),
            "member",
        )
        .await;
    member.patch(&link, &json!({ "level": "edit" })).await.problem(403, "forbidden");
    app.user("stranger").await.delete(&link).await.problem(404, "not_found");
    app.stop().await;
}
