//! Erasing accounts that were closed, when their grace has passed.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use documents::visit;
use futures::FutureExt;
use kernel::{clock, id::*};
use queue::Unique;
use serde::{Deserialize, Serialize};
use users::deletion;
use workspaces::departure;

/// Accounts for which jobs are enqueued at once; the others wait for the next time.
const AT_ONCE: u64 = 500;

/// Enqueues a job for every account whose grace has passed.
#[derive(Debug, Serialize, Deserialize)]
pub struct EraseAccounts {}

impl Job for EraseAccounts {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "erase_accounts";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let due = deletion::due(work.db(), clock::now(), AT_ONCE).await?;
        work.commit(None, |tx, work| {
            async move {
                for row in due {
                    // Who closed it, kept it and closed it again has another row.
                    let once = Unique::Once(format!("erase_account:{}:{}", row.user_id, row.due_at.timestamp_micros()));
                    work.enqueue(tx, &EraseAccount { user: row.user_id }, once).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await
    }
}

/// Erases one account, unless its owner has kept it.
#[derive(Debug, Serialize, Deserialize)]
pub struct EraseAccount {
    /// Whose.
    pub user: UserId,
}

impl Job for EraseAccount {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "erase_account";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        work.commit(None, |tx, _| {
            async move {
                if deletion::take(tx, self.user).await? {
                    let departed = departure::depart(tx, self.user).await;
                    departed.map_err(|error| Trouble::Retry(error.to_string()))?;
                    documents::recent::forget(tx, self.user).await?;
                    visit::forget(tx, self.user).await?;
                    deletion::erase(tx, self.user).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await
    }
}
