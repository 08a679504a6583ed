//! The REST face from the outside.

pub(crate) mod audit;
mod auth;
mod documents;
mod events;
pub(crate) mod jobs;
mod limits;
mod reports;
mod viewed;
mod walk;
