//! A fresh, migrated database for one test, in the form the run asks for.

use crate::{Form, env};
use backends::db;
use migration::Migrator;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use sea_orm_migration::MigratorTrait;
use tempfile::TempDir;
use uuid::Uuid;

/// Connections a test may hold at most; many tests share one server.
const CONNECTIONS: u32 = 5;

/// A database that nobody else sees. It is dropped with the value, as far as that can be done.
pub struct TestDb {
    url: String,
    db: DatabaseConnection,
    place: Place,
}

enum Place {
    /// The folder of the SQLite file; removed when dropped.
    File { _folder: TempDir },
    /// A database on the shared server.
    Server { admin_url: String, name: String },
}

impl TestDb {
    /// Makes, opens and migrates a database in the form of [`Form::from_env`].
    pub async fn new() -> Self {
        Self::of(Form::from_env()).await
    }

    /// Makes, opens and migrates a database in this form.
    pub async fn of(form: Form) -> Self {
        let (url, place) = match form {
            Form::Embedded => file(),
            Form::Full => on_server().await,
        };
        let opened = |db: Result<DatabaseConnection, DbErr>| db.unwrap_or_else(|error| panic!("cannot open {url}: {error}"));
        // As the product does: nobody works on a connection that is older than the schema.
        let first = opened(open(&url, 1).await);
        Migrator::up(&first, None)
            .await
            .unwrap_or_else(|error| panic!("cannot migrate {url}: {error}"));
        first.close().await.expect("it closes");
        let db = opened(open(&url, CONNECTIONS).await);
        Self { url, db, place }
    }

    /// The url, for a second connection or a server process of its own.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The open connections.
    pub fn db(&self) -> &DatabaseConnection {
        &self.db
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let Place::Server { admin_url, name } = &self.place else {
            return;
        };
        let (admin_url, sql) = (admin_url.clone(), format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"));
        // A drop cannot wait for a future on the test's own runtime; a thread with one of its own can.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(execute(&admin_url, &sql)).ok()
        })
        .join()
        .ok();
    }
}

fn file() -> (String, Place) {
    let folder = tempfile::Builder::new()
        .prefix("sheaf")
        .tempdir()
        .expect("a temporary folder can be made");
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    (url, Place::File { _folder: folder })
}

async fn on_server() -> (String, Place) {
    let admin_url = env::required("SHEAF_TEST_POSTGRES_URL");
    let name = format!("test_{}", random_name());
    execute(&admin_url, &format!("CREATE DATABASE \"{name}\""))
        .await
        .unwrap_or_else(|error| panic!("cannot make a database on the server of SHEAF_TEST_POSTGRES_URL: {error}"));
    (with_database(&admin_url, &name), Place::Server { admin_url, name })
}

#[expect(clippy::disallowed_methods, reason = "a name for a database, not an id of the product")]
fn random_name() -> impl std::fmt::Display {
    Uuid::new_v4().simple()
}

/// The same server and user, another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url
        .split_once('?')
        .map_or((url, String::new()), |(address, rest)| (address, format!("?{rest}")));
    let server = address.rsplit_once('/').expect("SHEAF_TEST_POSTGRES_URL ends in a database name").0;
    format!("{server}/{name}{options}")
}

async fn open(url: &str, max_connections: u32) -> Result<DatabaseConnection, DbErr> {
    // No test pulls the plug of this machine, so an fsync a commit buys nothing here.
    db::connect(&db::Options {
        max_connections,
        full_sync: false,
        ..db::Options::new(url)
    })
    .await
}

async fn execute(url: &str, sql: &str) -> Result<(), DbErr> {
    let db = open(url, 1).await?;
    db.execute_unprepared(sql).await?;
    db.close().await
}

#[cfg(test)]
mod tests;
