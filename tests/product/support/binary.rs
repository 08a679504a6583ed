//! The real binary as a child process, which can be killed and started again on the same port and data.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a start may take.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How often a start is tried: somebody else may have taken the port.
const TRIES: u32 = 5;

/// A running product, or one that was killed and can be started again. Dropping it kills the process.
pub struct Binary {
    child: Option<Child>,
    settings: Vec<(String, String)>,
    folder: TempDir,
    port: u16,
}

impl Binary {
    /// Starts it with these environment variables (`SHEAF__SECTION__KEY`) besides what every test wants.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut binary = Self {
            child: None,
            settings,
            folder,
            port: testing::free_port(),
        };
        for _ in 0..TRIES {
            if binary.launch().await {
                return binary;
            }
            binary.port = testing::free_port();
        }
        panic!("the product does not start:\n{}", binary.log());
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Kills it with no chance to say or write anything.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            // One that has ended by itself is as dead.
            drop(child.kill());
            child.wait().expect("a killed process ends");
        }
    }

    /// Starts it again on the same port and data; kills a running one first.
    pub async fn restart(&mut self) {
        self.kill9();
        for _ in 0..TRIES {
            if self.launch().await {
                return;
            }
        }
        panic!("the product does not come back on port {}:\n{}", self.port, self.log());
    }

    /// Asks it to stop, as an orchestrator does.
    pub fn sigterm(&self) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        let (started, mut child) = (Instant::now(), self.child.take().expect("it runs"));
        while started.elapsed() < within {
            if let Some(status) = child.try_wait().expect("a child can be asked") {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.child = Some(child);
        panic!("the product still runs after {within:?}:\n{}", self.log());
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    /// What it has logged since its last start.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    /// What it has said on standard output since its last start.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stdout")).unwrap_or_default()
    }

    /// Runs another command of the binary on the same data, and waits for its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command()
            .args(args)
            .stdin(Stdio::null())
            .output()
            .expect("the product's binary can be started")
    }

    /// The binary with the settings of this product.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(program());
        command
            .current_dir(self.folder.path())
            .env("SHEAF__SERVER__LISTEN", self.address())
            .env("SHEAF__SERVER__DATA_DIR", self.data_dir())
            .envs(ALWAYS)
            .envs(self.settings.iter().cloned());
        command
    }

    /// Its data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    async fn launch(&mut self) -> bool {
        let (out, errors) = (self.folder.path().join("stdout"), self.folder.path().join("stderr"));
        let file = |path: &Path| std::fs::File::create(path).expect("a log can be made");
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&errors));
        self.child = Some(command.spawn().expect("the product's binary can be started"));
        let (started, wanted) = (Instant::now(), format!("listening on http://{}\n", self.address()));
        while started.elapsed() < READY_WITHIN && self.runs() {
            if std::fs::read_to_string(&out).is_ok_and(|said| said.contains(&wanted)) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.kill9();
        false
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// Quick hashes, one key for all nodes, rates out of the way, and saves often enough to be hit by a kill.
const ALWAYS: [(&str, &str); 11] = [
    ("SHEAF__SERVER__WORKERS", "2"),
    ("SHEAF__SERVER__DRAIN_SECS", "5"),
    ("SHEAF__AUTH__HASH_MEMORY_KIB", "64"),
    ("SHEAF__AUTH__HASH_ITERATIONS", "1"),
    ("SHEAF__AUTH__SIGNING_KEYS", "test:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("SHEAF__DATABASE__MAX_CONNECTIONS", "8"),
    ("SHEAF__COLLAB__SNAPSHOT_ROWS", "100"),
    ("SHEAF__COLLAB__OPS_PER_SEC", "100000"),
    ("SHEAF__COLLAB__OPS_BURST", "100000"),
    ("SHEAF__LIMITS__ENABLED", "false"),
    ("SHEAF__LIMITS__LOGIN_FAILURES", "1000000"),
];

/// The product's own binary.
pub fn program() -> PathBuf {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/sheaf");
    let path = std::env::var_os("SHEAF_TEST_BINARY").map_or_else(built, PathBuf::from);
    assert!(
        path.is_file(),
        "{} is not there; build it with cargo build -p server, or run ./test",
        path.display()
    );
    path
}
