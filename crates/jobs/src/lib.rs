//! Background work. What there is so far is upkeep: verified snapshots of pages whose log has grown while nobody kept
//! one, and logins that are over. Every piece can be repeated, and done by several workers at once, without harm.

use backends::db;
use documents::{error::Error, snapshot};
use kernel::id::DocumentId;
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use std::time::Duration;

/// How upkeep behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Time between rounds.
    pub interval: Duration,
    /// Rows of log behind the last snapshot from which a page is due.
    pub snapshot_rows: i64,
    /// Pages in one round.
    pub pages: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            snapshot_rows: 500,
            pages: 50,
        }
    }
}

/// Works until the caller drops it.
pub async fn run(db: DatabaseConnection, settings: Settings) {
    let mut rounds = tokio::time::interval(settings.interval);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        if let Err(error) = round(&db, &settings).await {
            tracing::warn!(%error, "a round of upkeep failed; the next one tries again");
        }
    }
}

/// One round: gives how many snapshots were written.
///
/// # Errors
/// The database's.
pub async fn round(db: &DatabaseConnection, settings: &Settings) -> Result<usize, Error> {
    let ended = users::session::purge(db).await?;
    if ended > 0 {
        tracing::debug!(ended, "removed logins that are over");
    }
    let due = snapshot::due(db, settings.snapshot_rows, settings.pages).await?;
    let mut written = 0;
    for document in due {
        match take_snapshot(db, document).await {
            Ok(()) => written += 1,
            // Deleted meanwhile.
            Err(Error::NotFound) => {}
            Err(Error::Db(error)) => return Err(Error::Db(error)),
            Err(error) => tracing::error!(%document, %error, "a page does not survive a save; it is served from its log"),
        }
    }
    Ok(written)
}

/// Writes a verified snapshot of one page.
async fn take_snapshot(db: &DatabaseConnection, document: DocumentId) -> Result<(), Error> {
    let (page, stored) = snapshot::load(db, document).await?;
    let saved = tokio::task::spawn_blocking(move || page.save_verified()).await;
    let bytes = saved.map_err(|e| Error::Corrupt(e.to_string()))??;
    db::write(db, async |tx: &DatabaseTransaction| {
        snapshot::keep(tx, document, &stored.head, bytes).await
    })
    .await?;
    Ok(())
}
