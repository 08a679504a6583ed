//! Pages as files and files as pages: what is exported, what is imported, and the bundle that does both without loss. And
//! pages that are copied with their files.

pub mod along;
pub mod bundle;
pub mod export;
pub mod import;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod round_trip;
