//! Who read which page last, noted beside the reading: nobody waits for it, and it is not written for every reading.

use backends::db;
use documents::recent::{self, Reading};
use kernel::{clock, id::*};
use parking_lot::Mutex;
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// A person's next reading of the same page within this time is the same reading.
const SAME: Duration = Duration::from_secs(5 * 60);
/// Readings remembered at most; the worst that forgetting does is another write.
const MOST: usize = 20_000;
/// Readings that wait to be written; more than these are not noted.
const WAITING: usize = 4_096;
/// Readings written in one transaction.
const AT_ONCE: usize = 256;

/// The way to note readings.
pub(crate) struct Recents {
    until: Mutex<HashMap<(UserId, DocumentId), Instant>>,
    noted: mpsc::Sender<Reading>,
}

impl Recents {
    /// Gives what writes the notes down, too: its owner has it run.
    pub(crate) fn new(db: DatabaseConnection) -> (Self, impl Future<Output = ()> + Send) {
        let (noted, waiting) = mpsc::channel(WAITING);
        let until = Mutex::default();
        (Self { until, noted }, write(db, waiting))
    }

    /// Notes that somebody reads a page.
    pub(crate) fn note(&self, user: UserId, document: DocumentId) {
        let (key, now) = ((user, document), Instant::now());
        let mut until = self.until.lock();
        if until.get(&key).is_some_and(|until| *until > now) {
            return;
        }
        if until.len() >= MOST {
            until.retain(|_, until| *until > now);
            if until.len() >= MOST {
                until.clear();
            }
        }
        if self.noted.try_send((user, document, clock::now())).is_ok() {
            until.insert(key, now + SAME);
        }
    }
}

async fn write(db: DatabaseConnection, mut waiting: mpsc::Receiver<Reading>) {
    let mut some = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut some, AT_ONCE).await > 0 {
        // Somebody may have read one page twice.
        let last: HashMap<(UserId, DocumentId), _> = some.drain(..).map(|(user, document, at)| ((user, document), at)).collect();
        let readings: Vec<Reading> = last.into_iter().map(|((user, document), at)| (user, document, at)).collect();
        let written = db::write(&db, async |tx: &DatabaseTransaction| recent::note(tx, &readings).await);
        if let Err(error) = written.await {
            tracing::warn!(%error, "what was read last could not be noted");
        }
    }
}
