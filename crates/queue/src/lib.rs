//! Work to be done: one table of jobs, the same on SQLite and PostgreSQL.
//!
//! A job is [`add`]ed in the transaction of the change that needs it, so neither stands without the other. A worker
//! [`claim`]s it for the time of a lease, [`lease::renew`]s it while it works, and [`finish`]es it; whoever lost the lease
//! can do neither. So every job is begun at least once, and its effect has to be one that can be repeated. This crate knows
//! no worker and no kind of job: who may run what is decided in `jobs`.

pub mod add;
pub mod claim;
pub mod error;
pub mod finish;
pub mod lease;
pub mod list;
pub mod manage;

pub use add::{NewJob, Priority, Unique, add};
pub use claim::{Claim, claim};
pub use error::Error;
pub use finish::{Failure, fail, succeed, vanish};

#[cfg(test)]
mod tests;
