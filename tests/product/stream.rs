//! The live stream of events from the outside: what arrives, who gets it, how it goes on after a break, how it ends.

mod ends;
mod load;
mod log;
mod nodes;
mod sight;

use crate::support::{
    Sse, TestApp, User,
    sse::{From, Message},
};
use serde_json::{Value, json};

/// Somebody's stream on the first node.
async fn follow(app: &TestApp, who: &User, workspace: &str, from: From) -> Sse {
    Sse::open(&app.address(0), &who.token, workspace, from).await
}

/// A change that everybody in the workspace learns of.
async fn rename(owner: &User, workspace: &str, name: &str) {
    owner
        .patch(&format!("/api/v1/workspaces/{workspace}/"), &json!({ "name": name }))
        .await
        .expect(200);
}

/// The types of some events.
fn kinds(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.kind.as_str()).collect()
}

/// The numbers of some events.
fn seqs(messages: &[Message]) -> Vec<i64> {
    messages.iter().map(Message::seq).collect()
}

/// What the activity feed says, oldest first.
async fn activity(who: &User, workspace: &str) -> Vec<Value> {
    let path = format!("/api/v1/workspaces/{workspace}/activity/?limit=200");
    let mut all = who.get(&path).await.expect(200).body["data"].as_array().expect("entries").clone();
    all.reverse();
    all
}
