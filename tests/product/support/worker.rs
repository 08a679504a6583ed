//! The background work as a process of its own, beside a server on the same data.

use super::Binary;
use std::{
    path::PathBuf,
    process::{Child, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// How long a start may take.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running `sheaf worker`. Dropping it kills the process.
pub struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    /// Starts one on a server's data, and waits until it works.
    pub async fn start(server: &Binary, name: &str, args: &[&str]) -> Self {
        let path = |kind: &str| server.data_dir().join(format!("{name}.{kind}"));
        let (out, log) = (path("out"), path("log"));
        let file = |path: &PathBuf| std::fs::File::create(path).expect("a log can be made");
        let mut command = server.command();
        command.arg("worker").args(args).stdin(Stdio::null());
        let child = command
            .stdout(file(&out))
            .stderr(file(&log))
            .spawn()
            .expect("the binary can be started");
        let worker = Self { child, log };
        let started = Instant::now();
        while !std::fs::read_to_string(&out).is_ok_and(|said| said.contains("working on")) {
            assert!(started.elapsed() < READY_WITHIN, "the worker does not start:\n{}", worker.log());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        worker
    }

    /// Kills it with no chance to say or write anything.
    pub fn kill9(mut self) {
        drop(self.child.kill());
        self.child.wait().expect("a killed process ends");
    }

    /// Asks it to stop, as an orchestrator does, and waits for its end.
    pub async fn sigterm(mut self, within: Duration) -> ExitStatus {
        let id = self.child.id().to_string();
        let told = std::process::Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.expect("kill runs").success());
        let started = Instant::now();
        while started.elapsed() < within {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the worker still runs after {within:?}:\n{}", self.log());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
