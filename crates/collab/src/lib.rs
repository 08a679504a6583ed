//! Live collaboration: rooms, the journal, presence and the protocols of the clients. No sockets inside.
//!
//! A [`room::Room`] is a state machine: frames, commits, news and ticks go in; batches for the journal and frames for
//! outboxes come out. It does no I/O and asks no clock, so it can be driven by a seeded schedule. The shell around it
//! ([`shell`]) owns the task, the database and the bus. **Committed before told**: whatever an outbox receives about an
//! edit was pushed after the journal's transaction had committed.

pub mod close;
pub mod follow;
pub mod history;
pub mod journal;
pub mod lease;
pub mod news;
pub mod outbox;
pub mod presence;
pub mod protocol;
mod recents;
pub mod room;
pub mod rooms;
pub mod session;
pub mod settings;
mod shell;
mod showing;
mod viewings;
pub mod wire;

pub use follow::Follow;
pub use rooms::Rooms;
pub use settings::Settings;

#[cfg(test)]
mod simulation;
