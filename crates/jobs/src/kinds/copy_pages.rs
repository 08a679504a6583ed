//! Copies of many pages, which nobody waits for.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use documents::{
    copying::{self, Extent, Filling, Plan, Ready, Target},
    siblings::Place,
};
use entity::document;
use futures::FutureExt;
use kernel::{
    error::{Explain, Kind},
    id::*,
};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::json;
use transfer::along::{Along, Error};
use workspaces::access::{self, DocumentAccess, EditDocument, ViewDocument, fence::Both};

/// Pages written in one transaction.
const AT_ONCE: usize = 20;

/// Copies a page with what hangs under it, some pages at a time, the first one first. What was written stays when it is given
/// up or cancelled, and is found again when it is tried again.
#[derive(Debug, Serialize, Deserialize)]
pub struct CopyPages {
    /// Who copies.
    pub user: UserId,
    /// What.
    pub document: DocumentId,
    /// To which workspace.
    pub workspace: WorkspaceId,
    /// Under which page; none for the top.
    pub parent: Option<DocumentId>,
    /// Behind which sibling, if that is still there; else behind all of them.
    pub after: Option<DocumentId>,
    /// The copy's title, when it is another.
    pub title: Option<String>,
}

/// Whether it may go better later.
fn trouble(error: Error) -> Trouble {
    match error.kind() {
        Kind::Unavailable | Kind::Internal => Trouble::Retry(error.to_string()),
        _ => Trouble::Permanent(error.to_string()),
    }
}

impl Job for CopyPages {
    const QUEUE: Queue = Queue::Documents;
    const KIND: &'static str = "copy_pages";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let (db, seed) = (work.db(), work.id().0);
        let source = access::open::<ViewDocument>(db, self.user, self.document).await.map_err(shut)?;
        let plan = copying::plan(db, &source, Extent::Subtree, |page| copying::lasting_id(seed, page));
        let plan = plan.await.map_err(|error| trouble(error.into()))?;
        let first = copying::lasting_id(seed, self.document);
        for (round, some) in plan.pages.chunks(AT_ONCE).enumerate() {
            let percent = u8::try_from(95 * round * AT_ONCE / plan.pages.len().max(1)).unwrap_or(95);
            work.progress(percent, "copying pages").await?;
            let mut along = Along::new(work.parts().store(), self.workspace, first);
            let made = self.make_all(work, &source, (&plan, some), &mut along).await;
            match made {
                Ok(ready) => self.write(work, &source, (&plan, ready), along).await?,
                Err(trouble) => {
                    along.leave(&[]).await;
                    return Err(trouble);
                }
            }
        }
        let result = json!({ "document_id": first, "copied": plan.pages.len() });
        work.commit(Some(result.to_string()), |tx, _| {
            async move { Ok(copying::note(tx, &source, first).await?) }.boxed()
        })
        .await
    }
}

fn shut(error: access::AccessError) -> Trouble {
    trouble(error.into())
}

impl CopyPages {
    async fn make_all(
        &self,
        work: &Work,
        source: &DocumentAccess<ViewDocument>,
        (plan, pages): (&Plan, &[document::Model]),
        along: &mut Along,
    ) -> Result<Vec<Ready>, Trouble> {
        let mut ready = Vec::with_capacity(pages.len());
        for page in pages {
            let content = copying::content_of(work.db(), page.id).await;
            let content = content.map_err(|error| trouble(error.into()))?;
            let files = along.take(source, plan, (page, &content)).await.map_err(trouble)?;
            let title = self.title.clone().filter(|_| page.id == self.document);
            let (plan, page, limits) = (plan.clone(), page.clone(), work.parts().settings.page_limits.clone());
            let made = tokio::task::spawn_blocking(move || {
                let filling = Filling {
                    content,
                    title: title.as_deref(),
                    files,
                };
                plan.make(&page, filling, &limits)
            });
            let made = made.await.map_err(|error| Trouble::Retry(error.to_string()))?;
            ready.push(made.map_err(|error| trouble(error.into()))?);
            work.go_on()?;
        }
        Ok(ready)
    }

    /// Writes some, as long as the copier still may read the one and write the other.
    async fn write(
        &self,
        work: &Work,
        source: &DocumentAccess<ViewDocument>,
        (plan, ready): (&Plan, Vec<Ready>),
        along: Along,
    ) -> Result<(), Trouble> {
        let db = work.db();
        let home = access::enter(db, self.user, self.workspace).await.map_err(shut)?;
        let under = match self.parent {
            Some(parent) => Some(access::open::<EditDocument>(db, self.user, parent).await.map_err(shut)?),
            None => None,
        };
        let to = Target {
            home: &home,
            under: under.as_ref(),
            place: self.place(work).await?,
        };
        let target = Both(&home, under.as_ref());
        let proof = Both(source, Some(&target));
        let written = access::write(db, &proof, async |tx: &DatabaseTransaction| along.write(tx, plan, ready, to).await);
        match written.await {
            Ok(rows) => along.leave(&rows).await,
            Err(error) => {
                // Of other failures nobody can say that the commit did not happen.
                if !matches!(error.kind(), Kind::Unavailable | Kind::Internal) {
                    along.leave(&[]).await;
                }
                return Err(trouble(error));
            }
        }
        Ok(())
    }

    async fn place(&self, work: &Work) -> Result<Place, Trouble> {
        let Some(after) = self.after else { return Ok(Place::Last) };
        let found = access::level(work.db(), self.user, after).await?;
        let is_there = found.is_some_and(|(_, row)| row.parent_id == self.parent && row.workspace_id == self.workspace);
        Ok(if is_there { Place::After(after) } else { Place::Last })
    }
}
