//! Removing jobs that are over.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::db;
use queue::Priority;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

/// Rows in one transaction.
const AT_ONCE: u64 = 2_000;

/// Removes jobs that have been over for a week; dead ones after four.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetJobs {}

impl Job for ForgetJobs {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "forget_jobs";
    const PRIORITY: Priority = Priority::Low;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let (kept, mut jobs) = (work.parts().settings.jobs_kept, 0);
        loop {
            work.go_on()?;
            let gone = db::write(work.db(), async |tx: &DatabaseTransaction| {
                queue::list::forget(tx, kept, AT_ONCE).await
            })
            .await?;
            jobs += gone;
            if gone < AT_ONCE {
                return Ok(Done::Repeatable(Some(format!("{{\"jobs\":{jobs}}}"))));
            }
        }
    }
}
