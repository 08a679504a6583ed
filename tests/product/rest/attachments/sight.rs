//! Who may see a file: who may see its page, now.

use super::{adds, content, fetches};
use crate::support::{TestApp, User};
use serde_json::{Value, json};

/// Whoever holds a link to a page.
async fn visitor(app: &TestApp, owner: &User, page: &str, level: &str) -> (User, String) {
    let link = owner
        .post(&format!("/api/v1/documents/{page}/share-links/"), &json!({ "level": level }))
        .await
        .expect(201);
    let unlock = format!("/api/v1/share-links/{}/unlock/", link.body["token"].as_str().expect("a token"));
    let opened = User::nobody(app).post(&unlock, &json!({})).await.expect(200);
    let mut visitor = User::nobody(app);
    visitor.token = opened.body["access_token"].as_str().expect("a token").to_owned();
    (visitor, link.id())
}

async fn signed(who: &User, id: &str) -> String {
    let signed = who.get(&format!("/api/v1/attachments/{id}/url/")).await.expect(200);
    signed.body["url"].as_str().expect("a url").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_seen_by_who_sees_its_page_and_by_nobody_else() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("secret").await;
    let (member, stranger) = (app.user("member").await, app.user("stranger").await);
    owner.adds(&member, &workspace, "member").await;
    let id = adds(&app, &owner, &page, "a.txt", "secret bytes").await.expect(201).id();
    let (path, row) = (content(&id), format!("/api/v1/attachments/{id}/"));
    assert_eq!(fetches(&app, &member, &path, &[]).await.bytes, b"secret bytes");
    let url = signed(&member, &id).await;
    assert_eq!(fetches(&app, &User::nobody(&app), &url, &[]).await.bytes, b"secret bytes");

    owner
        .patch(&format!("/api/v1/documents/{page}/"), &json!({ "default_level": "none" }))
        .await
        .expect(200);
    for path in [&path, &row, &url] {
        let who = if path.contains("token=") {
            User::nobody(&app)
        } else {
            member.clone()
        };
        let got = fetches(&app, &who, path, &[]).await;
        assert_eq!(got.status, 404, "{path}");
        assert!(!String::from_utf8_lossy(&got.bytes).contains("secret"));
    }
    adds(&app, &member, &page, "b", "x").await.problem(404, "not_found");
    member.delete(&row).await.problem(404, "not_found");
    stranger.get(&row).await.problem(404, "not_found");
    User::nobody(&app).get(&path).await.problem(401, "unauthenticated");

    // Naming it on a page of one's own opens nothing.
    let own = member
        .document(&workspace, "Mine", json!([{ "type": "image", "props": { "attachment_id": id } }]))
        .await;
    member.get(&path).await.problem(404, "not_found");
    assert_eq!(
        member
            .get(&format!("/api/v1/documents/{}/attachments/", own["id"].as_str().expect("an id")))
            .await
            .expect(200)
            .body["data"],
        json!([])
    );
    // A page in the trash takes its files along, and brings them back.
    owner.delete(&format!("/api/v1/documents/{page}/")).await.expect(204);
    owner.get(&path).await.problem(404, "not_found");
    owner
        .post(&format!("/api/v1/documents/{page}/restore/"), &json!({}))
        .await
        .expect(200);
    assert_eq!(fetches(&app, &owner, &path, &[]).await.status, 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_a_link_sees_the_files_of_its_page_until_it_is_switched_off() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("shared").await;
    let other = owner.document(&workspace, "Other", json!([])).await;
    let id = adds(&app, &owner, &page, "a.txt", "bytes").await.expect(201).id();
    let hidden = adds(&app, &owner, other["id"].as_str().expect("an id"), "b.txt", "hidden")
        .await
        .expect(201)
        .id();
    let (visitor, link) = visitor(&app, &owner, &page, "edit").await;
    assert_eq!(fetches(&app, &visitor, &content(&id), &[]).await.bytes, b"bytes");
    let url = signed(&visitor, &id).await;
    assert_eq!(fetches(&app, &User::nobody(&app), &url, &[]).await.bytes, b"bytes");
    visitor.get(&content(&hidden)).await.problem(404, "not_found");
    adds(&app, &visitor, &page, "c", "x").await.problem(401, "unauthenticated");

    owner
        .patch(&format!("/api/v1/share-links/{link}/"), &json!({ "is_enabled": false }))
        .await
        .expect(200);
    assert_eq!(fetches(&app, &visitor, &content(&id), &[]).await.status, 404);
    assert_eq!(fetches(&app, &User::nobody(&app), &url, &[]).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_opens_one_file_and_ends_with_what_its_owner_came_with() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("with files").await;
    let id = adds(&app, &owner, &page, "a.txt", "bytes").await.expect(201).id();
    let other = adds(&app, &owner, &page, "b.txt", "others").await.expect(201).id();
    let nobody = User::nobody(&app);
    let url = signed(&owner, &id).await;
    assert_eq!(fetches(&app, &nobody, &format!("{url}&download=1"), &[]).await.status, 200);
    for bad in [
        url.replace(&id, &other),
        format!("{url}0"),
        url.replace(".s.", ".l."),
        content(&id) + "?token=",
        content(&id) + "?token=x.y",
    ] {
        assert_eq!(fetches(&app, &nobody, &bad, &[]).await.status, 401, "{bad}");
    }
    // The token is for the bytes alone.
    let token = url.split_once("?token=").expect("a token").1;
    nobody
        .get(&format!("/api/v1/attachments/{id}/?token={token}"))
        .await
        .problem(401, "unauthenticated");
    nobody
        .get(&format!("/api/v1/documents/{page}/?token={token}"))
        .await
        .problem(401, "unauthenticated");

    let key = json!({ "name": "Reader", "scopes": ["attachments:read"] });
    let key = owner.post("/api/v1/auth/api-keys/", &key).await.expect(201);
    let mut reader = User::nobody(&app);
    reader.token = key.body["secret"].as_str().expect("a key").to_owned();
    let by_key = signed(&reader, &id).await;
    assert_eq!(fetches(&app, &nobody, &by_key, &[]).await.status, 200);
    adds(&app, &reader, &page, "c", "x").await.problem(403, "insufficient_scope");
    owner.delete(&format!("/api/v1/auth/api-keys/{}/", key.id())).await.expect(204);
    assert_eq!(fetches(&app, &nobody, &by_key, &[]).await.status, 401);

    let body = json!({ "refresh_token": owner.refresh });
    let out: Value = owner.post("/api/v1/auth/logout/", &body).await.body;
    assert_eq!(fetches(&app, &nobody, &url, &[]).await.status, 401, "{out}");
    app.stop().await;
}
