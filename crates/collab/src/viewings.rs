//! Who read what not everybody may read: one fact for each reader and page in a while, for the audit log.

use backends::db;
use events::{By, Change};
use kernel::id::*;
use parking_lot::Mutex;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use workspaces::access;

/// A reader's next reading of the same page within this time is the same reading.
const SAME: Duration = Duration::from_secs(5 * 60);
/// How long a page that everybody may see is taken to be one.
const OPEN: Duration = Duration::from_secs(10);
/// Readings remembered at most; the worst that forgetting does is a second entry.
const MOST: usize = 20_000;

/// The readings of a node that need not be looked at again.
#[derive(Default)]
pub(crate) struct Viewings {
    until: Mutex<HashMap<(UserId, DocumentId), Instant>>,
}

impl Viewings {
    /// Notes that somebody reads a page, before they are shown it. Writes only when members in general may not see it.
    pub(crate) async fn note(&self, db: &DatabaseConnection, user: UserId, document: DocumentId) -> Result<(), DbErr> {
        let key = (user, document);
        if self.until.lock().get(&key).is_some_and(|until| *until > Instant::now()) {
            return Ok(());
        }
        let restricted = access::restricted_in(db, document).await?;
        if let Some(workspace) = restricted {
            let by = By {
                workspace: Some(workspace),
                user: Some(user),
            };
            db::write(db, async |tx: &DatabaseTransaction| {
                events::append(tx, by, Change::DocumentViewed { document }).await
            })
            .await?;
        }
        let until = Instant::now() + if restricted.is_some() { SAME } else { OPEN };
        let mut known = self.until.lock();
        if known.len() >= MOST {
            known.retain(|_, until| *until > Instant::now());
            if known.len() >= MOST {
                known.clear();
            }
        }
        known.insert(key, until);
        Ok(())
    }
}
