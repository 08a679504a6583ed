//! What can go wrong with files of pages.

use backends::files::FilesError;
use kernel::error::{Explain, Field, Kind};
use sea_orm::DbErr;

/// A failure of this crate's verbs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such file on this page.
    #[error("there is no such file")]
    NotFound,
    /// Its bytes have not come yet.
    #[error("the bytes of this file have not come yet")]
    NotReady,
    /// It has no small pictures: it is no picture, or they are still being made.
    #[error("there is no thumbnail of this file")]
    NoThumbnail,
    /// Its bytes have come before.
    #[error("the bytes of this file have come before; a file is never changed")]
    AlreadyUploaded,
    /// More bytes than were promised, or fewer.
    #[error("{promised} bytes were promised, and {came} came")]
    SizeMismatch {
        /// As announced.
        promised: u64,
        /// As counted.
        came: u64,
    },
    /// Other bytes than were promised.
    #[error("the SHA-256 of the bytes is {came}, not the one that was promised")]
    HashMismatch {
        /// Of what came.
        came: String,
    },
    /// Bytes come too slowly, or not at all.
    #[error("the bytes came too slowly")]
    TooSlow,
    /// Too many uploads at once, of one person or altogether.
    #[error("too many uploads at once; try again when one of them is done")]
    Busy,
    /// The page has as many files as it may have.
    #[error("a page has at most {0} files")]
    TooMany(u64),
    /// Bad fields.
    #[error("the input is not valid")]
    Invalid(Vec<Field>),
    /// What the workspace, its quota or the door says.
    #[error(transparent)]
    Workspace(#[from] workspaces::Error),
    /// The store's own.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The database's own.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl From<workspaces::access::AccessError> for Error {
    fn from(error: workspaces::access::AccessError) -> Self {
        Self::Workspace(error.into())
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::NoThumbnail => Kind::NotFound,
            Self::NotReady | Self::AlreadyUploaded | Self::TooMany(_) => Kind::Conflict,
            Self::SizeMismatch { .. } | Self::HashMismatch { .. } | Self::TooSlow | Self::Invalid(_) => Kind::Invalid,
            Self::Busy => Kind::Limited,
            Self::Workspace(e) => e.kind(),
            Self::Files(FilesError::NotFound) => Kind::Unavailable,
            Self::Files(e) => e.kind(),
            Self::Db(e) => e.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::NotReady => "not_uploaded",
            Self::NoThumbnail => "no_thumbnail",
            Self::AlreadyUploaded => "already_uploaded",
            Self::SizeMismatch { .. } => "size_mismatch",
            Self::HashMismatch { .. } => "hash_mismatch",
            Self::TooSlow => "upload_too_slow",
            Self::Busy => "too_many_uploads",
            Self::TooMany(_) => "too_many",
            Self::Invalid(_) => "invalid",
            Self::Workspace(e) => e.code(),
            Self::Files(e) => e.code(),
            Self::Db(e) => e.code(),
        }
    }

    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Invalid(fields) => fields.clone(),
            Self::Workspace(e) => e.fields(),
            _ => Vec::new(),
        }
    }
}
