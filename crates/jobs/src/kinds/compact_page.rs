//! Folding away the old part of pages' logs.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::db;
use documents::{compaction, error::Error};
use futures::FutureExt;
use kernel::id::DocumentId;
use queue::{Priority, Unique};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Pages that one round finds.
const AT_ONCE: u64 = 200;

/// Finds the pages that are due and enqueues a job for each.
#[derive(Debug, Serialize, Deserialize)]
pub struct CompactPages {}

impl Job for CompactPages {
    const QUEUE: Queue = Queue::Documents;
    const KIND: &'static str = "compact_pages";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let due = compaction::due(work.db(), &work.parts().settings.log_retention, AT_ONCE).await?;
        work.commit(None, |tx, work| {
            async move {
                for document in due {
                    let once = Unique::WhileWaiting(format!("compact_page:{document}"));
                    work.enqueue(tx, &CompactPage { document }, once).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await
    }
}

/// Folds away the old part of one page's log.
#[derive(Debug, Serialize, Deserialize)]
pub struct CompactPage {
    /// The page.
    pub document: DocumentId,
}

impl Job for CompactPage {
    const QUEUE: Queue = Queue::Documents;
    const KIND: &'static str = "compact_page";
    const PRIORITY: Priority = Priority::Low;
    const MAX_ATTEMPTS: i32 = 3;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let retention = &work.parts().settings.log_retention;
        let (mut rows, mut before, mut after) = (0, 0, 0);
        loop {
            work.go_on()?;
            let folded = db::write(work.db(), async |tx: &DatabaseTransaction| {
                compaction::fold(tx, self.document, retention).await
            })
            .await;
            let folded = match folded {
                // Deleted meanwhile.
                Err(Error::NotFound) => return Ok(Done::Repeatable(None)),
                other => other?,
            };
            rows += folded.rows;
            before += folded.bytes_before;
            after += folded.bytes_after;
            if folded.is_done {
                let figures = json!({ "rows": rows, "bytes_before": before, "bytes_after": after });
                return Ok(Done::Repeatable(Some(figures.to_string())));
            }
        }
    }
}
