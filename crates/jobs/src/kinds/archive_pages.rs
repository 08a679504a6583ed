//! Archiving pages that nobody has changed for as long as their workspace's settings say.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::db;
use documents::archiving;
use kernel::{clock, id::*};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Workspaces looked at in one statement.
const WORKSPACES: u64 = 200;
/// Pages archived in one transaction.
const AT_ONCE: u64 = 100;

/// Archives what is due in every workspace with a policy.
#[derive(Debug, Serialize, Deserialize)]
pub struct ArchivePages {}

impl Job for ArchivePages {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "archive_pages";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let (mut after, mut archived) = (None, 0);
        loop {
            let policies = archiving::policies(work.db(), after, WORKSPACES).await?;
            let Some((last, _)) = policies.last() else { break };
            after = Some(*last);
            for (workspace, days) in policies {
                archived += archive(work, workspace, days).await?;
            }
        }
        Ok(Done::Repeatable(Some(json!({ "documents": archived }).to_string())))
    }
}

async fn archive(work: &Work, workspace: WorkspaceId, days: i32) -> Result<usize, Trouble> {
    let now = clock::now();
    let before = now - chrono::Duration::days(days.into());
    let mut archived = 0;
    loop {
        work.go_on()?;
        let some = db::write(work.db(), async |tx: &DatabaseTransaction| {
            archiving::archive_some(tx, workspace, (now, before), AT_ONCE).await
        });
        match some.await {
            Ok(0) => return Ok(archived),
            Ok(some) => archived += some,
            // It went to the trash meanwhile.
            Err(documents::error::Error::Grant(workspaces::Error::NotFound)) => return Ok(archived),
            Err(error) => return Err(error.into()),
        }
    }
}
