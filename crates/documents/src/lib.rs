//! Pages: rows in a tree, and the content of each as one Automerge document.
//!
//! [`page::Page`] is the engine: it loads, edits, admits and reads one page in memory and knows no database.
//! [`log`] keeps its changes, [`snapshot`] its verified saves, [`document`] the rows around it. Every writer ends as
//! Automerge changes in the one log of the page; what SQL knows about content is a projection.

pub mod archiving;
pub mod beginning;
pub mod compaction;
pub mod copying;
pub mod document;
pub mod draft;
pub mod edit;
pub mod error;
pub mod favorite;
mod first;
pub mod gate;
pub mod heads;
pub mod history;
pub mod kinds;
pub mod limits;
pub mod lineage;
pub mod links;
pub mod listing;
pub mod lock;
pub mod log;
pub mod markdown;
mod markers;
pub mod mirror;
pub mod moving;
pub mod op;
pub mod ornament;
pub mod page;
pub mod past;
pub mod patches;
mod place;
pub mod projection;
pub mod recent;
pub mod references;
pub mod shown;
pub mod siblings;
pub mod snapshot;
pub mod still;
pub mod trash;
pub mod tree;
pub mod url;
pub mod version;
pub mod view;
pub mod visit;
pub mod wording;

#[cfg(test)]
mod convergence;
#[cfg(test)]
mod tests;
