//! The net under permission: every operation of the generated OpenAPI document is called as nobody, as a stranger from
//! another tenant, and as each role. A new operation is in it from its first day.

use crate::support::{TestApp, User};
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt::Write;

/// The answers as they were reviewed.
const TABLE: &str = include_str!("permission.txt");

struct Operation {
    id: String,
    method: Method,
    path: String,
    has_body: bool,
}

fn operations() -> Vec<Operation> {
    let api: Value = serde_json::from_str(&api::openapi().to_json().expect("JSON")).expect("JSON");
    let mut all = Vec::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else {
                continue;
            };
            let Some(id) = operation["operationId"].as_str() else { continue };
            all.push(Operation {
                id: id.to_owned(),
                method,
                path: path.clone(),
                has_body: operation["requestBody"].is_object(),
            });
        }
    }
    assert!(all.len() > 30);
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

/// A workspace with a page, made afresh, because some operations destroy it.
struct Place {
    owner: User,
    workspace: String,
    document: String,
    block: String,
    job: String,
    report: String,
    group: String,
    invitation: String,
    invite_link: String,
}

impl Place {
    async fn new(owner: &User) -> Self {
        let workspace = owner
            .post("/api/v1/workspaces/", &json!({ "name": "Walked" }))
            .await
            .expect(201)
            .id();
        let page = owner
            .document(&workspace, "Page", json!([{ "type": "paragraph", "text": "secret" }]))
            .await;
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let (job, report) = Self::report(owner, &workspace).await;
        Self {
            owner: owner.clone(),
            document: text(&page["id"]),
            block: text(&page["blocks"][0]["id"]),
            job,
            report,
            group: Self::make(owner, &workspace, "groups/", &json!({ "name": "Walkers" })).await,
            invitation: Self::invite(owner, &workspace).await,
            invite_link: Self::make(owner, &workspace, "invite-links/", &json!({})).await,
            workspace,
        }
    }

    async fn make(owner: &User, workspace: &str, what: &str, body: &Value) -> String {
        owner
            .post(&format!("/api/v1/workspaces/{workspace}/{what}"), body)
            .await
            .expect(201)
            .id()
    }

    async fn invite(owner: &User, workspace: &str) -> String {
        let body = json!({ "emails": ["walker@example.com"] });
        let invited = owner
            .post(&format!("/api/v1/workspaces/{workspace}/invite/"), &body)
            .await
            .expect(200)
            .body;
        invited["results"][0]["invitation_id"].as_str().expect("an id").to_owned()
    }

    /// A report that the owner asked for, and the job that made it.
    async fn report(owner: &User, workspace: &str) -> (String, String) {
        let reports = format!("/api/v1/workspaces/{workspace}/reports/");
        let period = json!({ "starts_at": "2026-01-05T00:00:00Z", "ends_at": "2026-01-12T00:00:00Z" });
        let job = owner.post(&reports, &period).await.expect(202).id();
        for _ in 0..1_000 {
            let made = owner.get(&reports).await.expect(200);
            if let Some(id) = made.body["data"][0]["id"].as_str() {
                return (job, id.to_owned());
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no report was made");
    }

    async fn call(&self, caller: &User, operation: &Operation) -> (u16, String) {
        let path = operation
            .path
            .replace("{workspace_id}", &self.workspace)
            .replace("{document_id}", &self.document)
            .replace("{block_id}", &self.block)
            .replace("{user_id}", &self.owner.id)
            .replace("{job_id}", &self.job)
            .replace("{report_id}", &self.report)
            .replace("{group_id}", &self.group)
            .replace("{invitation_id}", &self.invitation)
            .replace("{invite_link_id}", &self.invite_link);
        let path = if operation.id == "documents.list" {
            format!("{path}?workspace_id={}", self.workspace)
        } else {
            path
        };
        if operation.id == "events.stream" {
            return (caller.status_of(&path).await, String::new());
        }
        let body = json!({ "workspace_id": self.workspace, "name": "Walked" });
        let answer = caller
            .call(operation.method.clone(), &path, operation.has_body.then_some(&body))
            .await;
        (answer.status, answer.text)
    }
}

fn is_public(operation: &Operation) -> bool {
    api::openapi::PUBLIC.contains(&operation.id.as_str())
}

/// Operations on the caller's own things, which name nothing of anybody else's.
fn is_own(operation: &Operation) -> bool {
    [
        "users.me",
        "users.invitations",
        "workspaces.list",
        "workspaces.create",
        "events.types",
        "jobs.list",
    ]
    .contains(&operation.id.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_nothing_and_strangers_learn_nothing() {
    let app = TestApp::new().await;
    let (owner, stranger) = (app.user("owner").await, app.user("stranger").await);
    let place = Place::new(&owner).await;
    for operation in operations().iter().filter(|operation| !is_public(operation)) {
        let (status, text) = place.call(&User::nobody(&app), operation).await;
        assert_eq!(status, 401, "{} as nobody: {text}", operation.id);
        if !is_own(operation) {
            let (status, text) = place.call(&stranger, operation).await;
            assert_eq!(status, 404, "{} as a stranger: {text}", operation.id);
            assert!(
                !text.contains("secret") && !text.contains("Walked"),
                "{} leaks: {text}",
                operation.id
            );
        }
    }
    assert_eq!(owner.texts(&place.document).await, ["secret"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_role_may_do_is_the_committed_table() {
    let app = TestApp::new().await;
    let owner = app.user("owner").await;
    let roles = ["guest", "member", "admin", "owner"];
    let mut people = Vec::new();
    for role in roles {
        people.push((role, app.user(role).await));
    }
    let mut table = String::from("operation                guest  member admin  owner\n");
    for operation in operations().iter().filter(|operation| !is_public(operation)) {
        write!(table, "{:<25}", operation.id).expect("written");
        for (role, person) in &people {
            let place = Place::new(&owner).await;
            owner.adds(person, &place.workspace, role).await;
            let (status, _) = place.call(person, operation).await;
            let answer = match status {
                403 | 404 => status.to_string(),
                // Through the door: what is wrong with the empty body comes after.
                200..=299 | 409 | 422 => "yes".to_owned(),
                // Its letter was sent a moment ago.
                429 if operation.id == "invitations.resend" => "yes".to_owned(),
                other => panic!("{} as {role}: {other}", operation.id),
            };
            write!(table, "{answer:<7}").expect("written");
        }
        table = table.trim_end().to_owned() + "\n";
    }
    assert_eq!(table, TABLE, "the table of permissions has changed; review it:\n{table}");
    app.stop().await;
}
