//! The REST face from the outside.

mod api_keys;
pub(crate) mod audit;
mod auth;
mod documents;
mod events;
pub(crate) mod jobs;
mod reports;
mod tickets;
mod viewed;
mod walk;
