//! A stock automerge-repo client in a Node process, driven by lines of JSON.

use serde_json::{Value, json};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// How long a client may take for anything: it reconnects every few hundred milliseconds here.
const PATIENCE: Duration = Duration::from_secs(20);

/// One client.
pub struct RepoClient {
    _child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

#[expect(clippy::disallowed_methods, reason = "the test command says which Node it found")]
fn node() -> String {
    std::env::var("SHEAF_TEST_NODE").unwrap_or_else(|_| "node".to_owned())
}

impl RepoClient {
    /// Starts a client on a page.
    pub async fn open(address: &str, document: &str, token: &str) -> Self {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients");
        assert!(
            dir.join("node_modules").is_dir(),
            "tests/clients has no node_modules: run ./test, or npm ci there"
        );
        let url = format!("ws://{address}/ws/documents/{document}?token={token}");
        let doc = documents::url::automerge_url(document.parse().expect("an id"));
        let mut child = Command::new(node())
            .current_dir(dir)
            .args(["repo-client.mjs", "--url", &url, "--doc", &doc, "--retry-ms", "300"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Self {
            _child: child,
            stdin,
            lines: BufReader::new(stdout).lines(),
        }
    }

    /// The next line with this event or reply.
    pub async fn until(&mut self, key: &str, value: &str) -> Value {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
            let line = line
                .unwrap_or_else(|_| panic!("the client never said {key} {value}"))
                .expect("readable")
                .expect("it runs");
            let said: Value = serde_json::from_str(&line).expect("JSON");
            if said[key] == value {
                return said;
            }
        }
    }

    /// Gives a command and waits for its reply.
    pub async fn command(&mut self, command: Value) -> Value {
        self.stdin.write_all(format!("{command}\n").as_bytes()).await.expect("it listens");
        let name = command["cmd"].as_str().expect("a name").to_owned();
        self.until("reply", &name).await
    }

    /// Types into a block.
    pub async fn types(&mut self, block: &str, pos: usize, text: &str) {
        let reply = self
            .command(json!({ "cmd": "insert", "block": block, "pos": pos, "text": text }))
            .await;
        assert_eq!(reply["ok"], true, "{reply}");
    }

    /// Waits until a block contains a text.
    pub async fn sees(&mut self, block: &str, text: &str) {
        let reply = self
            .command(json!({ "cmd": "wait", "block": block, "contains": text, "timeout_ms": 15_000 }))
            .await;
        assert_eq!(reply["ok"], true, "{reply}");
    }

    /// The page as it has it.
    pub async fn view(&mut self) -> Value {
        self.command(json!({ "cmd": "text" })).await
    }
}
