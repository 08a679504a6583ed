//! Files as pages: Markdown, HTML, tables, archives of them, exports of Notion, and our own bundle.
//!
//! What comes is a stranger's. It is looked at within bounds ([`limits`]), read into drafts of pages ([`draft`]) that hold
//! nothing a page could not hold ([`fit`]), and made into pages one after another, each whole or not at all. What became
//! of every file stands in a [`report`].

pub mod archive;
pub mod csv;
pub mod draft;
pub mod finish;
pub mod fit;
pub mod format;
pub mod grid;
pub mod html;
pub mod limits;
pub mod markdown;
pub mod matter;
pub mod notion;
pub mod parts;
pub mod reader;
pub mod report;
pub mod restore;
pub mod rich;
pub mod text;
pub mod tree;
pub mod write;
