//! Outgoing mail: to a mail server, or into a directory, which is the embedded form and shows what would have been sent.
//!
//! A mail server cannot be asked whether it took a letter, so one may be delivered twice, with the same Message-ID. The
//! directory has one file for each letter however often it is sent.

mod message;
mod outbox;
mod smtp;

use kernel::error::{Explain, Kind};
use message::Sender;
use outbox::Outbox;
use secrecy::SecretString;
use smtp::Smtp;
use std::{path::PathBuf, sync::Arc};
use uuid::Uuid;

/// One mail to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Stays the same however often the letter is sent: the Message-ID, and the file's name.
    pub id: Uuid,
    /// The address.
    pub to: String,
    /// Whose it is; may be empty.
    pub to_name: String,
    /// One line.
    pub subject: String,
    /// For those who read plain text.
    pub text: String,
    /// The same as a page.
    pub html: String,
}

/// Where letters go.
#[derive(Clone)]
pub enum Mailer {
    /// To a mail server, which carries them on.
    Smtp(Arc<Smtp>),
    /// Into a directory, as one file each.
    Directory(Arc<Outbox>),
}

/// Why a letter did not go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// An address, a sender or a server's url that is none.
    #[error("{0}")]
    Invalid(String),
    /// The mail server will never take this letter.
    #[error("the mail server refused the letter: {0}")]
    Refused(String),
    /// It did not go this time.
    #[error("the letter did not go: {0}")]
    Unavailable(String),
}

impl MailError {
    /// Whether trying again is useless.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::Refused(_) => true,
            Self::Unavailable(_) => false,
        }
    }
}

impl Explain for MailError {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => Kind::Invalid,
            Self::Refused(_) => Kind::Conflict,
            Self::Unavailable(_) => Kind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "mail_invalid",
            Self::Refused(_) => "mail_refused",
            Self::Unavailable(_) => "mail_unavailable",
        }
    }
}

impl Mailer {
    /// A mail server: `smtp://user:password@host:port`, `smtps://…`, or `smtp://…?tls=required` for STARTTLS. It is not
    /// asked yet. Letters are from `from`: `ada@example.com` or `Ada <ada@example.com>`.
    ///
    /// # Errors
    /// When the url or the sender is none.
    pub fn smtp(url: &SecretString, from: &str) -> Result<Self, MailError> {
        Ok(Self::Smtp(Arc::new(Smtp::new(url, Sender::parse(from)?)?)))
    }

    /// A directory, made with mode 0700 when it is not there; the mode of one that is stays as it is. Letters are files of
    /// mode 0600, named by their id.
    ///
    /// # Errors
    /// When the directory cannot be made or the sender is none.
    pub fn directory(dir: PathBuf, from: &str) -> Result<Self, MailError> {
        Ok(Self::Directory(Arc::new(Outbox::new(dir, Sender::parse(from)?)?)))
    }

    /// Sends a letter. Dropping the future leaves it open whether the letter went.
    ///
    /// # Errors
    /// When it did not go, or when nobody can say that it did.
    pub async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        match self {
            Self::Smtp(smtp) => smtp.send(letter).await,
            Self::Directory(outbox) => outbox.keep(letter).await,
        }
    }
}

#[cfg(test)]
mod tests;
