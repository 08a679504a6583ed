//! A page's history, to be read: a copy of its document that nobody edits. Everything here takes milliseconds and more:
//! never on an async thread.

use crate::{
    error::Error,
    mirror::Mirror,
    page::{Page, guarded},
    projection::Content,
    still::Still,
};
use automerge::{Automerge, Change, ChangeHash, ReadDoc};
use std::collections::HashSet;

/// Bytes that an operation takes in memory, about: measured at 100 000 of them.
const OP_BYTES: usize = 145;

/// A page with all that it ever was.
pub struct Past {
    doc: Automerge,
    heads: Vec<ChangeHash>,
}

impl From<Page> for Past {
    fn from(page: Page) -> Self {
        let (doc, heads) = page.into_document();
        Self { doc, heads }
    }
}

impl Past {
    pub(crate) fn of(doc: Automerge, heads: Vec<ChangeHash>) -> Self {
        Self { doc, heads }
    }

    /// The page's heads when this was taken, sorted.
    pub fn heads(&self) -> &[ChangeHash] {
        &self.heads
    }

    /// How many bytes it takes in memory, about.
    pub fn size(&self) -> usize {
        usize::try_from(self.doc.stats().num_ops)
            .unwrap_or(usize::MAX)
            .saturating_mul(OP_BYTES)
    }

    /// The document itself, for reading.
    pub(crate) fn doc(&self) -> &Automerge {
        &self.doc
    }

    /// Insists that the page was in a state.
    ///
    /// # Errors
    /// [`Error::StateNotFound`] when one of the heads is no change of the page.
    pub fn require(&self, heads: &[ChangeHash]) -> Result<(), Error> {
        let is_known = |hash: &ChangeHash| self.heads.contains(hash) || self.doc.get_change_meta_by_hash(hash).is_some();
        if heads.iter().all(is_known) {
            Ok(())
        } else {
            Err(Error::StateNotFound)
        }
    }

    /// The page as it was, every block with its place.
    ///
    /// # Errors
    /// [`Error::StateNotFound`].
    pub fn at(&self, heads: &[ChangeHash]) -> Result<Mirror, Error> {
        self.require(heads)?;
        guarded("reading the past", || Ok(Mirror::read(&Still::read(&self.doc, heads))))
    }

    /// What the page said.
    ///
    /// # Errors
    /// [`Error::StateNotFound`].
    pub fn content_at(&self, heads: &[ChangeHash]) -> Result<Content, Error> {
        Ok(Content::from(&self.at(heads)?))
    }

    /// The heads of the state in which the page held these changes and no others.
    ///
    /// # Errors
    /// [`Error::StateNotFound`] when one of them is no change of the page, or when what one builds on is missing.
    pub fn heads_with(&self, changes: &[ChangeHash]) -> Result<Vec<ChangeHash>, Error> {
        let within: HashSet<ChangeHash> = changes.iter().copied().collect();
        let mut heads = within.clone();
        let mut found = 0;
        for meta in self.doc.get_changes_meta(&[]) {
            if !within.contains(&meta.hash) {
                continue;
            }
            found += 1;
            for dep in &meta.deps {
                if !within.contains(dep) {
                    return Err(Error::StateNotFound);
                }
                heads.remove(dep);
            }
        }
        if found < within.len() {
            return Err(Error::StateNotFound);
        }
        let mut heads: Vec<ChangeHash> = heads.into_iter().collect();
        heads.sort();
        Ok(heads)
    }

    /// How many changes the page holds that are not part of a state.
    ///
    /// # Errors
    /// [`Error::StateNotFound`].
    pub fn count_since(&self, heads: &[ChangeHash]) -> Result<usize, Error> {
        self.require(heads)?;
        guarded("counting changes", || Ok(self.doc.get_changes_meta(heads).len()))
    }

    /// The changes that are not part of a state, each after what it builds on.
    pub(crate) fn changes_since(&self, heads: &[ChangeHash]) -> Result<Vec<Change>, Error> {
        self.require(heads)?;
        guarded("listing changes", || Ok(self.doc.get_changes(heads)))
    }
}
