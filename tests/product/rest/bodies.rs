//! Ids in bodies are authorised like ids in paths: somebody who owns one workspace names things of another in what they send.

use crate::support::{TestApp, User};
use reqwest::Method;
use serde_json::{Value, json};

/// A workspace with a page, a block, a group and a member.
struct Home {
    owner: User,
    workspace: String,
    page: String,
    block: String,
    group: String,
    member: User,
}

impl Home {
    async fn new(app: &TestApp) -> Self {
        let (owner, workspace, page, block) = app.page("secret").await;
        let member = app.user("member").await;
        owner.adds(&member, &workspace, "member").await;
        let groups = format!("/api/v1/workspaces/{workspace}/groups/");
        let group = owner.post(&groups, &json!({ "name": "Editors" })).await.expect(201).id();
        Self {
            owner,
            workspace,
            page,
            block,
            group,
            member,
        }
    }

    /// Calls of the owner of this home in which something of `other` stands, and the field that it is.
    fn calls(&self, other: &Self) -> Vec<(Method, String, Value)> {
        let (home, page) = (
            format!("/api/v1/workspaces/{}/", self.workspace),
            format!("/api/v1/documents/{}/", self.page),
        );
        let post = |path: String, body: Value| (Method::POST, path, body);
        vec![
            post(
                "/api/v1/documents/".to_owned(),
                json!({ "workspace_id": other.workspace, "title": "x" }),
            ),
            post(
                "/api/v1/documents/".to_owned(),
                json!({ "workspace_id": self.workspace, "title": "x", "parent_id": other.page }),
            ),
            post(format!("{page}grants/"), json!({ "user_id": other.member.id, "level": "view" })),
            post(format!("{page}grants/"), json!({ "group_id": other.group, "level": "view" })),
            post(format!("{home}grants/"), json!({ "user_id": other.member.id, "level": "view" })),
            post(format!("{home}grants/"), json!({ "group_id": other.group, "level": "view" })),
            post(
                format!("{home}invite/"),
                json!({ "emails": ["a@example.com"], "role": "guest", "document_id": other.page, "level": "view" }),
            ),
            post(format!("{home}transfer-ownership/"), json!({ "user_id": other.member.id })),
            post(
                "/api/v1/auth/api-keys/".to_owned(),
                json!({ "name": "x", "scopes": ["*:read"], "workspace_id": other.workspace }),
            ),
            post("/api/v1/auth/ws-ticket/".to_owned(), json!({ "document_id": other.page })),
            post(format!("{page}blocks/{}/move/", self.block), json!({ "parent_id": other.block })),
            post(format!("{page}blocks/{}/move/", self.block), json!({ "after": other.block })),
            post(format!("{page}blocks/{}/merge/", self.block), json!({ "into": other.block })),
            post(
                format!("{page}blocks/"),
                json!({ "type": "paragraph", "text": "x", "parent_id": other.block }),
            ),
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_of_another_tenant_is_not_there_in_bodies_either() {
    let app = TestApp::new().await;
    let (mine, theirs) = (Home::new(&app).await, Home::new(&app).await);
    for (method, path, body) in mine.calls(&theirs) {
        let answer = mine.owner.call(method, &path, Some(&body)).await;
        let told = || format!("{path} {body}: {} {}", answer.status, answer.text);
        assert!([404, 422].contains(&answer.status), "{}", told());
        assert!(!answer.text.contains("secret") && !answer.text.contains("Editors"), "{}", told());
    }
    // With ids of one's own the same calls go through, so that it was the ids that were refused.
    for (method, path, body) in mine.calls(&mine) {
        // Nobody moves or merges a block into itself, or a page under nothing of its own.
        if path.contains(&mine.block) || body["parent_id"] == mine.block.as_str() {
            continue;
        }
        let answer = mine.owner.call(method, &path, Some(&body)).await;
        assert!(
            (200..300).contains(&answer.status) || answer.status == 409,
            "{path} {body}: {}",
            answer.text
        );
    }
    assert_eq!(theirs.owner.texts(&theirs.page).await, ["secret"]);
    let listed = theirs
        .owner
        .get(&format!("/api/v1/documents/?workspace_id={}", theirs.workspace))
        .await;
    assert_eq!(listed.expect(200).body["data"].as_array().map(Vec::len), Some(1));
    app.stop().await;
}
