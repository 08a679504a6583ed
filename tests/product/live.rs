//! Live pages: what stock and JSON clients see of each other, of REST, and of other nodes.

mod dialect;
mod edits;
mod hello;
mod kinds;
mod leases;
mod locks;
mod markdown;
mod nodes;
mod over_http;
mod presence;
mod refusals;
mod rest;
mod restore;
mod resume;
mod revoked;
mod stock;

use crate::support::{Socket, TestApp, User, socket::Heard};
use serde_json::{Value, json};

/// A product with one page of one block, and its owner.
struct Scene {
    app: TestApp,
    owner: User,
    workspace: String,
    document: String,
    block: String,
}

impl Scene {
    async fn new(text: &str) -> Self {
        Self::of(TestApp::new().await, text).await
    }

    async fn of(app: TestApp, text: &str) -> Self {
        let (owner, workspace, document, block) = app.page(text).await;
        Self {
            app,
            owner,
            workspace,
            document,
            block,
        }
    }

    /// A member of the workspace.
    async fn member(&self, name: &str) -> User {
        let user = self.app.user(name).await;
        self.owner.adds(&user, &self.workspace, "member").await;
        user
    }

    /// A JSON client of somebody, past its snapshot.
    async fn join(&self, user: &User) -> Socket {
        Socket::join(&self.app.address(0), &self.document, &user.token).await.0
    }

    /// A JSON client that says hello with these fields.
    async fn hello(&self, fields: Value) -> Socket {
        let mut socket = Socket::page(&self.app.address(0), &self.document, &self.owner.token).await;
        let mut hello = fields;
        hello["type"] = json!("hello");
        socket.say(hello).await;
        socket
    }

    async fn texts(&self) -> Vec<String> {
        self.owner.texts(&self.document).await
    }

    fn page(&self) -> String {
        format!("/api/v1/documents/{}/", self.document)
    }
}

/// The items of one frame.
fn items(message: &Value) -> Vec<Value> {
    let inside = message["items"].as_array().or_else(|| message["data"]["items"].as_array());
    inside.cloned().unwrap_or_else(|| vec![message.clone()])
}

/// Says an edit and waits for its answer, an `ack` or an `error`.
async fn edit(socket: &mut Socket, message: Value) -> Value {
    let id = message["id"].clone();
    socket.say(message).await;
    loop {
        match socket.hear().await {
            Heard::Json(answer) if answer["id"] == id && (answer["type"] == "ack" || answer["type"] == "error") => return answer,
            Heard::Json(_) => {}
            end => panic!("waited for the answer to {id}, but heard {end:?}"),
        }
    }
}

/// Every echo up to a number, each exactly once and without holes after `from`.
async fn echoes(socket: &mut Socket, from: i64, to: i64) -> Vec<Value> {
    let (mut at, mut all) = (from, Vec::new());
    while at < to {
        let Heard::Json(message) = socket.hear().await else {
            panic!("the connection ended at {at} of {to}")
        };
        for item in items(&message).into_iter().filter(|item| item["type"] == "op_echo") {
            let seq = item["server_seq"].as_i64().expect("a number");
            assert_eq!(
                item["from_seq"].as_i64().unwrap_or(seq - 1),
                at,
                "a hole or something told twice: {item}"
            );
            at = seq;
            all.push(item);
        }
    }
    all
}

/// What stands in the way is nothing: the answer to a ping comes after everything said before it.
async fn up_to_now(socket: &mut Socket) -> Vec<Value> {
    socket.say(json!({ "type": "ping", "t": "now" })).await;
    let mut heard = Vec::new();
    loop {
        match socket.hear().await {
            Heard::Json(message) if message["type"] == "pong" => return heard,
            Heard::Json(message) => heard.extend(items(&message)),
            end => panic!("waited for a pong, but heard {end:?}"),
        }
    }
}
