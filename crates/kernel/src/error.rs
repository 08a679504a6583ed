//! What an error means to the one who caused it.
//!
//! Every crate has its own error enum; `Explain` is what the HTTP and socket faces need to answer without knowing it.

use sea_orm::{DbErr, SqlErr};
use std::time::Duration;

/// The kind of a failure. The HTTP face turns it into a status, the socket into a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The caller is unknown (401).
    Unauthenticated,
    /// The caller sees the thing but may not do this (403).
    Forbidden,
    /// There is no such thing, or the caller may not know of it (404).
    NotFound,
    /// The state of things does not allow it (409).
    Conflict,
    /// It was there, and its time is over (410).
    Gone,
    /// A precondition of the request does not hold any more (412).
    Stale,
    /// It is larger than the limit (413).
    TooLarge,
    /// The input does not make sense (422).
    Invalid,
    /// Somebody holds a lock (423).
    Locked,
    /// Too much, too fast (429).
    Limited,
    /// The product cannot do it now; try again (503).
    Unavailable,
    /// A fault of ours (500).
    Internal,
}

/// One field of the input that is wrong, named by JSON pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where: `/blocks/0/type`.
    pub pointer: String,
    /// A stable word: `required`, `too_long`, `unknown_type`.
    pub code: &'static str,
    /// One sentence for a person.
    pub detail: String,
}

impl Field {
    /// Names a bad field.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            detail: detail.into(),
        }
    }
}

/// An error that knows what it means to a caller.
pub trait Explain: std::error::Error {
    /// What kind of failure it is.
    fn kind(&self) -> Kind;
    /// The stable code: `card_not_found`.
    fn code(&self) -> &'static str;
    /// Every bad field, when the kind is [`Kind::Invalid`].
    fn fields(&self) -> Vec<Field> {
        Vec::new()
    }
    /// How long to wait before it is worth trying again, when the kind is [`Kind::Limited`] or [`Kind::Locked`] and that is known.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
    /// What else the caller can act on, by name: who holds a lock, until when.
    fn more(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

impl<E: Explain> Explain for std::sync::Arc<E> {
    fn kind(&self) -> Kind {
        (**self).kind()
    }

    fn code(&self) -> &'static str {
        (**self).code()
    }

    fn fields(&self) -> Vec<Field> {
        (**self).fields()
    }

    fn retry_after(&self) -> Option<Duration> {
        (**self).retry_after()
    }

    fn more(&self) -> Vec<(&'static str, String)> {
        (**self).more()
    }
}

impl Explain for DbErr {
    fn kind(&self) -> Kind {
        match self {
            Self::ConnectionAcquire(_) | Self::Conn(_) => Kind::Unavailable,
            Self::RecordNotFound(_) => Kind::NotFound,
            other => match other.sql_err() {
                Some(SqlErr::UniqueConstraintViolation(_)) => Kind::Conflict,
                _ if is_connection_loss(other) => Kind::Unavailable,
                _ => Kind::Internal,
            },
        }
    }

    fn code(&self) -> &'static str {
        match self.kind() {
            Kind::Unavailable => "database_unavailable",
            Kind::NotFound => "not_found",
            Kind::Conflict => "conflict",
            _ => "internal",
        }
    }
}

/// Whether the database went away, as far as its driver tells (lost sockets, shutdown, start-up: SQLSTATE 57P01–57P03, 08xxx).
fn is_connection_loss(error: &DbErr) -> bool {
    let text = error.to_string();
    [
        "57P01",
        "57P02",
        "57P03",
        "08006",
        "08003",
        "error communicating with database",
        "pool timed out",
        "Connection refused",
        "starting up",
        "shutting down",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}
