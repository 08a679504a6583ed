//! Sending the letter of an invitation.

use crate::{
    Job, Queue,
    letter::{self, Mail},
    work::{Done, Trouble, Work},
};
use backends::mail::Letter;
use kernel::id::InvitationId;
use queue::Priority;
use serde::{Deserialize, Serialize};

/// The letter of an invitation. The token in it is derived when it is sent, so that no job holds one; an invitation that
/// was answered or taken back meanwhile gets no letter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SendInvitation {
    /// Which.
    pub invitation: InvitationId,
}

impl Job for SendInvitation {
    const QUEUE: Queue = Queue::Mail;
    const KIND: &'static str = "send_invitation";
    const PRIORITY: Priority = Priority::High;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let parts = work.parts();
        let Some(about) = workspaces::invitation::letter(work.db(), &parts.mint, self.invitation).await? else {
            return Ok(Done::Repeatable(None));
        };
        let mail = Mail::Invitation {
            workspace: about.workspace,
            by: about.inviter,
            role: about.role.name().to_owned(),
            message: about.message.unwrap_or_default(),
            url: format!("/open/#invitation={}", about.token),
        };
        let written = letter::render(&mail.at(&parts.settings.public_url))
            .map_err(|error| Trouble::Permanent(format!("the letter cannot be written: {error}")))?;
        let letter = Letter {
            id: work.id().0,
            to: about.email,
            to_name: String::new(),
            subject: written.subject,
            text: written.text,
            html: written.html,
        };
        match parts.mailer.send(&letter).await {
            Ok(()) => Ok(Done::Repeatable(None)),
            Err(error) if error.is_permanent() => Err(Trouble::Permanent(error.to_string())),
            Err(error) => Err(Trouble::Retry(error.to_string())),
        }
    }
}
