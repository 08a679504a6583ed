//! Ways into somebody else's account, or out of what a right or key allows, that are closed.

use super::totp::set_up;
use crate::support::{Letters, Socket, TestApp, User};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const NEW: &str = "staple battery horse correct";

async fn key(user: &User, body: Value) -> (String, String) {
    let made = user.post("/api/v1/auth/api-keys/", &body).await.expect(201);
    let secret = made.body["secret"].as_str().expect("a key").to_owned();
    (format!("/api/v1/auth/api-keys/{}/", made.id()), secret)
}

fn with(user: &User, token: &str) -> User {
    let mut same = user.clone();
    token.clone_into(&mut same.token);
    same
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_the_change_of_address_that_a_thief_began() {
    let (app, letters) = Letters::app(&[]).await;
    let ada = app.user("ada").await;
    let thief = format!("thief-{}", ada.email);
    ada.post("/api/v1/auth/email/change/", &json!({ "email": thief })).await.expect(202);
    let token = letters.token(&thief, "Confirm your new e-mail address", 1).await;
    let change = json!({ "current_password": "correct horse battery staple", "password": NEW });
    ada.post("/api/v1/auth/password/change/", &change).await.expect(204);
    let verify = User::nobody(&app)
        .post("/api/v1/auth/email/verify/", &json!({ "token": token }))
        .await;
    verify.problem(422, "invalid_token");
    assert_eq!(ada.get("/api/v1/users/me/").await.expect(200).body["email"], ada.email);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_proves_an_address_by_a_letter_has_the_account_for_themselves() {
    let (app, letters) = Letters::app(&[]).await;
    // Somebody made it with an address that is not theirs, and left ways to come back.
    let squatter = app.user("victim").await;
    let (_, secret) = key(&squatter, json!({ "name": "Back door", "scopes": ["*:read"] })).await;
    set_up(&squatter).await;
    with(&squatter, &secret).get("/api/v1/users/me/").await.expect(200);
    let forgot = json!({ "email": squatter.email });
    User::nobody(&app).post("/api/v1/auth/password/forgot/", &forgot).await.expect(202);
    let token = letters.token(&squatter.email, "Set a new password", 1).await;
    let body = json!({ "token": token, "password": NEW });
    User::nobody(&app).post("/api/v1/auth/password/reset/", &body).await.expect(204);
    with(&squatter, &secret)
        .get("/api/v1/users/me/")
        .await
        .problem(401, "unauthenticated");
    let login = json!({ "email": squatter.email, "password": NEW });
    let entered = User::nobody(&app).post("/api/v1/auth/login/", &login).await.expect(200);
    assert!(
        entered.body["access_token"].is_string(),
        "no second factor of somebody else: {}",
        entered.text
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_does_not_let_anybody_guess_the_password() {
    let app = TestApp::with(&[("limits.login_failures", "3")]).await;
    let ada = app.user("ada").await;
    for path in ["/api/v1/auth/reauthenticate/", "/api/v1/auth/password/change/"] {
        let mut wrong = 0;
        loop {
            let guess = json!({ "password": "a wrong password", "current_password": "a wrong password" });
            let answer = ada.post(path, &guess).await;
            if answer.status == 429 {
                break;
            }
            answer.problem(403, "wrong_password");
            wrong += 1;
            assert!(wrong < 20, "{path} may be guessed at");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_in_disguise_is_counted_as_what_it_is() {
    let app = TestApp::with(&[("limits.auth_per_minute", "3")]).await;
    let login = json!({ "email": "nobody@example.com", "password": "x" });
    let mut refused = 0;
    for _ in 0..8 {
        let answer = User::nobody(&app).post("/api/v1/%61uth/login/", &login).await;
        refused += usize::from(answer.status == 429);
    }
    assert!(refused >= 4, "{refused} of 8 were refused");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_id_is_no_way_to_an_address() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let stranger = app.user("stranger").await;
    let members = format!("/api/v1/workspaces/{workspace}/members/");
    let by_id = json!({ "user_id": stranger.id, "role": "guest" });
    let refused = owner.post(&members, &by_id).await.problem(404, "user_not_found");
    assert!(!refused.text.contains(&stranger.email));
    // Whose address they see anyway, from another workspace that they administer, they may add.
    let other = owner
        .post("/api/v1/workspaces/", &json!({ "name": "Other" }))
        .await
        .expect(201)
        .id();
    owner.adds(&stranger, &other, "guest").await;
    owner.post(&members, &by_id).await.expect(201);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_no_more_than_it_may_now() {
    let app = TestApp::new().await;
    let (owner, workspace, document, block) = app.page("Hello").await;
    let scopes = json!(["documents:*", "blocks:*"]);
    let (path, secret) = key(&owner, json!({ "name": "Robot", "scopes": scopes })).await;
    let (mut socket, _) = Socket::join(&app.address(0), &document, &secret).await;
    let began = Instant::now();
    owner
        .patch(&path, &json!({ "scopes": ["documents:read", "blocks:read"] }))
        .await
        .expect(200);
    assert_eq!(socket.closed().await, 4401);
    assert!(began.elapsed() < Duration::from_secs(1), "took {:?}", began.elapsed());
    // A connection that is renewed with a smaller key becomes one.
    let (mut socket, _) = Socket::join(&app.address(0), &document, &owner.token).await;
    socket.say(json!({ "type": "auth", "token": secret })).await;
    assert_eq!(socket.until("permission").await["permission"], "read");
    socket
        .say(json!({ "type": "insert", "block": block, "pos": 0, "text": "x", "id": "1" }))
        .await;
    assert_eq!(socket.until("error").await["code"], "read_only");
    // A key of one workspace has no other.
    let other = owner
        .post("/api/v1/workspaces/", &json!({ "name": "Other" }))
        .await
        .expect(201)
        .id();
    let (_, bound) = key(&owner, json!({ "name": "Bound", "scopes": ["*:*"], "workspace_id": workspace })).await;
    let bound = with(&owner, &bound);
    bound.get(&format!("/api/v1/workspaces/{workspace}/")).await.expect(200);
    bound.get(&format!("/api/v1/workspaces/{other}/")).await.problem(404, "not_found");
    let listed = bound.get("/api/v1/workspaces/").await.expect(200).body;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    for (method, path) in [
        ("POST", "/api/v1/workspaces/"),
        ("GET", "/api/v1/users/me/invitations/"),
        ("PATCH", "/api/v1/users/me/"),
    ] {
        let method = method.parse().expect("a method");
        bound
            .call(method, path, Some(&json!({ "name": "x" })))
            .await
            .problem(403, "insufficient_scope");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_comes_back_from_the_trash_as_closed_as_it_went() {
    let app = TestApp::new().await;
    let (owner, workspace, restricted, _) = app.page("Hello").await;
    let (editor, member) = (app.user("editor").await, app.user("member").await);
    owner.adds(&editor, &workspace, "guest").await;
    owner.adds(&member, &workspace, "member").await;
    let path = |page: &str| format!("/api/v1/documents/{page}/");
    owner.patch(&path(&restricted), &json!({ "restricted": true })).await.expect(200);
    let grant = json!({ "user_id": editor.id, "level": "edit" });
    owner.post(&format!("{}grants/", path(&restricted)), &grant).await.expect(201);
    let below = json!({ "workspace_id": workspace, "title": "Below", "parent_id": restricted });
    let below = owner.post("/api/v1/documents/", &below).await.expect(201).id();
    member.get(&path(&below)).await.problem(404, "not_found");
    // First the page below, then the one above; back in the other order.
    editor.delete(&path(&below)).await.expect(204);
    editor.delete(&path(&restricted)).await.expect(204);
    editor.post(&format!("{}restore/", path(&below)), &json!({})).await;
    member.get(&path(&below)).await.problem(404, "not_found");
    owner.delete(&format!("{}?permanent=true", path(&restricted))).await.expect(204);
    member.get(&path(&below)).await.problem(404, "not_found");
    owner.get(&path(&below)).await.expect(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_opening_a_link_gives_ends_with_the_link() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("Hello").await;
    let soon = kernel::clock::now() + Duration::from_secs(60);
    let links = format!("/api/v1/documents/{page}/share-links/");
    let link = owner.post(&links, &json!({ "expires_at": soon })).await.expect(201);
    let unlock = format!("/api/v1/share-links/{}/unlock/", link.body["token"].as_str().expect("a token"));
    let opened = User::nobody(&app).post(&unlock, &json!({})).await.expect(200);
    assert!(opened.body["expires_in"].as_u64().is_some_and(|secs| secs <= 60), "{}", opened.text);
    app.stop().await;
}
