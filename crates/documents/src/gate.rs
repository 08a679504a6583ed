//! The admission gate: what a client's bytes must pass before Automerge sees them.
//!
//! Automerge trusts its input: ten bytes make it panic, fifteen abort the process, twenty-five make a save that never
//! loads. So chunks are parsed and inflated here under bounds ([`chunk`]), every change is checked one by one
//! ([`change`]), and only then applied, under `catch_unwind`. What no static check can see is found by saving and
//! loading the page again ([`Verifier`]) before the change is committed.

pub mod change;
pub mod chunk;
mod refusal;
mod verify;

pub use refusal::Refusal;
pub use verify::Verifier;

#[cfg(test)]
mod tests;
