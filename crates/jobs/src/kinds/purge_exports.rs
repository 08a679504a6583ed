//! Removing exports of pages whose time is over.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use serde::{Deserialize, Serialize};
use transfer::export::store;

/// Removes exports that cannot be fetched any more, and files of exports that were never finished.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeExports {}

impl Job for PurgeExports {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "purge_exports";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let (exports, unknown) = store::purge(work.db(), &work.parts().files).await?;
        let result = serde_json::json!({ "exports": exports, "unknown_files": unknown });
        Ok(Done::Repeatable(Some(result.to_string())))
    }
}
