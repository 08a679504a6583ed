//! The REST face from the outside.

mod access_requests;
mod account_export;
mod api_keys;
pub(crate) mod audit;
mod auth;
mod closing;
mod documents;
mod events;
mod grants;
pub(crate) mod jobs;
mod limits;
mod oidc;
mod profile;
mod reports;
mod share_links;
mod tickets;
mod viewed;
mod walk;

