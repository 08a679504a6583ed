//! The words every other crate uses: ids, roles, levels, error kinds, order keys and the clock.
//!
//! Nothing here does I/O, waits, or knows a table. A word that only one crate needs does not belong here.

pub mod clock;
pub mod email;
pub mod error;
pub mod id;
pub mod order;
pub mod role;
pub mod secret;
