//! Opening the database and bringing its schema up to date.

use crate::config::{Config, Synchronous};
use anyhow::{Context, bail};
use backends::db::{self, Options};
use migration::Migrator;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, TransactionTrait};
use sea_orm_migration::MigratorTrait;
use secrecy::ExposeSecret;
use std::os::unix::fs::DirBuilderExt;

/// One node at a time migrates: others wait at this lock.
const MIGRATION_LOCK: i64 = 7_463_321;

/// Opens the configured database; the embedded one is a file in the data directory, which is made.
///
/// # Errors
/// When it cannot be opened.
pub async fn open(config: &Config) -> anyhow::Result<DatabaseConnection> {
    let dir = &config.server.data_dir;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot make the data directory {}", dir.display()))?;
    let configured = config.database.url.expose_secret();
    let url = if configured.is_empty() {
        format!("sqlite://{}", dir.join("sheaf.db").display())
    } else {
        configured.to_owned()
    };
    let options = Options {
        url,
        max_connections: config.database.max_connections,
        full_sync: config.database.synchronous == Synchronous::Full,
    };
    db::connect(&options).await.context("cannot open the database")
}

/// Opens the configured database with its schema up to date. The connections are made after the migrations: on SQLite one
/// that is older than a column may not find it in what a statement returns.
///
/// # Errors
/// As [`open`] and [`migrate`].
pub async fn migrated(config: &Config) -> anyhow::Result<DatabaseConnection> {
    let first = open(config).await?;
    migrate(&first).await?;
    first.close().await.context("the database did not close")?;
    open(config).await
}

/// Refuses a schema that a newer binary has made.
///
/// # Errors
/// Names the migrations that are not known here.
pub async fn refuse_newer(db: &DatabaseConnection) -> anyhow::Result<()> {
    let unknown = migration::unknown(db).await.context("cannot read the schema's version")?;
    if unknown.is_empty() {
        return Ok(());
    }
    bail!(
        "the database was migrated by a newer version of sheaf ({}); use that version",
        unknown.join(", ")
    )
}

/// Brings the schema up to date.
///
/// # Errors
/// When a migration fails; on PostgreSQL none of it stands then.
pub async fn migrate(db: &DatabaseConnection) -> anyhow::Result<()> {
    if db.get_database_backend() == DbBackend::Postgres {
        #[expect(
            clippy::disallowed_methods,
            reason = "the lock is held by this transaction while others migrate on theirs"
        )]
        let lock = db.begin().await.context("cannot lock the schema")?;
        lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            .await
            .context("cannot lock the schema")?;
        bring_up(db).await?;
        lock.commit().await.context("cannot release the schema")
    } else {
        bring_up(db).await
    }
}

/// Looks at the version only here, with the lock: whoever held it before may have been newer.
async fn bring_up(db: &DatabaseConnection) -> anyhow::Result<()> {
    refuse_newer(db).await?;
    Migrator::up(db, None).await.context("a migration failed")?;
    let months = db::write(db, async |tx: &DatabaseTransaction| {
        events::partition::ensure(tx, kernel::clock::now()).await
    });
    months.await.context("cannot make the event log's months")
}

/// The migrations that are not applied yet. Only reads.
///
/// # Errors
/// When the schema's version cannot be read.
pub async fn pending(db: &DatabaseConnection) -> anyhow::Result<Vec<String>> {
    refuse_newer(db).await?;
    let pending = Migrator::get_pending_migrations_read_only(db)
        .await
        .context("cannot read the schema's version")?;
    Ok(pending.iter().map(|m| m.name().to_owned()).collect())
}
