//! The REST face from the outside.

mod auth;
mod documents;
mod walk;
