//! A server process that belongs to one test: started, killed the hard way, and never left behind.

use std::{
    fs::Metadata,
    io,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long a server may take from its start until it answers.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How often a starting server is asked.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// A running child that is killed when dropped.
pub struct Server(Child);

impl Server {
    /// Starts the command with its output in the log file.
    pub fn spawn(command: &mut Command, log: &Path) -> Self {
        let log = std::fs::File::create(log).expect("a server's log can be created");
        let errors = log.try_clone().expect("a file handle can be cloned");
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        Self(child.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}")))
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits until `ready` says so. `false` when the process ended first or took too long.
    pub async fn ready(&mut self, ready: impl Fn() -> bool) -> bool {
        let started = Instant::now();
        while started.elapsed() < READY_WITHIN {
            if self.0.try_wait().is_ok_and(|ended| ended.is_some()) {
                return false;
            }
            if ready() {
                return true;
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        false
    }

    /// `kill -9` for the process and then its children, which no server can answer in any way.
    ///
    /// The parent goes first: a postmaster that outlived its children would start to repair things.
    pub fn kill9(&mut self) {
        let children = children(self.id());
        self.0.kill().ok();
        if !children.is_empty() {
            Command::new("sh")
                .arg("-c")
                .arg(format!("kill -9 {children} 2>/dev/null"))
                .status()
                .ok();
        }
        self.0.wait().ok();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// The children of a process, separated by spaces; empty where the system does not tell (they notice by themselves).
fn children(id: u32) -> String {
    std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Somebody who is not root, for programs that refuse to be.
#[derive(Clone, Copy)]
pub struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// `postgres` or `nobody` when this process is root; nobody special otherwise.
    pub fn unprivileged() -> Option<Self> {
        let root = std::fs::metadata("/proc/self")
            .as_ref()
            .map(Metadata::uid)
            .is_ok_and(|uid| uid == 0);
        root.then(|| {
            Self::named("postgres")
                .or_else(|| Self::named("nobody"))
                .expect("the system has an account named nobody")
        })
    }

    fn named(name: &str) -> Option<Self> {
        let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
        let fields: Vec<&str> = accounts
            .lines()
            .map(|line| line.split(':').collect())
            .find(|fields: &Vec<&str>| fields[0] == name)?;
        Some(Self {
            uid: fields.get(2)?.parse().ok()?,
            gid: fields.get(3)?.parse().ok()?,
        })
    }

    /// Gives a file or folder to the account.
    pub fn own(self, path: &Path) -> io::Result<()> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
    }

    /// Makes the command run as the account.
    pub fn run(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}
