//! The REST face from the outside.

mod documents;
mod walk;
