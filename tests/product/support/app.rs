//! A running product for one test, in this process, on a port of its own.

use super::http::User;
use serde_json::{Value, json};
use server::{
    config::{self, Config, Overrides},
    serve::{self, Running},
};
use std::sync::Once;
use tempfile::TempDir;
use testing::{Form, TestDb};

static TLS: Once = Once::new();

/// One or more nodes on one database.
pub struct TestApp {
    nodes: Vec<Running>,
    db: Option<TestDb>,
    dir: TempDir,
    overrides: Vec<(&'static str, String)>,
    pub http: reqwest::Client,
}

impl TestApp {
    /// A product in the form of this run.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same with some configuration keys set.
    pub async fn with(overrides: &[(&'static str, &str)]) -> Self {
        Self::start(Form::from_env(), 1, overrides).await
    }

    /// Several nodes on one PostgreSQL and Redis, whatever form the run has.
    pub async fn cluster(nodes: usize) -> Self {
        Self::start(Form::Full, nodes, &[]).await
    }

    /// Several nodes with some configuration keys set.
    pub async fn cluster_with(nodes: usize, overrides: &[(&'static str, &str)]) -> Self {
        Self::start(Form::Full, nodes, overrides).await
    }

    async fn start(form: Form, count: usize, overrides: &[(&'static str, &str)]) -> Self {
        TLS.call_once(|| drop(rustls::crypto::aws_lc_rs::default_provider().install_default()));
        let dir = tempfile::tempdir().expect("a temporary directory");
        let db = match form {
            Form::Embedded => None,
            Form::Full => Some(TestDb::of(Form::Full).await),
        };
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(
                serve::start(&configure(&dir, db.as_ref(), overrides))
                    .await
                    .expect("the product starts"),
            );
        }
        let overrides = overrides.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Self {
            nodes,
            db,
            dir,
            overrides,
            http: reqwest::Client::new(),
        }
    }

    /// `127.0.0.1:port` of a node.
    pub fn address(&self, node: usize) -> String {
        self.nodes[node].addr.to_string()
    }

    /// The url of a path on the first node.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address(0))
    }

    /// The database that the product runs on, for a test that reaches behind its back.
    pub fn database_url(&self) -> String {
        let file = || format!("sqlite://{}", self.dir.path().join("sheaf.db").display());
        self.db.as_ref().map_or_else(file, |db| db.url().to_owned())
    }

    /// A connection to that database.
    pub async fn database(&self) -> sea_orm::DatabaseConnection {
        sea_orm::Database::connect(self.database_url()).await.expect("the database opens")
    }

    /// The data directory of every node.
    pub fn data_dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Somebody with a fresh account.
    pub async fn user(&self, name: &str) -> User {
        let email = format!("{}-{}@example.com", name.replace(' ', "."), &kernel::secret::token()[..12]);
        let body = json!({ "email": email, "password": "correct horse battery staple", "display_name": name });
        let answer = User::nobody(self).post("/api/v1/auth/register/", &body).await.expect(201);
        User::of(self, &answer)
    }

    /// An owner, a workspace and a page with one paragraph: `(owner, workspace, document, block)`.
    pub async fn page(&self, text: &str) -> (User, String, String, String) {
        let owner = self.user("owner").await;
        let workspace = owner
            .post("/api/v1/workspaces/", &json!({ "name": "Engines" }))
            .await
            .expect(201)
            .id();
        let page = owner
            .document(&workspace, "Notes", json!([{ "type": "paragraph", "text": text }]))
            .await;
        let block = page["blocks"][0]["id"].as_str().expect("a block").to_owned();
        (owner, workspace, page["id"].as_str().expect("an id").to_owned(), block)
    }

    /// Stops everything and starts it again on what it left behind. It has other ports then.
    pub async fn restart(self) -> Self {
        self.restart_after(async {}).await
    }

    /// The same, with something happening while nothing runs.
    pub async fn restart_after(mut self, meanwhile: impl Future<Output = ()>) -> Self {
        let count = self.nodes.len();
        self.halt().await;
        meanwhile.await;
        for _ in 0..count {
            self.resume().await;
        }
        self
    }

    /// Stops every node and keeps what they left behind. With a fixed `server.listen`, [`TestApp::resume`] comes back
    /// at the same place.
    pub async fn halt(&mut self) {
        for node in self.nodes.drain(..) {
            node.stop().await.expect("it stops");
        }
    }

    /// Starts one node on what [`TestApp::halt`] left behind.
    pub async fn resume(&mut self) {
        let overrides: Vec<(&'static str, &str)> = self.overrides.iter().map(|(key, value)| (*key, value.as_str())).collect();
        self.nodes.push(
            serve::start(&configure(&self.dir, self.db.as_ref(), &overrides))
                .await
                .expect("it starts again"),
        );
    }

    /// Stops everything as SIGTERM would.
    pub async fn stop(self) {
        for node in self.nodes {
            node.stop().await.expect("it stops");
        }
    }
}

/// A limit that no test reaches: all of them come from one address.
const MANY: &str = "1000000";

/// Quick hashes, no waiting for idle pages, and everything else as it is by default.
fn configure(dir: &TempDir, db: Option<&TestDb>, overrides: &[(&'static str, &str)]) -> Config {
    let mut all = vec![
        ("server.listen", "127.0.0.1:0".to_owned()),
        ("server.data_dir", dir.path().display().to_string()),
        ("server.drain_secs", "3".to_owned()),
        ("server.workers", "2".to_owned()),
        ("auth.hash_memory_kib", "64".to_owned()),
        ("auth.hash_iterations", "1".to_owned()),
        ("auth.signing_keys", "test:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned()),
        ("database.synchronous", "normal".to_owned()),
        ("database.max_connections", "8".to_owned()),
        ("limits.auth_per_minute", MANY.to_owned()),
        ("limits.reads_per_minute", MANY.to_owned()),
        ("limits.writes_per_minute", MANY.to_owned()),
        ("limits.address_per_minute", MANY.to_owned()),
        ("limits.login_failures", MANY.to_owned()),
    ];
    if let Some(db) = db {
        all.push(("database.url", db.url().to_owned()));
        all.push(("redis.url", redis_url()));
    }
    all.extend(overrides.iter().map(|(key, value)| (*key, (*value).to_owned())));
    config::load(Some(std::path::Path::new("/dev/null")), &[], &Overrides(all)).expect("the test configuration")
}

#[expect(clippy::disallowed_methods, reason = "the test command says where its servers are")]
pub fn redis_url() -> String {
    std::env::var("SHEAF_TEST_REDIS_URL").expect("SHEAF_TEST_REDIS_URL names a Redis; ./test starts one")
}

/// The id of something in an answer's body.
pub fn id_of(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

/// A text of an answer.
pub fn text_of(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
