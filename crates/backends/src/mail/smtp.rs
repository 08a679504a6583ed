//! A mail server over SMTP, with connections that are kept for the next letter.

use super::{
    Letter, MailError,
    message::{self, Sender},
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{AsyncSmtpTransportBuilder, Error, response::Category},
};
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

type Connections = AsyncSmtpTransport<Tokio1Executor>;

/// How long the server may take until it accepts a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take for one letter, from the connection to its last word.
const LETTER: Duration = Duration::from_secs(30);

/// The way to a mail server.
pub struct Smtp {
    server: AsyncSmtpTransportBuilder,
    from: Sender,
    /// None until the first letter, and after a conversation that was broken off.
    connections: Mutex<Option<Connections>>,
}

/// Gives the connections up unless the conversation came to its end. The library would keep the one that is in the middle
/// of something, and take late answers to this letter for those to the next.
struct Conversation<'a>(Option<&'a Smtp>);

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        if let Some(smtp) = self.0 {
            *smtp.connections.lock() = None;
        }
    }
}

impl Smtp {
    pub(super) fn new(url: &SecretString, from: Sender) -> Result<Self, MailError> {
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
            .map_err(|error| MailError::Invalid(format!("the mail server's url is wrong: {error}")))?;
        Ok(Self {
            server: server.timeout(Some(CONNECT)),
            from,
            connections: Mutex::new(None),
        })
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let message = message::compose(&self.from, letter)?;
        let connections = self.connections();
        let mut conversation = Conversation(Some(self));
        let answer = tokio::time::timeout(LETTER, connections.send(message)).await;
        match answer {
            Ok(answer) => {
                conversation.0 = None;
                answer.map(drop).map_err(explain)
            }
            Err(_) => Err(MailError::Unavailable("the mail server takes too long".to_owned())),
        }
    }

    fn connections(&self) -> Connections {
        let mut connections = self.connections.lock();
        connections.get_or_insert_with(|| self.server.clone().build()).clone()
    }
}

/// What the server's answer means for the letter.
fn explain(error: Error) -> MailError {
    // 53x is about our login and not about the letter: it goes once that is put right.
    let login = error.status().is_some_and(|code| code.category == Category::Unspecified3);
    if error.is_permanent() && !login {
        MailError::Refused(error.to_string())
    } else {
        MailError::Unavailable(error.to_string())
    }
}
