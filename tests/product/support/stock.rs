//! A stock automerge-repo client in a Node process, driven by lines of JSON.

use super::http::User;
use serde_json::{Value, json};
use std::{collections::VecDeque, path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// How long a client may take for anything: it reconnects every few hundred milliseconds here.
const PATIENCE: Duration = Duration::from_secs(20);

/// One client.
pub struct Stock {
    _child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
    /// What it said by itself and nobody asked for yet.
    events: VecDeque<Value>,
}

#[expect(clippy::disallowed_methods, reason = "the test command says which Node it found")]
fn node() -> String {
    std::env::var("SHEAF_TEST_NODE").unwrap_or_else(|_| "node".to_owned())
}

impl Stock {
    /// Starts a client on a page's socket.
    pub fn start(address: &str, document: &str, token: &str) -> Self {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients");
        assert!(
            dir.join("node_modules").is_dir(),
            "tests/clients has no node_modules: run ./test, or npm ci there"
        );
        let socket = format!("ws://{address}/ws/documents/{document}?token={token}");
        let mut child = Command::new(node())
            .current_dir(dir)
            .args(["repo-client.mjs", "--url", &socket, "--retry-ms", "300"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let url = documents::url::automerge_url(document.parse().expect("an id"));
        Self {
            _child: child,
            stdin,
            lines: BufReader::new(stdout).lines(),
            url,
            events: VecDeque::new(),
        }
    }

    /// Starts a client and finds the page.
    pub async fn on_page(address: &str, document: &str, user: &User) -> Self {
        let mut client = Self::start(address, document, &user.token);
        client.find().await.expect("the page is found");
        client
    }

    async fn line(&mut self, waiting_for: &str) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line
            .unwrap_or_else(|_| panic!("the client never said {waiting_for}"))
            .expect("readable")
            .expect("it runs");
        serde_json::from_str(&line).expect("JSON")
    }

    /// Gives a command and waits for its reply.
    pub async fn does(&mut self, command: Value) -> Value {
        self.stdin.write_all(format!("{command}\n").as_bytes()).await.expect("it listens");
        loop {
            let said = self.line(&command.to_string()).await;
            if said["reply"] == command["cmd"] {
                return said;
            }
            self.events.push_back(said);
        }
    }

    async fn succeeds(&mut self, command: Value) -> Value {
        let reply = self.does(command).await;
        assert_eq!(reply["ok"], true, "{reply}");
        reply
    }

    /// The next event of that name, also one that came while something else was waited for.
    pub async fn event(&mut self, name: &str) -> Value {
        if let Some(at) = self.events.iter().position(|event| event["event"] == name) {
            return self.events.remove(at).expect("it is there");
        }
        loop {
            let said = self.line(name).await;
            if said["event"] == name {
                return said;
            }
            self.events.push_back(said);
        }
    }

    /// Whether such an event came and was not asked for yet.
    pub fn had(&self, name: &str) -> bool {
        self.events.iter().any(|event| event["event"] == name)
    }

    /// Finds the page.
    pub async fn find(&mut self) -> Result<(), String> {
        let reply = self.does(json!({ "cmd": "find", "url": self.url })).await;
        if reply["ok"] == true { Ok(()) } else { Err(reply.to_string()) }
    }

    /// Types into a block.
    pub async fn types(&mut self, block: &str, pos: usize, text: &str) {
        self.succeeds(json!({ "cmd": "insert", "block": block, "pos": pos, "text": text }))
            .await;
    }

    /// Waits until a block contains a text, and gives all of the block's.
    pub async fn sees(&mut self, block: &str, text: &str) -> String {
        let reply = self
            .succeeds(json!({ "cmd": "wait", "block": block, "contains": text, "timeout_ms": 15_000 }))
            .await;
        reply["text"].as_str().expect("a text").to_owned()
    }

    /// A block's text as it has it.
    pub async fn reads(&mut self, block: &str) -> String {
        let view = self.succeeds(json!({ "cmd": "text" })).await;
        view["blocks"][block]["text"].as_str().expect("a text").to_owned()
    }

    /// The heads as it has them.
    pub async fn heads(&mut self) -> Value {
        self.succeeds(json!({ "cmd": "heads" })).await["heads"].clone()
    }
}
