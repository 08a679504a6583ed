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
mod passwords;
mod profile;
mod reports;
mod sessions;
mod share_links;
mod tickets;
mod totp;
mod verification;
mod viewed;
mod walk;
