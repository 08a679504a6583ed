//! A private PostgreSQL server for one test, on its own data and port, that survives `kill -9` as a real one does.

use crate::{
    env, net,
    process::{Account, Server},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// How often a start is tried: another process may take the port, or old backends may not be gone yet.
const TRIES: u32 = 5;

/// A running server. Dropping it kills the process and removes the data.
pub struct Postgres {
    server: Option<Server>,
    folder: TempDir,
    programs: PathBuf,
    account: Option<Account>,
    port: u16,
}

impl Postgres {
    /// Makes a cluster and starts a server on it, with `fsync` on: what it acknowledges must survive.
    pub async fn start() -> Self {
        let account = Account::unprivileged();
        let folder = tempfile::Builder::new()
            .prefix("pg")
            .tempdir()
            .expect("a temporary folder can be made");
        if let Some(account) = account {
            account.own(folder.path()).expect("root can give a folder away");
        }
        let mut postgres = Self {
            server: None,
            folder,
            programs: programs(),
            account,
            port: net::free_port(),
        };
        postgres.init();
        for _ in 0..TRIES {
            if postgres.launch().await {
                return postgres;
            }
            postgres.port = net::free_port();
        }
        panic!("PostgreSQL does not start:\n{}", postgres.log());
    }

    /// A url of the server's first database, as its superuser.
    pub fn url(&self) -> String {
        format!("postgres://sheaf@127.0.0.1:{}/postgres", self.port)
    }

    /// Kills the server and its backends with no chance to say or write anything.
    pub fn kill9(&mut self) {
        self.server = None;
    }

    /// Starts a killed server again on the same data and port; kills a running one first.
    pub async fn restart(&mut self) {
        self.kill9();
        for _ in 0..TRIES {
            if self.launch().await {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        panic!("PostgreSQL does not come back on port {}:\n{}", self.port, self.log());
    }

    fn init(&self) {
        let mut command = self.command("initdb");
        command
            .arg("-D")
            .arg(self.data())
            .args(["-U", "sheaf", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        let made = command.output().expect("initdb runs");
        assert!(made.status.success(), "initdb failed:\n{}", String::from_utf8_lossy(&made.stderr));
    }

    async fn launch(&mut self) -> bool {
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "max_connections=300", "fsync=on"] {
            command.args(["-c", setting]);
        }
        let mut server = Server::spawn(&mut command, &self.log_file());
        let (id, state) = (server.id(), self.data().join("postmaster.pid"));
        let ready = server.ready(|| says_ready(&state, id)).await;
        self.server = ready.then_some(server);
        ready
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path());
        if let Some(account) = self.account {
            account.run(&mut command);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

/// Whether the server's state file was written by this process and says that connections are accepted.
///
/// Its first line is the process id and its eighth the state (`src/include/utils/pidfile.h`); a killed server leaves
/// its file behind, so the id matters.
fn says_ready(state: &Path, id: u32) -> bool {
    let Ok(text) = std::fs::read_to_string(state) else {
        return false;
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.first() == Some(&id.to_string().as_str()) && lines.get(7) == Some(&"ready")
}

/// The folder with `initdb` and `postgres`.
fn programs() -> PathBuf {
    let named = env::var("SHEAF_TEST_PG_BIN").map(PathBuf::from);
    let on_path = || env::on_path("initdb").and_then(|file| Some(file.canonicalize().ok()?.parent()?.to_owned()));
    let found = named.or_else(on_path).or_else(newest_of_debian);
    found.expect("this test starts its own PostgreSQL: install the package \"postgresql\" (15 or newer) or set SHEAF_TEST_PG_BIN")
}

/// Debian keeps each major version's programs in a folder of its own, off `PATH`.
fn newest_of_debian() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("bin"));
    versions.filter(|bin| bin.join("initdb").is_file()).max_by_key(|bin| major(bin))
}

fn major(bin: &Path) -> u32 {
    bin.parent()
        .and_then(|folder| folder.file_name()?.to_str()?.parse().ok())
        .unwrap_or_default()
}
