//! The `sheaf` binary as a library, so that tests can start the whole product in their own process.

pub mod background;
pub mod cli;
pub mod config;
pub mod files;
pub mod keys;
pub mod limits;
pub mod say;
pub mod serve;
pub mod show;
pub mod store;
