//! Finding pages by their words: one index over titles and blocks, one question for all kinds of things.
//!
//! What somebody may not see is never counted, ranked or shown: access is part of the question to the database.
