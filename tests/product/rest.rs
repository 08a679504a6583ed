//! The REST face from the outside.

mod account_export;
mod api_keys;
pub(crate) mod audit;
mod auth;
mod closing;
mod documents;
mod events;
pub(crate) mod jobs;
mod oidc;
mod profile;
mod reports;
mod tickets;
mod viewed;
mod walk;
