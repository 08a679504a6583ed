//! Asking to be let at a page.

use crate::support::TestApp;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_granted_or_denied_once() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("Hello").await;
    let guest = app.user("guest").await;
    owner.adds(&guest, &workspace, "guest").await;
    let (path, requests) = (
        format!("/api/v1/documents/{page}/"),
        format!("/api/v1/documents/{page}/access-requests/"),
    );
    guest
        .post(&requests, &json!({ "level": "edit", "message": " Please. " }))
        .await
        .expect(202);
    // Asked again, it is the same request with another wish.
    guest.post(&requests, &json!({ "level": "view" })).await.expect(202);
    let listed = owner.get(&requests).await.expect(200).body;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    let request = &listed["data"][0];
    assert_eq!((&request["level"], &request["status"]), (&json!("view"), &json!("pending")));
    assert_eq!(request["user_id"], guest.id);
    let decide = |id: &str, what: &str| format!("/api/v1/access-requests/{id}/{what}/");
    let id = request["id"].as_str().expect("an id").to_owned();
    guest.post(&decide(&id, "approve"), &json!({})).await.problem(404, "not_found");
    let granted = owner
        .post(&decide(&id, "approve"), &json!({ "level": "comment" }))
        .await
        .expect(200)
        .body;
    assert_eq!((&granted["status"], &granted["decided_by"]), (&json!("approved"), &json!(owner.id)));
    owner.post(&decide(&id, "deny"), &json!({})).await.problem(409, "already_decided");
    assert_eq!(guest.get(&path).await.expect(200).body["level"], "comment");
    guest
        .post(&requests, &json!({ "level": "view" }))
        .await
        .problem(409, "already_allowed");
    // Now that they see it, they may be told no.
    guest.post(&requests, &json!({ "level": "manage" })).await.expect(202);
    guest.get(&requests).await.problem(403, "forbidden");
    let waiting = owner
        .get(&format!("/api/v1/workspaces/{workspace}/access-requests/"))
        .await
        .expect(200)
        .body;
    let id = waiting["data"][0]["id"].as_str().expect("an id").to_owned();
    guest.post(&decide(&id, "approve"), &json!({})).await.problem(403, "forbidden");
    assert_eq!(
        owner.post(&decide(&id, "deny"), &json!({})).await.expect(200).body["status"],
        "denied"
    );
    assert_eq!(guest.get(&path).await.expect(200).body["level"], "comment");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_tells_nobody_whether_there_is_a_page() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("Hello").await;
    let stranger = app.user("stranger").await;
    let mut answers = Vec::new();
    for id in [page.as_str(), &kernel::id::DocumentId::new().to_string()] {
        let path = format!("/api/v1/documents/{id}/access-requests/");
        let answer = stranger.post(&path, &json!({ "level": "edit" })).await;
        answers.push((answer.status, answer.text));
    }
    assert_eq!(answers, [(202, String::new()), (202, String::new())]);
    let waiting = owner
        .get(&format!("/api/v1/workspaces/{workspace}/access-requests/"))
        .await
        .expect(200)
        .body;
    assert_eq!(waiting["data"], json!([]));
    let bad = json!({ "level": "none", "message": "x".repeat(1_001) });
    let refused = stranger.post(&format!("/api/v1/documents/{page}/access-requests/"), &bad).await;
    assert_eq!(refused.problem(422, "invalid").body["errors"].as_array().map(Vec::len), Some(2));
    app.stop().await;
}
