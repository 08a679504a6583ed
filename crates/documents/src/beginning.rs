//! The content a page begins with, made ready before the transaction that keeps it: for a long page that is seconds of
//! work, in which nobody else could write to an SQLite file.

use crate::{document::checked_title, error::Error, limits::Limits, op::NewBlock, page::Page, projection::Content};
use automerge::Change;
use kernel::clock;

/// A first change, and what the page looks like after it.
#[derive(Clone)]
pub struct Beginning {
    pub(crate) change: Change,
    pub(crate) content: Content,
}

impl Beginning {
    /// Makes the first change. Any number of blocks goes, as long as the page takes them.
    ///
    /// # Errors
    /// Invalid title or blocks; [`Error::TooLarge`] when the page would be.
    pub fn new(title: &str, blocks: &[NewBlock], limits: &Limits) -> Result<Self, Error> {
        let title = checked_title(title)?;
        let (page, change) = Page::create(&title, blocks, limits, clock::now_ms())?;
        if change.raw_bytes().len() > limits.document_bytes {
            return Err(Error::TooLarge(format!("a page holds at most {} bytes", limits.document_bytes)));
        }
        Ok(Self {
            change,
            content: Content::from(page.mirror()),
        })
    }

    /// What the page looks like.
    pub fn content(&self) -> &Content {
        &self.content
    }
}
