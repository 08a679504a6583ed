//! Sending a letter with a token in its link. The job knows ids alone; the token is derived when the letter is written, from
//! a row that keeps its hash.

use super::send_mail::deliver;
use crate::{
    Job, Queue,
    letter::Mail,
    work::{Done, Trouble, Work},
};
use kernel::id::*;
use queue::Priority;
use serde::{Deserialize, Serialize};
use users::mailed::{self, Purpose};

/// A letter with a token. One for nobody is enqueued all the same when somebody gives an address that no account has, so that
/// the answer takes as much work as for one that has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum SendToken {
    /// To prove the address of an account.
    VerifyEmail {
        /// Whose account it is.
        user: Option<UserId>,
    },
    /// To set a new password.
    ResetPassword {
        /// Whose account it is.
        user: Option<UserId>,
    },
    /// To the address that an account is to get.
    ChangeEmail {
        /// The token's row.
        token: UserTokenId,
    },
}

impl Job for SendToken {
    const QUEUE: Queue = Queue::Mail;
    const KIND: &'static str = "send_token";
    const PRIORITY: Priority = Priority::High;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let mint = &work.parts().mint;
        // The job's id is the row's: its second attempt finds the token of the first.
        let id = UserTokenId(work.id().0);
        let issued = match self {
            Self::VerifyEmail { user: Some(user) } => mailed::issue(work.db(), mint, Purpose::VerifyEmail, user, id).await?,
            Self::ResetPassword { user: Some(user) } => mailed::issue(work.db(), mint, Purpose::ResetPassword, user, id).await?,
            Self::ChangeEmail { token } => mailed::again(work.db(), mint, Purpose::ChangeEmail, token).await?,
            Self::VerifyEmail { user: None } | Self::ResetPassword { user: None } => None,
        };
        let Some(issued) = issued else { return Ok(Done::Repeatable(None)) };
        let secret = issued.secret;
        // Behind the #: what stands there is sent to no server, so it is in no log and no Referer.
        let mail = match self {
            Self::VerifyEmail { .. } => Mail::VerifyEmail {
                url: format!("/open/#verify={secret}"),
            },
            Self::ChangeEmail { .. } => Mail::ChangeEmail {
                url: format!("/open/#verify={secret}"),
            },
            Self::ResetPassword { .. } => Mail::ResetPassword {
                url: format!("/open/#reset={secret}"),
            },
        };
        deliver(work, (issued.to, issued.user.display_name), &mail).await
    }
}
