//! The REST face from the outside.

mod auth;
mod documents;
mod viewed;
mod walk;
