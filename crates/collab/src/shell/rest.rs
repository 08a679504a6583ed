//! What is done when a page has come to rest: its projection and title are kept, and what follows from its content is asked
//! for. And now and then while it does not rest, so that readers are not behind for as long as somebody types.

use super::Shell;
use documents::{projection, projection::Content, snapshot};
use sea_orm::DatabaseTransaction;
use std::time::{Duration, Instant};

/// A page is at rest when it has been quiet for this long.
const QUIET: Duration = Duration::from_secs(1);
/// A page that is never quiet is taken to be at rest after this.
const PATIENCE: Duration = Duration::from_secs(10);

/// Since when a page has been disturbed, and when it was last.
#[derive(Debug, Default)]
pub(super) struct Rest {
    disturbed: Option<(Instant, Instant)>,
}

impl Rest {
    /// The page has changed.
    pub(super) fn is_disturbed(&mut self) {
        let now = Instant::now();
        self.disturbed = Some((self.disturbed.map_or(now, |(first, _)| first), now));
    }

    /// Nothing more is waited for.
    pub(super) fn comes_now(&mut self) {
        self.disturbed = self.disturbed.map(|(first, last)| (first, last - QUIET));
    }

    /// Whether something has changed, and it is time to write it down.
    fn has_come(&self) -> bool {
        self.disturbed
            .is_some_and(|(first, last)| last.elapsed() >= QUIET || first.elapsed() >= PATIENCE)
    }
}

impl Shell {
    /// Keeps projection and save when the page has come to rest.
    pub(super) async fn settle(&mut self) {
        if self.rest.has_come() {
            self.rest = Rest::default();
            self.project().await;
        }
        self.save(false).await;
    }

    async fn project(&mut self) {
        let head = self.room.head().clone();
        if head.seq == self.projected {
            return;
        }
        let content = tokio::task::block_in_place(|| Content::from(self.room.page().mirror()));
        let (document, workspace, follow) = (self.document, self.workspace(), &self.shared.follow);
        let kept = backends::db::write(&self.shared.db, async |tx: &DatabaseTransaction| {
            projection::keep(tx, document, &head, &content).await?;
            documents::document::project_title(tx, document, &content.title).await?;
            follow.settled(tx, workspace, document).await
        });
        match kept.await {
            Ok(()) => {
                self.projected = head.seq;
                self.shared.follow.committed();
            }
            Err(error) => tracing::warn!(%document, %error, "the projection was not written; readers load the page instead"),
        }
    }

    /// Writes a verified save when the log has grown enough behind the last one.
    pub(super) async fn save(&mut self, at_the_end: bool) {
        let head = self.room.head().clone();
        let due = if at_the_end {
            self.shared.settings.snapshot_rows / 5
        } else {
            self.shared.settings.snapshot_rows
        };
        if head.seq - self.saved < due.max(1) || self.room.page().is_broken() {
            return;
        }
        // Not tried again for every edit when it fails.
        self.saved = head.seq;
        let document = self.document;
        match tokio::task::block_in_place(|| self.room.page().save_verified()) {
            Ok(bytes) => {
                let size = bytes.len();
                let kept = backends::db::write(&self.shared.db, async |tx: &DatabaseTransaction| {
                    snapshot::keep(tx, document, &head, bytes).await
                });
                match kept.await {
                    Ok(()) => self.room.saved_as(size),
                    Err(error) => tracing::warn!(%document, %error, "the snapshot was not written"),
                }
            }
            Err(error) => tracing::error!(%document, %error, "the page does not survive a save; it is served from its log"),
        }
    }
}
