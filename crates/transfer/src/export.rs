//! Pages as files.
//!
//! [`html`] and [`pdf`] turn a page into what people read.

pub mod around;
pub mod html;
pub mod palette;
pub mod pdf;
pub mod runs;
pub mod table;

#[cfg(test)]
mod tests;
