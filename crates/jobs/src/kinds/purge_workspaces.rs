//! Destroying workspaces whose time in the trash is over.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::db;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use workspaces::trash;

/// Workspaces looked for at once.
const AT_ONCE: u64 = 50;

/// Destroys workspaces that have been in the trash for more than 30 days, with everything in them, some pages a
/// transaction. Their event logs stay until their own time.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeWorkspaces {}

impl Job for PurgeWorkspaces {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "purge_workspaces";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let mut gone = 0_u64;
        loop {
            let overdue = trash::overdue(work.db(), AT_ONCE).await?;
            if overdue.is_empty() {
                return Ok(Done::Repeatable(Some(format!("{{\"workspaces\":{gone}}}"))));
            }
            for workspace in overdue {
                while !db::write(work.db(), async |tx: &DatabaseTransaction| trash::destroy_some(tx, workspace).await).await? {
                    work.go_on()?;
                }
                work.go_on()?;
                gone += 1;
            }
        }
    }
}
