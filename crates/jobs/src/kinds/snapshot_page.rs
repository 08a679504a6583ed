//! Verified snapshots of pages whose log has grown while nobody kept one.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::db;
use documents::{error::Error, snapshot};
use futures::FutureExt;
use kernel::id::DocumentId;
use queue::{Priority, Unique};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

/// Pages that one round finds.
const AT_ONCE: u64 = 200;

/// Finds the pages that are due and enqueues a job for each.
#[derive(Debug, Serialize, Deserialize)]
pub struct SnapshotPages {}

impl Job for SnapshotPages {
    const QUEUE: Queue = Queue::Documents;
    const KIND: &'static str = "snapshot_pages";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let due = snapshot::due(work.db(), work.parts().settings.snapshot_rows, AT_ONCE).await?;
        work.commit(None, |tx, work| {
            async move {
                for document in due {
                    let once = Unique::WhileWaiting(format!("snapshot_page:{document}"));
                    work.enqueue(tx, &SnapshotPage { document }, once).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await
    }
}

/// Writes a verified snapshot of one page.
#[derive(Debug, Serialize, Deserialize)]
pub struct SnapshotPage {
    /// The page.
    pub document: DocumentId,
}

impl Job for SnapshotPage {
    const QUEUE: Queue = Queue::Documents;
    const KIND: &'static str = "snapshot_page";
    const PRIORITY: Priority = Priority::Low;
    const MAX_ATTEMPTS: i32 = 3;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let (page, stored) = match snapshot::load(work.db(), self.document).await {
            // Deleted meanwhile.
            Err(Error::NotFound) => return Ok(Done::Repeatable(None)),
            other => other?,
        };
        let saved = tokio::task::spawn_blocking(move || page.save_verified()).await;
        let bytes = saved.map_err(|error| Trouble::Retry(error.to_string()))??;
        db::write(work.db(), async |tx: &DatabaseTransaction| {
            snapshot::keep(tx, self.document, &stored.head, bytes).await
        })
        .await?;
        Ok(Done::Repeatable(None))
    }
}
