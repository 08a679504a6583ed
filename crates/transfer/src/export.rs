//! Pages as files: one page as PDF, HTML, Markdown, JSON or Automerge, and a subtree or a workspace as a
//! [bundle](crate::bundle).
//!
//! [`gather`] finds the pages, as whoever exports may see them; [`make`] makes the file and puts it into the store of
//! files; [`store`] keeps its row until its time is over. [`html`] and [`pdf`] turn a page into what people read.

pub mod around;
pub mod content;
pub mod error;
pub mod gather;
pub mod html;
pub mod make;
pub mod order;
pub mod palette;
pub mod pdf;
pub mod render;
pub mod runs;
pub mod settings;
pub mod store;
pub mod table;
pub mod typesetting;

#[cfg(test)]
mod tests;
