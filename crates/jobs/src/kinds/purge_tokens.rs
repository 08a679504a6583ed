//! Removing tokens and challenges that are over.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use serde::{Deserialize, Serialize};

/// Removes mailed tokens whose time is over, logins that wait for no code any more, and second factors that were never
/// confirmed.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeTokens {}

impl Job for PurgeTokens {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "purge_tokens";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let tokens = users::mailed::purge(work.db()).await?;
        let challenges = users::mfa::purge(work.db()).await?;
        let factors = users::totp::purge(work.db()).await?;
        let result = serde_json::json!({ "tokens": tokens, "challenges": challenges, "factors": factors });
        Ok(Done::Repeatable(Some(result.to_string())))
    }
}
