//! The event log's months: made ahead, and cut off when they are too old.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::db;
use entity::event_chain;
use events::{partition, read, retention};
use kernel::clock;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

/// Chains read at once.
const AT_ONCE: u64 = 200;

/// Makes the months to come, and cuts off what is older than the retention.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeepEvents {}

impl Job for KeepEvents {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "keep_events";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let now = clock::now();
        let before = now - work.parts().settings.events_kept;
        db::write(work.db(), async |tx: &DatabaseTransaction| partition::ensure(tx, now).await).await?;
        let (mut after, mut cut) = (None, 0);
        loop {
            let chains = read::chains(work.db(), after, AT_ONCE).await?;
            let Some(last) = chains.last() else { break };
            after = Some(last.workspace_id);
            for chain in &chains {
                work.go_on()?;
                cut += i64::from(cut_off(work, chain, before).await?);
            }
        }
        let months = db::write(work.db(), async |tx: &DatabaseTransaction| retention::drop_months(tx, before).await).await?;
        Ok(Done::Repeatable(Some(format!("{{\"chains\":{cut},\"months\":{months}}}"))))
    }
}

/// Cuts one chain, a transaction at a time. Whether there was anything to cut.
async fn cut_off(work: &Work, chain: &event_chain::Model, before: clock::Time) -> Result<bool, Trouble> {
    let (seals, mut was_cut) = (&work.parts().seals, false);
    loop {
        let cut = db::write(work.db(), async |tx: &DatabaseTransaction| {
            retention::cut(tx, seals, chain.workspace_id, before).await
        })
        .await?;
        was_cut |= cut.is_some();
        match cut {
            Some(cut) if !cut.is_done => work.go_on()?,
            _ => return Ok(was_cut),
        }
    }
}
