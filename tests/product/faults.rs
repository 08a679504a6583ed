//! What is killed under load, and what has to stand afterwards: the server, Redis, PostgreSQL.
//!
//! Every edit carries a marker of its own. Whatever happens, an acknowledged marker stands in the page exactly once, and
//! one that was sent again under the same id stands once too.

mod backends;
mod control;
mod kill;
mod probe;
mod rest;
mod scene;
mod writer;
