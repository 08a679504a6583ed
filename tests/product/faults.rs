//! What is killed under load, and what has to stand afterwards: the server, the worker, the relay, Redis, PostgreSQL.
//!
//! Every edit carries a marker of its own. Whatever happens, an acknowledged marker stands in the page exactly once, and
//! one that was sent again under the same id stands once too.

mod backends;
mod control;
mod export;
mod import;
mod kill;
mod lines;
mod probe;
mod relay;
mod rest;
mod scene;
mod worker;
mod writer;
