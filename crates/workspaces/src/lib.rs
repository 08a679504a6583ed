//! Tenants, their members, and the door that decides who may do what.

pub mod access;
