//! The bytes and texts of the protocols, parsed under bounds and written.

pub mod cbor;
pub mod json;
pub mod sync;
