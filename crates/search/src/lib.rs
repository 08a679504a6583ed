//! Finding things by their words: one index over titles and text, one question for all kinds of things.
//!
//! A job puts in what a thing says ([`index::put`]); [`ask::Ask`] reads what somebody types, and [`find::find`] answers it
//! with what they may see. What somebody may not see is never counted, ranked or shown: access is part of the question to the
//! database. This crate does not know what a page is made of: it is given text, with ids to tell where it stands.
//!
//! Words are folded and cut here, in one way for both databases, which only have to find what is alike.

pub mod ask;
mod candidates;
mod engine;
pub mod error;
pub mod find;
mod fold;
pub mod index;
pub mod marked;
mod rank;
pub mod subject;
mod words;

#[cfg(test)]
mod tests;
