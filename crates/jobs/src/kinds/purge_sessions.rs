//! Removing logins that are over.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use serde::{Deserialize, Serialize};

/// Removes logins that ended or ran out more than a day ago, with their tokens.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeSessions {}

impl Job for PurgeSessions {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "purge_sessions";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let ended = users::session::purge(work.db()).await?;
        Ok(Done::Repeatable(Some(format!("{{\"sessions\":{ended}}}"))))
    }
}
