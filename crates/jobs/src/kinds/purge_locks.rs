//! Removing locks of pages that are over.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use serde::{Deserialize, Serialize};

/// Removes locks whose time is over, and writes down that a person's lock has ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeLocks {}

impl Job for PurgeLocks {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "purge_locks";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let locks = documents::lock::expire(work.db()).await?;
        Ok(Done::Repeatable(Some(serde_json::json!({ "locks": locks }).to_string())))
    }
}
