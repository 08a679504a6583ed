//! Tenants, their members, and the door ([`access`]) that decides who may do what; what happened in a tenant, for whoever
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
pub mod member;
pub mod report;
pub mod share_link;
pub mod workspace;

#[cfg(test)]
mod tests;

pub use error::Error;
