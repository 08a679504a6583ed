//! Tenants, how people come into them, their members and groups, and the door ([`access`]) that decides who may do what; what happened in a tenant, for whoever
//! may see it ([`activity`], [`audit`], [`report`]).

pub mod access;
pub mod access_request;
pub mod acquaintance;
pub mod activity;
pub mod audit;
pub mod departure;
pub mod error;
pub mod explain;
pub mod grant;
pub mod group;
pub mod hold;
pub mod invitation;
pub mod invite_link;
pub mod member;
pub mod people;
pub mod preview;
pub mod quota;
pub mod report;
pub mod settings;
pub mod share_link;
pub mod transfer;
pub mod trash;
pub mod uprooted;
pub mod usage;
pub mod workspace;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use quota::Quotas;
