//! Thinning out the versions that nobody named, every night.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::db;
use documents::version;
use kernel::clock::Time;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

/// Thins out the versions of all pages where there is something to thin out.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeVersions {
    /// The time of the plan: what is old is old at this time, however late the job runs.
    pub tick: Time,
}

impl Job for PurgeVersions {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "purge_versions";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let retention = &work.parts().settings.version_retention;
        let mut gone = 0;
        loop {
            let pages = version::thinnable(work.db(), retention, self.tick).await?;
            if pages.is_empty() {
                return Ok(Done::Repeatable(Some(format!("{{\"versions\":{gone}}}"))));
            }
            for document in pages {
                let thinned = db::write(work.db(), async |tx: &DatabaseTransaction| {
                    version::thin(tx, document, retention, self.tick).await
                });
                gone += thinned.await?;
                work.go_on()?;
            }
        }
    }
}
