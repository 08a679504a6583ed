//! What can go wrong when pages are copied with their files.

use kernel::error::{Explain, Field, Kind};
use sea_orm::DbErr;
use std::time::Duration;
use workspaces::access::AccessError;

/// A failure of copying.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Of a page.
    #[error(transparent)]
    Document(#[from] documents::error::Error),
    /// Of a file.
    #[error(transparent)]
    Attachment(#[from] attachments::Error),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::Document(error.into())
    }
}

impl From<AccessError> for Error {
    fn from(error: AccessError) -> Self {
        Self::Document(error.into())
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Document(e) => e.kind(),
            Self::Attachment(e) => e.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Document(e) => e.code(),
            Self::Attachment(e) => e.code(),
        }
    }

    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Document(e) => e.fields(),
            Self::Attachment(e) => e.fields(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Document(e) => e.retry_after(),
            Self::Attachment(e) => e.retry_after(),
        }
    }

    fn more(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Document(e) => e.more(),
            Self::Attachment(e) => e.more(),
        }
    }
}
