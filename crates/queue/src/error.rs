//! What can go wrong with a job.

use kernel::error::{Explain, Kind};
use sea_orm::DbErr;

/// Why something cannot be done with a job.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such job for this caller.
    #[error("job not found")]
    NotFound,
    /// It is over, so there is nothing to cancel.
    #[error("the job is over")]
    Over,
    /// It is not over, so there is nothing to repeat.
    #[error("the job is not over yet")]
    NotOver,
    /// Its result is not there: it has none, or is not done.
    #[error("the job has no result")]
    NoResult,
    /// The payload cannot be written as JSON.
    #[error("the payload does not serialise: {0}")]
    Payload(#[from] serde_json::Error),
    /// The database's own.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Over | Self::NotOver | Self::NoResult => Kind::Conflict,
            Self::Payload(_) => Kind::Internal,
            Self::Db(e) => e.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "job_not_found",
            Self::Over => "job_over",
            Self::NotOver => "job_not_over",
            Self::NoResult => "job_has_no_result",
            Self::Payload(_) => "internal",
            Self::Db(e) => e.code(),
        }
    }
}
