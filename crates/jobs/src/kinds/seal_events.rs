//! Sealing the event log: a signed checkpoint where every chain stands at the end of a day.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::db;
use events::checkpoint;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

/// Chains in one transaction.
const AT_ONCE: u64 = 200;

/// Signs where each chain of the event log stands.
#[derive(Debug, Serialize, Deserialize)]
pub struct SealEvents {}

impl Job for SealEvents {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "seal_events";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let (seals, mut after) = (&work.parts().seals, None);
        loop {
            work.go_on()?;
            let last = db::write(work.db(), async |tx: &DatabaseTransaction| {
                checkpoint::seal(tx, seals, after, AT_ONCE).await
            })
            .await?;
            match last {
                Some(last) => after = Some(last),
                None => return Ok(Done::Repeatable(None)),
            }
        }
    }
}
