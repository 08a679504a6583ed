//! Pages copied with their files. A copy has files of its own and names them, so that it stands when the original goes, and is
//! seen by whoever may see the copy.

mod error;

pub use error::Error;

use attachments::{
    Store,
    along::{self, Brought},
};
use backends::files::FilesError;
use documents::{
    copying::{self, Plan, Ready, Target},
    projection::Content,
    references,
};
use entity::document;
use futures::{StreamExt, stream};
use kernel::id::*;
use sea_orm::DatabaseTransaction;
use std::collections::HashMap;
use uuid::Uuid;
use workspaces::access::{DocumentAccess, ViewDocument};

/// Files that are copied at once.
const AT_ONCE: usize = 8;

/// The files of copies that are being made.
pub struct Along {
    store: Store,
    home: WorkspaceId,
    /// What the ids of copies follow from.
    work: Uuid,
    /// By the ids of the copies that they are for.
    brought: HashMap<DocumentId, Vec<Brought>>,
}

impl Along {
    /// None yet. Copies go to the workspace `home`, and `first` is one of them: ids of files follow from its id, so that the
    /// same work done again makes the same.
    pub fn new(store: Store, home: WorkspaceId, first: DocumentId) -> Self {
        Self {
            store,
            home,
            work: first.0,
            brought: HashMap::new(),
        }
    }

    /// Copies the bytes of a page's files. Gives the files that the copy names instead of those that the page names: its own,
    /// and those of pages that are copied with it. A file whose bytes are not there stays behind.
    ///
    /// # Errors
    /// The store's and the database's.
    pub async fn take(
        &mut self,
        from: &DocumentAccess<ViewDocument>,
        plan: &Plan,
        (page, content): (&document::Model, &Content),
    ) -> Result<HashMap<AttachmentId, AttachmentId>, Error> {
        let Some(copy) = plan.ids.get(&page.id).copied() else {
            return Ok(HashMap::new());
        };
        let mut named = references::files_of(content);
        let pictures = [&page.icon, &page.cover].into_iter().flatten();
        named.extend(pictures.filter_map(|url| references::file_of(url)));
        let needed = along::needed(&self.store.db, from, page.id, &named).await?;
        let (own, others): (Vec<_>, Vec<_>) = needed.into_iter().partition(|row| row.document_id == page.id);
        let mut names = HashMap::with_capacity(own.len());
        for row in others.iter().filter(|row| plan.ids.contains_key(&row.document_id)) {
            names.insert(row.id, copying::lasting_file_id(self.work, row.id));
        }
        let (store, home, work) = (&self.store, self.home, self.work);
        let bring = |row: entity::attachment::Model| async move {
            let (old, new) = (row.id, copying::lasting_file_id(work, row.id));
            match along::bring(store, row, new, home).await {
                Ok(brought) => Ok(Some((old, new, brought))),
                Err(attachments::Error::Files(FilesError::NotFound)) => {
                    tracing::warn!(attachment = %old, "a file whose bytes are not there is not copied");
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        };
        // All of them are waited for, so that each that came is known and can be taken back.
        let brought: Vec<_> = stream::iter(own).map(bring).buffer_unordered(AT_ONCE).collect().await;
        let kept = self.brought.entry(copy).or_default();
        let mut failed = None;
        for one in brought {
            match one {
                Ok(Some((old, new, brought))) => {
                    names.insert(old, new);
                    kept.push(brought);
                }
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(names), |error| Err(error.into()))
    }

    /// Writes copies with their files. Gives the rows that were written; those that are there already are passed over.
    ///
    /// # Errors
    /// The quotas', invalid fields.
    pub async fn write(
        &self,
        tx: &DatabaseTransaction,
        plan: &Plan,
        ready: Vec<Ready>,
        to: Target<'_>,
    ) -> Result<Vec<document::Model>, Error> {
        let quotas = &self.store.limits.quotas;
        let rows = copying::write(tx, plan, ready, to, quotas).await?;
        for row in &rows {
            if let Some(brought) = self.brought.get(&row.id).filter(|brought| !brought.is_empty()) {
                along::settle(tx, to.home, row, brought, quotas).await?;
            }
        }
        Ok(rows)
    }

    /// Removes the bytes of files for pages that are not among those that were written and committed. Not to be called when
    /// nobody can say whether they were: bytes that no row knows are removed a day later anyway.
    pub async fn leave(self, written: &[document::Model]) {
        let is_written = |copy: &DocumentId| written.iter().any(|row| row.id == *copy);
        let unused = self
            .brought
            .iter()
            .filter(|(copy, _)| !is_written(copy))
            .flat_map(|(_, brought)| brought);
        for one in unused {
            along::discard(&self.store, self.home, one).await;
        }
    }
}
