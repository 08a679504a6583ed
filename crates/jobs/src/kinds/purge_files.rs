//! Removing files that nobody can come by any more.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use attachments::purge;
use kernel::clock;
use serde::{Deserialize, Serialize};

/// Removes files that were announced and never came, files that were deleted and not taken back, and bytes in the store that
/// belong to nothing: of pages that were destroyed, and of uploads that were cut off.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeFiles {}

impl Job for PurgeFiles {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "purge_files";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let (now, parts) = (clock::now(), work.parts());
        let rows = purge::rows(work.db(), now, now - parts.settings.deleted_files_kept).await?;
        work.go_on()?;
        let files = purge::files(work.db(), &parts.files, now).await?;
        let unfinished = parts.files.forget_unfinished(now - purge::GRACE).await;
        let unfinished = unfinished.map_err(attachments::Error::from)?;
        let result = serde_json::json!({ "rows": rows, "files": files, "unfinished": unfinished });
        Ok(Done::Repeatable(Some(result.to_string())))
    }
}
