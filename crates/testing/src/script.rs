//! A server in Node that a test talks to: a script of `tests/clients` that says `{"listening":port}` when it is there.

use crate::{
    mail::{CLIENTS, node, port},
    process::Server,
};
use std::process::Command;
use tempfile::TempDir;

/// A running script. Dropping it kills the process.
pub struct Script {
    _server: Server,
    _folder: TempDir,
}

impl Script {
    /// Starts a script and waits until it listens.
    pub async fn start(script: &str, args: &[&str]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("script")
            .tempdir()
            .expect("a temporary folder can be made");
        let log = folder.path().join("log");
        let mut command = Command::new(node());
        command.current_dir(CLIENTS).arg(script).args(args);
        let mut server = Server::spawn(&mut command, &log);
        if !server.ready(|| port(&log).is_some()).await {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("{script} does not start; run ./test, or npm ci in tests/clients:\n{said}");
        }
        Self {
            _server: server,
            _folder: folder,
        }
    }
}
