//! The REST face from the outside.

pub(crate) mod audit;
mod auth;
mod documents;
mod events;
mod groups;
mod invitations;
mod invite_links;
pub(crate) mod jobs;
mod members;
mod reports;
mod settings;
mod viewed;
mod walk;
mod workspace_life;
