//! A mail server for one test that keeps every mail it takes: `tests/clients/mail-catcher.mjs` in a Node process.

use crate::{env, process::Server};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Where the script and its packages are.
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients");
/// How often the mails are counted while a test waits for them.
const COUNT_EVERY: Duration = Duration::from_millis(20);

/// A running server. Dropping it kills the process.
pub struct MailCatcher {
    _server: Server,
    folder: TempDir,
    port: u64,
}

impl MailCatcher {
    /// Starts a server with the script's options, as `&["--fail-first", "2"]`.
    pub async fn start(options: &[&str]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("mail")
            .tempdir()
            .expect("a temporary folder can be made");
        let log = folder.path().join("log");
        let mut command = Command::new(node());
        command.current_dir(CLIENTS).args(["mail-catcher.mjs", "0"]).args(options);
        let mut server = Server::spawn(&mut command, &log);
        let ready = server.ready(|| port(&log).is_some()).await;
        let Some(port) = port(&log).filter(|_| ready) else {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("the mail catcher does not start; run ./test, or npm ci in tests/clients:\n{said}");
        };
        Self {
            _server: server,
            folder,
            port,
        }
    }

    /// The server's url.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The url with a name and a password.
    pub fn url_as(&self, name: &str, password: &str) -> String {
        format!("smtp://{name}:{password}@127.0.0.1:{}", self.port)
    }

    /// Every mail so far, in the order of arrival.
    pub async fn mails(&self) -> Vec<Value> {
        let said = lines(&self.folder.path().join("log"));
        said.into_iter().filter(|line| line.get("messageId").is_some()).collect()
    }

    /// Waits until there are that many mails, and gives them all; panics when they do not come.
    pub async fn wait_for(&self, count: usize, within: Duration) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let mails = self.mails().await;
            if mails.len() >= count {
                return mails;
            }
            assert!(started.elapsed() < within, "waited for {count} mails, these came: {mails:#?}");
            tokio::time::sleep(COUNT_EVERY).await;
        }
    }
}

/// The lines of JSON that are written to their end.
fn lines(log: &Path) -> Vec<Value> {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    said.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn port(log: &Path) -> Option<u64> {
    lines(log).iter().find_map(|line| line["listening"].as_u64())
}

/// The Node that runs the clients of the tests.
pub fn node() -> PathBuf {
    let named = env::var("SHEAF_TEST_NODE").map(PathBuf::from);
    named
        .or_else(|| env::on_path("node"))
        .expect("this test starts a mail server in Node: install Node.js 20 or newer, or set SHEAF_TEST_NODE")
}
