//! The bundle: pages with what hangs under them and their attachments, as one zip that is imported again without loss.
//!
//! | In the zip | What it is |
//! |---|---|
//! | `pages/<id>.json` | the content of a page, a [`PageContent`]: what counts |
//! | `attachments/<id>/<name>` | the bytes of a file |
//! | `readable/…` | the pages once more for people, in folders as they hang under one another; importers skip it |
//! | `sheaf.json` | the [`Manifest`]: rows of pages and files; written last, so a bundle without it is not whole |
//!
//! Content is written with what it refers to by id as it stands; whoever imports gives pages and files new ids and
//! follows them through the content.

pub mod names;
mod writer;

#[cfg(test)]
mod tests;

pub use writer::{File, Writer};

use documents::view::Block;
use kernel::{clock::Time, id::DocumentId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What stands in a manifest's `format`.
pub const FORMAT: &str = "sheaf.bundle";
/// The version that is written. A reader takes this one and older ones, and ignores fields it does not know.
pub const VERSION: u32 = 1;
/// Where the manifest stands.
pub const MANIFEST: &str = "sheaf.json";
/// The folder of what is for people alone.
pub const READABLE: &str = "readable";

/// What is in a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`FORMAT`].
    pub format: String,
    /// [`VERSION`] of who wrote it.
    pub version: u32,
    /// When it was written.
    pub exported_at: Time,
    /// The name of the workspace, when all of one was exported.
    #[serde(default)]
    pub workspace: Option<String>,
    /// The page that was exported with what hangs under it; none when it was a workspace.
    #[serde(default)]
    pub root: Option<DocumentId>,
    /// The pages, parents before what hangs under them.
    pub pages: Vec<PageEntry>,
    /// The files of those pages.
    #[serde(default)]
    pub attachments: Vec<AttachmentEntry>,
    /// What is not in it.
    #[serde(default)]
    pub left_out: LeftOut,
}

impl Manifest {
    /// A bundle without anything in it, of now.
    pub fn new() -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            exported_at: kernel::clock::now(),
            workspace: None,
            root: None,
            pages: Vec::new(),
            attachments: Vec::new(),
            left_out: LeftOut::default(),
        }
    }
}

impl Default for Manifest {
    fn default() -> Self {
        Self::new()
    }
}

/// What was not written into a bundle, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Pages that whoever exported may not see.
    #[serde(default)]
    pub not_visible: u64,
    /// Pages whose content could not be read.
    #[serde(default)]
    pub unreadable: u64,
    /// Files whose bytes were not there.
    #[serde(default)]
    pub missing_files: u64,
}

/// A page in a bundle: what its row says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageEntry {
    /// Its id where it was exported.
    pub id: DocumentId,
    /// The page of this bundle that it hangs under; none at the top.
    #[serde(default)]
    pub parent_id: Option<DocumentId>,
    /// Its place among those beside it: they stand in the order of these keys.
    pub rank: String,
    /// Its title.
    pub title: String,
    /// Emoji or url.
    #[serde(default)]
    pub icon: Option<String>,
    /// Url of a picture.
    #[serde(default)]
    pub cover: Option<String>,
    /// Whether new pages are made after it.
    #[serde(default)]
    pub is_template: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// Where its content stands in the zip.
    pub path: String,
    /// Where it stands once more for people.
    #[serde(default)]
    pub readable: Option<String>,
}

/// The content of a page, in the shape of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageContent {
    /// The title.
    pub title: String,
    /// The blocks as a tree.
    pub blocks: Vec<Block>,
}

/// A file in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentEntry {
    /// Its id where it was exported.
    pub id: Uuid,
    /// The page of this bundle that it belongs to.
    pub document_id: DocumentId,
    /// Its name as people see it.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// How many bytes it has.
    pub size: u64,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Where it stands in the zip.
    pub path: String,
}

/// Where the content of a page stands.
pub fn content_path(page: DocumentId) -> String {
    format!("pages/{page}.json")
}

/// Where a file stands. The name is made one that every file system takes.
pub fn attachment_path(id: Uuid, name: &str) -> String {
    format!("attachments/{id}/{}", names::safe(name, "file"))
}
