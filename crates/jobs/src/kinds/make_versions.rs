//! Versions of pages that nobody edits any more, or that somebody edits for long.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::db;
use documents::version;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

/// Pages that are found at once.
const AT_ONCE: u64 = 500;

/// Makes the versions that are due. Each is committed for itself, once however often it is tried.
#[derive(Debug, Serialize, Deserialize)]
pub struct MakeVersions {}

impl Job for MakeVersions {
    const QUEUE: Queue = Queue::Documents;
    const KIND: &'static str = "make_versions";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let pace = &work.parts().settings.version_pace;
        let mut made = 0;
        for document in version::due(work.db(), pace, AT_ONCE).await? {
            let is_new = db::write(work.db(), async |tx: &DatabaseTransaction| {
                version::make_due(tx, document, pace).await
            })
            .await?;
            made += u64::from(is_new);
            work.go_on()?;
        }
        Ok(Done::Repeatable(Some(format!("{{\"versions\":{made}}}"))))
    }
}
