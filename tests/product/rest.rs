//! The REST face from the outside.

mod access_requests;
pub(crate) mod audit;
mod auth;
mod documents;
mod events;
mod grants;
pub(crate) mod jobs;
mod limits;
mod reports;
mod share_links;
mod viewed;
mod walk;
