//! The REST face from the outside.

pub(crate) mod audit;
mod auth;
mod documents;
mod events;
pub(crate) mod jobs;
mod passwords;
mod reports;
mod sessions;
mod totp;
mod verification;
mod viewed;
mod walk;
