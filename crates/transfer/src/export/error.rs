//! What can go wrong with an export.

use backends::files::FilesError;
use kernel::error::{Explain, Kind};
use sea_orm::DbErr;
use std::time::Duration;
use workspaces::access::AccessError;

/// A failure of this module's verbs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such export, or not for this caller, or its time is over.
    #[error("there is no such export")]
    NotFound,
    /// As many are being made for them as may be.
    #[error("{0} of your exports are being made; wait for one of them")]
    TooManyRunning(u64),
    /// As many are kept for them as may be.
    #[error("you made as many exports as can be kept; the oldest goes in {} minutes", .0.as_secs() / 60 + 1)]
    TooManyKept(Duration),
    /// More pages than one export takes.
    #[error("more than {0} pages; export parts of it")]
    TooManyPages(u64),
    /// The file would be larger than it may.
    #[error("the export is larger than {0} bytes; export parts of it")]
    TooLarge(u64),
    /// Typesetting took longer than it may.
    #[error("the page is too long to be typeset: it took more than {0} seconds")]
    TooSlow(u64),
    /// Typesetting needed more memory than it may.
    #[error("the page is too large to be typeset: it needs more than {0} MiB of memory")]
    TooHeavy(u64),
    /// The engine refused the page.
    #[error("the page cannot be typeset: {0}")]
    Untypesettable(String),
    /// The process that typesets cannot be run.
    #[error("the typesetter cannot be run: {0}")]
    NoTypesetter(String),
    /// What cannot be written to the disk or the store.
    #[error("the export cannot be written: {0}")]
    Unwritable(String),
    /// Of a page.
    #[error(transparent)]
    Document(#[from] documents::error::Error),
    /// What the door says.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The store of files.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The database's own.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Unwritable(error.to_string())
    }
}

impl Error {
    /// Whether it may go better when it is tried again.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind(), Kind::Unavailable | Kind::Internal | Kind::Conflict)
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::TooManyRunning(_) | Self::TooManyKept(_) => Kind::Limited,
            Self::TooManyPages(_) | Self::TooLarge(_) | Self::TooSlow(_) | Self::TooHeavy(_) => Kind::TooLarge,
            Self::Untypesettable(_) => Kind::Invalid,
            Self::NoTypesetter(_) | Self::Unwritable(_) => Kind::Unavailable,
            Self::Document(e) => e.kind(),
            Self::Access(e) => e.kind(),
            Self::Files(e) => e.kind(),
            Self::Db(e) => e.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "export_not_found",
            Self::TooManyRunning(_) => "too_many_exports_running",
            Self::TooManyKept(_) => "too_many_exports",
            Self::TooManyPages(_) => "too_many_documents",
            Self::TooLarge(_) => "export_too_large",
            Self::TooSlow(_) => "typesetting_too_slow",
            Self::TooHeavy(_) => "typesetting_too_large",
            Self::Untypesettable(_) => "untypesettable",
            Self::NoTypesetter(_) => "typesetter_unavailable",
            Self::Unwritable(_) => "export_unwritable",
            Self::Document(e) => e.code(),
            Self::Access(e) => e.code(),
            Self::Files(e) => e.code(),
            Self::Db(e) => e.code(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRunning(_) => Some(Duration::from_secs(10)),
            Self::TooManyKept(wait) => Some(*wait),
            _ => None,
        }
    }
}
