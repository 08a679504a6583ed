//! What can go wrong with a page.

use kernel::{
    clock,
    error::{Explain, Field, Kind},
};
use sea_orm::DbErr;
use std::time::Duration;

/// A failure of a page's verbs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such page, or not for this caller.
    #[error("document not found")]
    NotFound,
    /// The block does not exist or was deleted.
    #[error("block {0} not found")]
    BlockNotFound(String),
    /// A block, page or id of that name exists already.
    #[error("{0} is taken")]
    Taken(String),
    /// A position lies outside the text it points into.
    #[error("position {pos} is outside the text, which is {len} UTF-16 units long")]
    PositionOutOfRange {
        /// What was asked.
        pos: usize,
        /// The length of the text at the base of the edit.
        len: usize,
    },
    /// The move would hang a thing under itself.
    #[error("a thing cannot be moved into itself")]
    Cycle,
    /// The named base is not part of this page's history.
    #[error("the base of the edit is not known here")]
    BaseUnknown,
    /// The page was never in the state that was asked for.
    #[error("the page was never in that state")]
    StateNotFound,
    /// No such version of this page.
    #[error("version not found")]
    VersionNotFound,
    /// This state of the page has a name already.
    #[error("this state of the page is a named version already")]
    VersionExists,
    /// The input does not make sense; every bad field is named.
    #[error("the input is not valid: {}", .0.iter().map(|f| format!("{} {}", f.pointer, f.detail)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Field>),
    /// One edit of several cannot be made, so none was.
    #[error("{error}")]
    Edit {
        /// Which of them, from 0.
        index: usize,
        /// Why.
        error: Box<Error>,
    },
    /// One text, block or page is at its limit.
    #[error("too large: {0}")]
    TooLarge(String),
    /// Files of the pages lie in the workspace's store and do not go along.
    #[error("pages with files are not moved to another workspace; copy them, or remove the files first")]
    HasFiles,
    /// There are enough of these.
    #[error("there are too many {0}")]
    TooMany(&'static str),
    /// Client bytes that the gate refuses.
    #[error("refused: {0}")]
    Refused(#[from] crate::gate::Refusal),
    /// The page in memory cannot be trusted any more and has to be loaded again.
    #[error("the page failed in memory: {0}")]
    Broken(String),
    /// The log does not give the page it promises.
    #[error("the page does not load: {0}")]
    Corrupt(String),
    /// Somebody holds a lock on the page.
    #[error("the page is locked{}", .0.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    Locked(Box<crate::lock::Held>),
    /// The lock that an edit was made under is gone.
    #[error("the lock that this was done under is gone")]
    LockLost,
    /// What stands in the way of a grant.
    #[error(transparent)]
    Grant(#[from] workspaces::Error),
    /// What the door says.
    #[error(transparent)]
    Access(#[from] workspaces::access::AccessError),
    /// The database's own.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl Error {
    /// One bad field.
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Field::new(pointer, code, detail)])
    }

    /// The same, of an edit among others. What is wrong with its fields says so by itself, and what is no fault of an edit is
    /// of none.
    pub(crate) fn of_edit(self, index: usize) -> Self {
        match self {
            Self::BlockNotFound(_) | Self::Taken(_) | Self::PositionOutOfRange { .. } | Self::Cycle | Self::TooLarge(_) => Self::Edit {
                index,
                error: Box::new(self),
            },
            other => other,
        }
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::BlockNotFound(_) | Self::StateNotFound | Self::VersionNotFound => Kind::NotFound,
            Self::Taken(_) | Self::Cycle | Self::BaseUnknown | Self::VersionExists | Self::LockLost | Self::TooMany(_) | Self::HasFiles => {
                Kind::Conflict
            }
            Self::Locked(_) => Kind::Locked,
            Self::PositionOutOfRange { .. } | Self::Invalid(_) | Self::Refused(_) => Kind::Invalid,
            Self::TooLarge(_) => Kind::TooLarge,
            Self::Edit { error, .. } => error.kind(),
            Self::Broken(_) => Kind::Unavailable,
            Self::Corrupt(_) => Kind::Internal,
            Self::Access(e) => e.kind(),
            Self::Grant(e) => e.kind(),
            Self::Db(e) => e.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "document_not_found",
            Self::BlockNotFound(_) => "block_not_found",
            Self::Taken(_) => "id_taken",
            Self::PositionOutOfRange { .. } => "position_out_of_range",
            Self::Cycle => "cycle",
            Self::BaseUnknown => "base_unknown",
            Self::StateNotFound => "state_not_found",
            Self::VersionNotFound => "version_not_found",
            Self::VersionExists => "version_exists",
            Self::Invalid(_) => "invalid",
            Self::Edit { error, .. } => error.code(),
            Self::TooLarge(_) => "too_large",
            Self::TooMany(_) => "too_many",
            Self::HasFiles => "has_attachments",
            Self::Refused(refusal) => refusal.code(),
            Self::Broken(_) => "unavailable",
            Self::Corrupt(_) => "document_corrupt",
            Self::Locked(_) => "locked",
            Self::LockLost => "lock_lost",
            Self::Access(e) => e.code(),
            Self::Grant(e) => e.code(),
            Self::Db(e) => e.code(),
        }
    }

    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Invalid(fields) => fields.clone(),
            Self::Edit { index, error } => vec![Field::new(format!("/ops/{index}"), error.code(), error.to_string())],
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Locked(held) => held.left(clock::now()),
            _ => None,
        }
    }

    fn more(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Locked(held) => held.told(),
            _ => Vec::new(),
        }
    }
}
