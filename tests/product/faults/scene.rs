//! The page that everybody writes on.

use super::{control::Control, rest::RestWriter, writer::Writer};
use crate::support::User;
use serde_json::json;
use tokio::task::JoinSet;

/// A page with a shared block and some more.
pub struct Scene {
    pub address: String,
    pub owner: User,
    pub document: String,
    blocks: Vec<String>,
}

impl Scene {
    /// Makes it at a node.
    pub async fn set(address: &str) -> Self {
        let owner = User::newcomer(address, "owner").await;
        let workspace = owner
            .post("/api/v1/workspaces/", &json!({ "name": "Engines" }))
            .await
            .expect(201)
            .id();
        let blocks: Vec<_> = (0..6)
            .map(|i| json!({ "type": "paragraph", "text": format!("Block {i}") }))
            .collect();
        let page = owner.document(&workspace, "Notes", json!(blocks)).await;
        let id = |value: &serde_json::Value| value["id"].as_str().expect("an id").to_owned();
        let blocks = page["blocks"].as_array().expect("blocks").iter().map(id).collect();
        Self {
            address: address.to_owned(),
            owner,
            document: id(&page),
            blocks,
        }
    }

    /// A block's id.
    pub fn block(&self, index: usize) -> &str {
        &self.blocks[index]
    }

    /// Somebody who writes into these blocks.
    pub fn writer(&self, name: &str, blocks: &[usize]) -> Writer {
        let blocks: Vec<&str> = blocks.iter().map(|i| self.blocks[*i].as_str()).collect();
        Writer::new(name, &self.owner, &self.document, &blocks)
    }

    /// Some who write into the shared block and one of their own.
    pub fn writers(&self, name: &str, count: usize) -> Vec<Writer> {
        (0..count).map(|i| self.writer(&format!("{name}{i}"), &[0, 1 + i % 5])).collect()
    }

    pub fn rest(&self, name: &str) -> RestWriter {
        RestWriter::new(name, &self.owner, &self.document)
    }
}

/// Writers at work in the background, spread over nodes, who connect again whenever they lose their connection.
pub struct Crowd {
    writers: JoinSet<Writer>,
    rest: JoinSet<RestWriter>,
}

impl Crowd {
    pub fn start(writers: Vec<Writer>, rest: Vec<RestWriter>, nodes: &[&str], control: &Control) -> Self {
        let mut crowd = Self {
            writers: JoinSet::new(),
            rest: JoinSet::new(),
        };
        for (i, mut writer) in writers.into_iter().enumerate() {
            let (address, control) = (nodes[i % nodes.len()].to_owned(), control.clone());
            crowd.writers.spawn(async move {
                writer.until_done(&address, &control).await;
                writer
            });
        }
        for (i, mut writer) in rest.into_iter().enumerate() {
            let (address, control) = (nodes[i % nodes.len()].to_owned(), control.clone());
            crowd.rest.spawn(async move {
                writer.until_done(&address, &control).await;
                writer
            });
        }
        crowd
    }

    /// Waits until everybody is done, after the control said stop.
    pub async fn done(self) -> (Vec<Writer>, Vec<RestWriter>) {
        (self.writers.join_all().await, self.rest.join_all().await)
    }
}

/// Lets everybody finish what they had begun.
pub async fn finish(writers: Vec<Writer>, rest: Vec<RestWriter>, nodes: &[&str], control: &Control) -> (Vec<Writer>, Vec<RestWriter>) {
    Crowd::start(writers, rest, nodes, control).done().await
}

/// How many rounds a test of kills has; `./test --rounds` sets it.
#[expect(clippy::disallowed_methods, reason = "the test command says how many rounds it wants")]
pub fn rounds() -> usize {
    std::env::var("SHEAF_TEST_KILL_ROUNDS").map_or(20, |rounds| rounds.parse().expect("SHEAF_TEST_KILL_ROUNDS is a number"))
}

/// Where the moments of kills come from; printed, so that a run can be repeated with `SHEAF_TEST_SEED`.
#[expect(clippy::disallowed_methods, reason = "a run is repeated by its seed")]
pub fn seed() -> u64 {
    let seed = std::env::var("SHEAF_TEST_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().expect("SHEAF_TEST_SEED is a number"));
    say(&format!("SHEAF_TEST_SEED={seed}"));
    seed
}

/// A line for whoever reads the test's output.
#[expect(clippy::print_stderr, reason = "shown when a test fails")]
pub fn say(text: &str) {
    eprintln!("{text}");
}
