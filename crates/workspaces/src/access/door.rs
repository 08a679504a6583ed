//! The door with a memory: what was found out about somebody and a page stands for five minutes, or until the counter of
//! changes of access in the workspace moves. The counter is read with the page's row, so that what is remembered is never
//! out of date, on whichever node.

use super::{Access, AccessError, Allows, DocumentAccess, Grants, Seen, level::Found, level::resolve, level::versioned, who::Who};
use entity::document;
use kernel::{id::*, role::Level};
use moka::sync::Cache;
use sea_orm::DatabaseConnection;
use std::time::Duration;

/// How long something is remembered.
const TTL: Duration = Duration::from_secs(5 * 60);
/// Pairs of somebody and a page that are remembered.
const MOST: u64 = 100_000;

/// What was found, and where the counter stood.
#[derive(Clone, Copy)]
struct Known {
    version: i64,
    found: Option<Found>,
}

/// The door of a node; cheap to clone.
#[derive(Clone)]
pub struct Door {
    db: DatabaseConnection,
    known: Cache<(Who, DocumentId), Known>,
}

impl Door {
    /// A door that remembers nothing yet.
    pub fn new(db: DatabaseConnection) -> Self {
        Self {
            db,
            known: Cache::builder().max_capacity(MOST).time_to_live(TTL).build(),
        }
    }

    /// As [`super::enter`].
    ///
    /// # Errors
    /// As [`super::enter`].
    pub async fn enter<P: Allows>(&self, who: impl Into<Who>, workspace: WorkspaceId) -> Result<Access<P>, AccessError> {
        super::enter(&self.db, who, workspace).await
    }

    /// As [`super::open`].
    ///
    /// # Errors
    /// As [`super::open`].
    pub async fn open<P: Grants>(&self, who: impl Into<Who>, id: DocumentId) -> Result<DocumentAccess<P>, AccessError> {
        self.see(who.into(), id).await?.living()
    }

    /// As [`super::open_trashed`].
    ///
    /// # Errors
    /// As [`super::open_trashed`].
    pub async fn open_trashed<P: Grants>(&self, who: impl Into<Who>, id: DocumentId) -> Result<DocumentAccess<P>, AccessError> {
        self.see(who.into(), id).await?.trashed()
    }

    /// As [`super::open_archived`].
    ///
    /// # Errors
    /// As [`super::open_archived`].
    pub async fn open_archived<P: Grants>(&self, who: impl Into<Who>, id: DocumentId) -> Result<DocumentAccess<P>, AccessError> {
        self.see(who.into(), id).await?.archived()
    }

    /// Somebody's level on a page that is not in the trash, its row, and where the counter stood. `None` when the page is
    /// not there for them at all.
    ///
    /// # Errors
    /// Only the database's.
    pub async fn level(&self, who: Who, id: DocumentId) -> Result<Option<(Level, i64, document::Model)>, AccessError> {
        match self.see(who, id).await {
            Ok(seen) if seen.document.deleted_at.is_none() => Ok(Some((seen.found.level, seen.version, seen.document))),
            Ok(_) | Err(AccessError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn see(&self, who: Who, id: DocumentId) -> Result<Seen, AccessError> {
        let row = versioned(&self.db, id).await?.ok_or(AccessError::NotFound)?;
        let (version, document) = (row.access_version, row.document);
        // A link runs out by itself, so it is looked at each time.
        let is_kept = who.link().is_none();
        let known = self.known.get(&(who, id)).filter(|known| is_kept && known.version == version);
        let found = match known {
            Some(known) => known.found,
            None => {
                let found = resolve(&self.db, who, &document).await?;
                if is_kept {
                    self.known.insert((who, id), Known { version, found });
                }
                found
            }
        };
        Seen::new(who, (version, document), found)
    }
}
