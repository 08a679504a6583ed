//! A letter as it travels: headers and two forms of the same content. What people typed never becomes a header of its own.

use super::{Letter, MailError};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};

/// Characters of a subject or a name; more are cut off.
const LINE: usize = 200;

/// Whom letters are from.
#[derive(Clone, Debug)]
pub struct Sender(Mailbox);

impl Sender {
    /// Reads `ada@example.com` or `Ada <ada@example.com>`.
    pub fn parse(from: &str) -> Result<Self, MailError> {
        let from = from.trim();
        let (name, email) = match from.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, email)) => (name.trim().trim_matches('"'), email),
            None => ("", from),
        };
        Ok(Self(
            mailbox(name, email).map_err(|_| MailError::Invalid(format!("{from:?} is no sender")))?,
        ))
    }

    /// What stands behind the @ of every Message-ID.
    fn host(&self) -> &str {
        let host = self.0.email.domain();
        if host.is_ascii() { host } else { "localhost" }
    }
}

/// Says that no person wrote it, so that no machine answers (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Builds the message.
pub fn compose(from: &Sender, letter: &Letter) -> Result<Message, MailError> {
    let to = mailbox(&letter.to_name, &letter.to).map_err(|why| MailError::Invalid(format!("{:?} is no address: {why}", letter.to)))?;
    Message::builder()
        .message_id(Some(format!("<{}@{}>", letter.id, from.host())))
        .date(kernel::clock::now().into())
        .from(from.0.clone())
        .to(to)
        .subject(subject(&letter.subject))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
        .map_err(|error| MailError::Invalid(error.to_string()))
}

/// An address with its name. An address is taken as it is or not at all: one that was mended would be somebody else's.
fn mailbox(name: &str, email: &str) -> Result<Mailbox, String> {
    if email.chars().any(breaks_lines) {
        return Err("it has a control character".to_owned());
    }
    let email: Address = email.parse().map_err(|error: lettre::address::AddressError| error.to_string())?;
    let name = line(name);
    Ok(Mailbox::new((!name.is_empty()).then_some(name), email))
}

/// A subject in which nothing looks encoded: a reader's program would decode it to something nobody checked.
fn subject(text: &str) -> String {
    line(text).replace("=?", "= ?")
}

/// One line of at most [`LINE`] characters.
fn line(text: &str) -> String {
    let spaced: String = text.chars().map(|char| if breaks_lines(char) { ' ' } else { char }).collect();
    let text = spaced.trim();
    match text.char_indices().nth(LINE) {
        Some(_) => text.chars().take(LINE - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

fn breaks_lines(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}' | '\u{2029}')
}
