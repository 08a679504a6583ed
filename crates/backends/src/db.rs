//! The database: opening it, and the one way to write to it.

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use std::time::Duration;

/// How long a statement waits for another writer of the SQLite file before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of an SQLite file that are mapped into memory; they are the system's, not this process's.
const MAPPED_BYTES: u64 = 1 << 30;
/// What one connection keeps of an SQLite file at most; 2 MiB, SQLite's own, is less than one search reads.
const CACHE_KIB: u32 = 8 << 10;

/// Where the database is and how it is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite:///path/to/file.db` or `postgres://…`.
    pub url: String,
    /// Connections at most.
    pub max_connections: u32,
    /// SQLite: survive a power cut at the price of one fsync a commit (`synchronous=FULL`).
    pub full_sync: bool,
}

impl Options {
    /// The defaults for a url.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 16,
            full_sync: true,
        }
    }
}

/// Opens the database; an SQLite file is made when it is not there.
///
/// # Errors
/// When the url is no database's or the server does not answer.
pub async fn connect(options: &Options) -> Result<DatabaseConnection, DbErr> {
    let url = if options.url.starts_with("sqlite:") && !options.url.contains("mode=") {
        format!("{}{}mode=rwc", options.url, if options.url.contains('?') { '&' } else { '?' })
    } else {
        options.url.clone()
    };
    let synchronous = if options.full_sync {
        SqliteSynchronous::Full
    } else {
        SqliteSynchronous::Normal
    };
    let mut connect = ConnectOptions::new(url);
    connect
        .max_connections(options.max_connections)
        .acquire_timeout(Duration::from_secs(10))
        .connect_timeout(Duration::from_secs(10))
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(synchronous)
                .busy_timeout(BUSY_TIMEOUT)
                .foreign_keys(true)
                // Pages that the system has in memory are read where they lie, not copied one call at a time.
                .pragma("mmap_size", MAPPED_BYTES.to_string())
                .pragma("cache_size", format!("-{CACHE_KIB}"))
                .pragma("temp_store", "MEMORY")
        })
        // Compiling a statement before it runs takes longer than any of ours runs.
        .map_sqlx_postgres_pool_opts(|pool| {
            pool.after_connect(|connection, _| {
                Box::pin(async move { sqlx::Executor::execute(connection, "SET jit = off").await.map(drop) })
            })
        });
    Database::connect(connect).await
}

/// Runs `work` in one transaction, committed when it returns `Ok` and rolled back otherwise.
///
/// On SQLite the transaction is immediate: it takes the write lock at its start, so that what it read is still true
/// when it writes. Callers must not be dropped half-way (a connection dropped inside `BEGIN` goes back to the pool with
/// an open transaction): the HTTP face runs every handler in a task of its own for that reason.
///
/// # Errors
/// The work's own, or the database's at begin and commit. A failed commit may still have happened.
pub async fn write<T, E: From<DbErr>>(
    db: &DatabaseConnection,
    work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, E>,
) -> Result<T, E> {
    let tx = begin(db).await?;
    match work(&tx).await {
        Ok(done) => {
            tx.commit().await?;
            Ok(done)
        }
        Err(error) => {
            tx.rollback().await?;
            Err(error)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where a transaction begins")]
async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let (isolation_level, sqlite_transaction_mode) = match db.get_database_backend() {
        DbBackend::Sqlite => (None, Some(SqliteTransactionMode::Immediate)),
        _ => (Some(IsolationLevel::ReadCommitted), None),
    };
    db.begin_with_options(TransactionOptions {
        isolation_level,
        access_mode: None,
        sqlite_transaction_mode,
    })
    .await
}
