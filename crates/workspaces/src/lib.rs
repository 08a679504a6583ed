//! Tenants, their members, and the door ([`access`]) that decides who may do what.

pub mod access;
pub mod error;
pub mod member;
pub mod workspace;

#[cfg(test)]
mod tests;

pub use error::Error;
