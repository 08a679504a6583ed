//! A store that speaks S3, for one test: `tests/clients/s3-server.mjs` in a Node process, with its objects in a folder.

use crate::{
    mail::{CLIENTS, node, port},
    process::Server,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// How often it is tried to come back on its port.
const TRIES: u32 = 5;

/// A running store with one empty bucket. Dropping it kills the process.
pub struct S3 {
    server: Option<Server>,
    folder: TempDir,
    port: u16,
}

impl S3 {
    /// The name of its bucket.
    pub const BUCKET: &'static str = "sheaf";
    /// Who may ask, and their secret.
    pub const KEY: &'static str = "S3RVER";

    /// Starts an empty store.
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("s3")
            .tempdir()
            .expect("a temporary folder can be made");
        let mut store = Self {
            server: None,
            folder,
            port: 0,
        };
        assert!(
            store.launch().await,
            "the store does not start; run ./test, or npm ci in tests/clients:\n{}",
            store.said()
        );
        store
    }

    /// `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Kills it. What it has taken stays.
    pub fn kill9(&mut self) {
        self.server = None;
    }

    /// Starts it again on the same port, with what it had.
    pub async fn restart(&mut self) {
        self.kill9();
        for _ in 0..TRIES {
            if self.launch().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("the store does not come back on port {}:\n{}", self.port, self.said());
    }

    /// Every file it holds, whatever for: objects, what it notes about them, and unfinished parts.
    pub fn holds(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(&self.folder.path().join("objects").join(Self::BUCKET), &mut found);
        found
    }

    async fn launch(&mut self) -> bool {
        let log = self.folder.path().join("log");
        let mut command = Command::new(node());
        command.current_dir(CLIENTS).args(["s3-server.mjs", &self.port.to_string()]);
        command.arg(self.folder.path().join("objects"));
        let mut server = Server::spawn(&mut command, &log);
        let ready = server.ready(|| port(&log).is_some()).await;
        if let Some(port) = port(&log).and_then(|port| u16::try_from(port).ok()) {
            self.port = port;
        }
        self.server = ready.then_some(server);
        ready
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            walk(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}
