//! What the walk calls operations with: a workspace with something of everything in it, and somebody to call them.

use super::Operation;
use crate::support::{TestApp, User};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use tokio::sync::Mutex;

/// Who calls, in the order of the table's columns.
pub const CALLERS: [&str; 9] = ["nobody", "stranger", "guest", "granted", "member", "admin", "owner", "key", "link"];

/// A workspace with a page, its owner, and a member who is not meant.
pub struct Place {
    owner: User,
    bystander: User,
    workspace: String,
    pub document: String,
    block: String,
    /// Who has called here, by their kind.
    people: Mutex<HashMap<(&'static str, Option<Method>), User>>,
    /// The ids of what was made here, by the path up to them.
    made: Mutex<HashMap<String, String>>,
}

/// Whether [`Place::call`] changes the page first, so that there is something to do.
pub fn is_prepared(operation: &Operation) -> bool {
    ["documents.restore", "documents.unarchive"].contains(&operation.id.as_str())
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

impl Place {
    pub async fn new(app: &TestApp) -> Self {
        let (owner, bystander) = (app.user("owner").await, app.user("bystander").await);
        let workspace = owner
            .post("/api/v1/workspaces/", &json!({ "name": "Walked" }))
            .await
            .expect(201)
            .id();
        owner.adds(&bystander, &workspace, "member").await;
        let page = owner
            .document(&workspace, "Page", json!([{ "type": "paragraph", "text": "secret" }]))
            .await;
        Self {
            owner,
            bystander,
            workspace,
            document: text(&page["id"]),
            block: text(&page["blocks"][0]["id"]),
            people: Mutex::default(),
            made: Mutex::default(),
        }
    }

    /// Somebody of this kind, the same for every operation.
    pub async fn caller(&self, app: &TestApp, kind: &'static str, operation: &Operation) -> User {
        let mut people = self.people.lock().await;
        let scopes = (kind == "key").then(|| operation.method.clone());
        if let Some(known) = people.get(&(kind, scopes.clone())) {
            return known.clone();
        }
        let person = self.casts(app, kind, operation).await;
        people.insert((kind, scopes), person.clone());
        person
    }

    async fn casts(&self, app: &TestApp, kind: &str, operation: &Operation) -> User {
        let document = format!("/api/v1/documents/{}/", self.document);
        match kind {
            "nobody" => User::nobody(app),
            "stranger" => app.user("stranger").await,
            "owner" => self.owner.clone(),
            "key" => self.with(app, &self.small_key(operation).await),
            "link" => {
                let link = json!({ "level": "edit" });
                let link = self.owner.post(&format!("{document}share-links/"), &link).await.expect(201);
                let unlock = format!("/api/v1/share-links/{}/unlock/", text(&link.body["token"]));
                let opened = User::nobody(app).post(&unlock, &json!({})).await.expect(200);
                self.with(app, &text(&opened.body["access_token"]))
            }
            "granted" => {
                let guest = app.user("granted").await;
                self.owner.adds(&guest, &self.workspace, "guest").await;
                let grant = json!({ "user_id": guest.id, "level": "edit" });
                self.owner.post(&format!("{document}grants/"), &grant).await.expect(201);
                guest
            }
            role => {
                let person = app.user(role).await;
                self.owner.adds(&person, &self.workspace, role).await;
                person
            }
        }
    }

    fn with(&self, app: &TestApp, token: &str) -> User {
        let mut user = User::nobody(app);
        user.token = token.to_owned();
        user
    }

    /// A key of the owner whose scopes cover everything but what the operation does.
    async fn small_key(&self, operation: &Operation) -> String {
        let scopes = match operation.method {
            Method::GET => json!(["*:write", "*:delete"]),
            Method::DELETE => json!(["*:read", "*:write"]),
            _ => json!(["*:read", "*:delete"]),
        };
        let key = json!({ "name": "Small", "scopes": scopes });
        let made = self.owner.post("/api/v1/auth/api-keys/", &key).await.expect(201);
        text(&made.body["secret"])
    }

    /// Makes what a path names, and gives its id.
    async fn makes(&self, name: &str, path: &str) -> String {
        let (owner, document) = (&self.owner, format!("/api/v1/documents/{}/", self.document));
        let workspace = format!("/api/v1/workspaces/{}/", self.workspace);
        let grant = json!({ "user_id": self.bystander.id, "level": "view" });
        match name {
            "workspace_id" => self.workspace.clone(),
            "document_id" => self.document.clone(),
            "block_id" => self.block.clone(),
            "version_id" => self.version().await,
            "user_id" => self.bystander.id.clone(),
            "job_id" => self.report().await.0,
            "report_id" => self.report().await.1,
            "export_id" => self.export().await,
            "grant_id" if path.starts_with("/api/v1/documents/") => {
                owner.post(&format!("{document}grants/"), &grant).await.expect(201).id()
            }
            "grant_id" => owner.post(&format!("{workspace}grants/"), &grant).await.expect(201).id(),
            "share_link_id" => owner.post(&format!("{document}share-links/"), &json!({})).await.expect(201).id(),
            "access_request_id" => {
                let asks = json!({ "level": "manage" });
                self.bystander.post(&format!("{document}access-requests/"), &asks).await.expect(202);
                let asked = owner.get(&format!("{document}access-requests/")).await.expect(200);
                text(&asked.body["data"][0]["id"])
            }
            "invitation_id" => {
                let invite = json!({ "emails": ["new@example.com"], "role": "member" });
                let invited = owner.post(&format!("{workspace}invite/"), &invite).await.expect(200);
                text(&invited.body["results"][0]["invitation_id"])
            }
            "invite_link_id" => owner.post(&format!("{workspace}invite-links/"), &json!({})).await.expect(201).id(),
            "group_id" => owner
                .post(
                    &format!("{workspace}groups/"),
                    &json!({ "name": kernel::id::GroupId::new().to_string() }),
                )
                .await
                .expect(201)
                .id(),
            "session_id" => text(&owner.get("/api/v1/auth/sessions/").await.expect(200).body["data"][0]["id"]),
            "api_key_id" => {
                let key = json!({ "name": "Mine", "scopes": ["*:read"] });
                owner.post("/api/v1/auth/api-keys/", &key).await.expect(201).id()
            }
            "token" if path.contains("/invitations/") => {
                let link = owner.post(&format!("{workspace}invite-links/"), &json!({})).await.expect(201);
                text(&link.body["token"])
            }
            "token" => {
                let link = owner.post(&format!("{document}share-links/"), &json!({})).await.expect(201);
                text(&link.body["token"])
            }
            // Any body is the bytes of a file.
            "attachment_id" => owner.post(&format!("{document}attachments/"), &json!({})).await.expect(201).id(),
            "provider" => "nowhere".to_owned(),
            other => panic!("the walk does not know how to make a {other}"),
        }
    }

    /// A page exported by the owner.
    async fn export(&self) -> String {
        let asked = json!({ "format": "json" });
        let path = format!("/api/v1/documents/{}/exports/", self.document);
        let job = self.owner.post(&path, &asked).await.expect(202).id();
        for _ in 0..1_000 {
            if self.owner.get(&format!("/api/v1/jobs/{job}/")).await.expect(200).body["state"] == "done" {
                return job;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no export was made");
    }

    /// A named version of the page, the same for who only reads it.
    async fn version(&self) -> String {
        let versions = format!("/api/v1/documents/{}/versions/", self.document);
        let known = self.owner.get(&versions).await.expect(200);
        match known.body["data"][0]["id"].as_str() {
            Some(id) => id.to_owned(),
            None => self.owner.post(&versions, &json!({ "name": "Walked" })).await.expect(201).id(),
        }
    }

    /// A report that the owner asked for, and the job that made it.
    async fn report(&self) -> (String, String) {
        let reports = format!("/api/v1/workspaces/{}/reports/", self.workspace);
        let period = json!({ "starts_at": "2026-01-05T00:00:00Z", "ends_at": "2026-01-12T00:00:00Z" });
        let job = self.owner.post(&reports, &period).await.expect(202).id();
        for _ in 0..1_000 {
            let made = self.owner.get(&reports).await.expect(200);
            if let Some(id) = made.body["data"][0]["id"].as_str() {
                return (job, id.to_owned());
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no report was made");
    }

    /// The path of an operation, with ids of what is there.
    pub async fn path(&self, operation: &Operation) -> String {
        let mut path = operation.path.clone();
        while let Some((before, rest)) = path.split_once('{') {
            let (name, after) = rest.split_once('}').expect("a name ends");
            let mut made = self.made.lock().await;
            let key = format!("{before}{name}");
            let id = match made.get(&key) {
                Some(id) => id.clone(),
                None => made.entry(key).or_insert(self.makes(name, &path).await).clone(),
            };
            path = format!("{before}{id}{after}");
        }
        match operation.id.as_str() {
            "imports.create_documents" => format!("{path}?workspace_id={}", self.workspace),
            "documents.list" => format!("{path}?workspace_id={}", self.workspace),
            "documents.diff" => format!("{path}?from=1"),
            "search.find" => format!("{path}?q=secret"),
            _ => path,
        }
    }

    /// Calls an operation. Gives the status and the body.
    pub async fn call(&self, caller: &User, operation: &Operation, path: &str) -> (u16, String) {
        if operation.id == "events.stream" {
            return (caller.status_of(path).await, String::new());
        }
        let document = format!("/api/v1/documents/{}/", self.document);
        match operation.id.as_str() {
            "documents.restore" => drop(self.owner.delete(&document).await.expect(204)),
            "documents.unarchive" => drop(self.owner.post(&format!("{document}archive/"), &json!({})).await.expect(200)),
            _ => {}
        }
        let body = json!({ "workspace_id": self.workspace, "document_id": self.document, "name": "Walked" });
        let answer = caller
            .call(operation.method.clone(), path, operation.has_body.then_some(&body))
            .await;
        (answer.status, answer.text)
    }
}
