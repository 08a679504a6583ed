//! Files that belong to pages: taken in as a stream under limits, kept in a store, given only to who may see the page.
//!
//! A file is announced (a row, which counts for the workspace's quota), its bytes come ([`upload::receive`]) under a name in
//! the store that nobody else has, and then the row says that it is there ([`upload::complete`]). Bytes that no row knows
//! are removed later ([`purge`]). A file belongs to one page for good: a copy for another page is another file.

pub mod along;
pub mod attachment;
pub mod content;
pub mod copy;
mod error;
pub mod kind;
pub mod name;
pub mod picture;
pub mod purge;
pub mod thumbnail;
pub mod turn;
pub mod upload;

pub use error::Error;

use backends::files::Files;
use std::time::Duration;
use workspaces::Quotas;

/// How much may come, and how fast it has to.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// The longest wait for the next bytes of one.
    pub idle: Duration,
    /// What a workspace may have.
    pub quotas: Quotas,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 100 << 20,
            idle: Duration::from_secs(30),
            quotas: Quotas::default(),
        }
    }
}

/// Where files and their rows are, and how much may come.
#[derive(Clone, Debug)]
pub struct Store {
    /// The rows.
    pub db: sea_orm::DatabaseConnection,
    /// The bytes.
    pub files: Files,
    /// How much may come.
    pub limits: Limits,
}

#[cfg(test)]
mod tests;
