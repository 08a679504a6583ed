//! Destroying pages whose time in the trash is over.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::db;
use documents::trash;
use kernel::clock;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Pages looked for at once.
const AT_ONCE: u64 = 50;

/// Destroys pages that have been in the trash for as many days as the configuration says, with what went there with them, some
/// pages a transaction.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgePages {}

impl Job for PurgePages {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "purge_pages";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let before = clock::now() - work.parts().settings.trash_kept;
        let mut gone = 0_u64;
        loop {
            let overdue = trash::overdue(work.db(), before, AT_ONCE).await?;
            if overdue.is_empty() {
                return Ok(Done::Repeatable(Some(json!({ "documents": gone }).to_string())));
            }
            for page in overdue {
                while !db::write(work.db(), async |tx: &DatabaseTransaction| {
                    trash::purge_some(tx, page, before).await
                })
                .await?
                {
                    work.go_on()?;
                }
                work.go_on()?;
                gone += 1;
            }
        }
    }
}
