//! Sending one letter to one person.

use crate::{
    Job, Queue,
    letter::{self, Mail},
    work::{Done, Trouble, Work},
};
use backends::mail::Letter;
use queue::Priority;
use serde::{Deserialize, Serialize};

/// A letter, not written out yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SendMail {
    /// The address.
    pub to: String,
    /// Whose it is.
    pub to_name: String,
    /// What to say.
    pub mail: Mail,
}

impl Job for SendMail {
    const QUEUE: Queue = Queue::Mail;
    const KIND: &'static str = "send_mail";
    const PRIORITY: Priority = Priority::High;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        deliver(work, (self.to, self.to_name), &self.mail).await
    }
}

/// Sends a letter to an address and a name. A mail server cannot be asked whether it has a letter already. The letter carries
/// the job's id as its Message-ID, by which the receiving side knows a second copy; a file outbox keeps one file for each.
pub(crate) async fn deliver(work: &Work, (to, to_name): (String, String), mail: &Mail) -> Result<Done, Trouble> {
    let parts = work.parts();
    let mail = mail.at(&parts.settings.public_url);
    let written = letter::render(&mail).map_err(|error| Trouble::Permanent(format!("the letter cannot be written: {error}")))?;
    let letter = Letter {
        id: work.id().0,
        to,
        to_name,
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
