//! The history of pages, live or not: read from a copy that nobody edits, and brought back through the page's room.
//!
//! Such reading takes milliseconds to a second of CPU. It runs on threads of its own, a few at a time on the whole node;
//! a page is loaded once for all who ask for it, and kept for a moment.

use crate::{
    Rooms,
    lease::{self, Lease},
    room::{EditDone, Task},
    rooms::EditRequest,
    shell::Mail,
};
use automerge::ChangeHash;
use documents::{
    error::Error,
    heads,
    history::moment::{self, Moment, Standing},
    log::{self, Head},
    past::Past,
    projection::Content,
    snapshot,
    version::{self, Kind},
    view::Block,
};
use entity::document_version;
use kernel::{clock, id::*};
use moka::sync::Cache;
use sea_orm::DatabaseTransaction;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Mutex, Semaphore, oneshot};
use workspaces::access::{self, DocumentAccess, EditDocument, ViewDocument};

/// Readings of history that run at once on a node.
const AT_ONCE: usize = 2;
/// How long one waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of pages that are kept for the next question, about.
const KEPT_BYTES: u64 = 64 << 20;
/// How long a page is kept that nobody asks about.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// Blocks from which on a page is kept from others while it is brought back: that takes long enough for people to type into
/// what is about to go.
const LARGE: usize = 1_000;
/// Pages of one of these are loaded one after another.
const LANES: usize = 32;

/// The pages whose history was asked for lately.
pub(crate) struct Pasts {
    kept: Cache<DocumentId, (Head, Arc<Past>)>,
    lanes: Vec<Mutex<()>>,
    turns: Arc<Semaphore>,
}

impl Pasts {
    pub(crate) fn new() -> Self {
        let weight = |_: &DocumentId, (_, past): &(Head, Arc<Past>)| u32::try_from(past.size()).unwrap_or(u32::MAX);
        Self {
            kept: Cache::builder()
                .weigher(weight)
                .max_capacity(KEPT_BYTES)
                .time_to_idle(KEPT_FOR)
                .build(),
            lanes: (0..LANES).map(|_| Mutex::default()).collect(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    fn lane(&self, document: DocumentId) -> &Mutex<()> {
        let lane = usize::from(document.0.as_bytes()[0]) % self.lanes.len();
        &self.lanes[lane]
    }

    /// The kept page, when it has all that the log has.
    fn fresh(&self, document: DocumentId, stands: &Head) -> Option<(Head, Arc<Past>)> {
        let kept = self.kept.get(&document);
        kept.filter(|(head, _)| head.epoch == stands.epoch && head.seq >= stands.seq)
    }
}

/// What bringing a page back came to.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Where the page stands now.
    pub head: Head,
    /// The version that was made of it; none when the page said all that already.
    pub version: Option<document_version::Model>,
}

/// How a page is brought back.
#[derive(Clone, Debug, Default)]
pub struct RestoreRequest {
    /// Where the caller saw the page; what others did since is kept. The head when left out.
    pub base_heads: Option<Vec<ChangeHash>>,
    /// Makes it safe to send again.
    pub message_id: Option<String>,
}

impl Rooms {
    /// A page with all that it ever was, and where its log stood then.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the database's.
    pub async fn past(&self, access: &DocumentAccess<ViewDocument>) -> Result<(Head, Arc<Past>), Error> {
        let (document, pasts) = (access.id(), &self.shared.pasts);
        self.viewed(access.user(), document).await?;
        let stands = log::head(&self.shared.db, document).await?;
        if let Some(kept) = pasts.fresh(document, &stands) {
            return Ok(kept);
        }
        let _lane = pasts.lane(document).lock().await;
        if let Some(kept) = pasts.fresh(document, &stands) {
            return Ok(kept);
        }
        let (head, past) = match self.past_of_room(document).await.filter(|(head, _)| head.seq >= stands.seq) {
            Some(live) => live,
            None => {
                let _turn = self.turn().await?;
                let (page, stored) = snapshot::load(&self.shared.db, document).await?;
                (stored.head, Past::from(page))
            }
        };
        let both = (head, Arc::new(past));
        pasts.kept.insert(document, both.clone());
        Ok(both)
    }

    async fn past_of_room(&self, document: DocumentId) -> Option<(Head, Past)> {
        let (answer, answered) = oneshot::channel();
        let door = self.shared.live(document)?;
        door.send(Mail::Past(answer)).await.ok()?;
        answered.await.ok()
    }

    async fn turn(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Error> {
        let turn = self.shared.pasts.turns.clone().acquire_owned();
        match tokio::time::timeout(PATIENCE, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Error::Broken("too much history is being read at once".to_owned())),
        }
    }

    /// Reads something out of a page's history, on a thread that may take its time.
    ///
    /// # Errors
    /// The work's own; [`Error::Broken`] when others have all the turns.
    pub async fn look<T: Send + 'static>(
        &self,
        past: &Arc<Past>,
        work: impl FnOnce(&Arc<Past>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _turn = self.turn().await?;
        let past = past.clone();
        let done = tokio::task::spawn_blocking(move || work(&past));
        done.await.map_err(|e| Error::Broken(e.to_string()))?
    }

    /// The heads of a state of a page that somebody names.
    ///
    /// # Errors
    /// [`Error::StateNotFound`], [`Error::VersionNotFound`], or the database's.
    pub async fn heads_at(
        &self,
        access: &DocumentAccess<ViewDocument>,
        past: &Arc<Past>,
        moment: &Moment,
    ) -> Result<Vec<ChangeHash>, Error> {
        let found = moment::find(&self.shared.db, access.id(), moment).await?;
        self.look(past, move |past| found.heads(past)).await
    }

    /// A page's content as it was, and where its log stood then.
    ///
    /// # Errors
    /// [`Error::StateNotFound`], [`Error::VersionNotFound`], or the database's.
    pub async fn read_at(&self, access: &DocumentAccess<ViewDocument>, moment: &Moment) -> Result<(Standing, Content), Error> {
        let (_, past) = self.past(access).await?;
        let heads = self.heads_at(access, &past, moment).await?;
        let standing = moment::standing(&self.shared.db, access.id(), &heads).await?;
        let content = self.look(&past, move |past| past.content_at(&heads)).await?;
        Ok((standing, content))
    }

    /// Brings a page back to a version by one new change, which live clients see as an edit. Of how it stood before a
    /// version is kept, and one is made of what came of it. A large page is held meanwhile, so that nobody types into what goes;
    /// a lease of somebody else keeps it out.
    ///
    /// # Errors
    /// [`Error::VersionNotFound`], what is wrong with the base, or that the page cannot be written.
    pub async fn restore(
        &self,
        access: &DocumentAccess<EditDocument>,
        id: VersionId,
        request: RestoreRequest,
    ) -> Result<Restored, Arc<Error>> {
        let (db, document) = (&self.shared.db, access.id());
        let row = version::find(db, document, id).await?;
        let before = log::head(db, document).await?;
        if row.epoch != before.epoch {
            return Err(Arc::new(Error::StateNotFound));
        }
        access::write(db, access, async |tx: &DatabaseTransaction| version::keep_present(tx, access).await).await?;
        let task = Task::Restore(heads::from_bytes(&row.heads), request.base_heads);
        let lease = self.hold_if_large(access).await?;
        let about = EditRequest {
            message_id: request.message_id,
            lease: lease.as_ref().map(Lease::token),
            ..EditRequest::default()
        };
        let done = self.work(access, task, about).await;
        if let Some(lease) = lease {
            lease.release().await;
        }
        let done = done?;
        if done.is_duplicate {
            return Ok(self.restored_before(access, done).await?);
        }
        if done.head.seq == before.seq {
            return Ok(Restored {
                head: done.head,
                version: None,
            });
        }
        let state = Standing {
            head: done.head.clone(),
            edited_at: clock::now(),
        };
        let made = access::write(db, access, async |tx: &DatabaseTransaction| {
            version::note_restored(tx, access, &state, id).await
        });
        Ok(Restored {
            head: done.head,
            version: Some(made.await?),
        })
    }

    async fn hold_if_large(&self, access: &DocumentAccess<EditDocument>) -> Result<Option<Lease>, Error> {
        let (_, content) = self.committed(access.id()).await?;
        if content.blocks.iter().map(count).sum::<usize>() < LARGE {
            return Ok(None);
        }
        lease::hold(self, access, "a version is being restored").await.map(Some)
    }

    /// What came of a restore that was asked for again: the version that was made then, and where the page stands now.
    async fn restored_before(&self, access: &DocumentAccess<EditDocument>, done: EditDone) -> Result<Restored, Error> {
        let version = version::last_of(&self.shared.db, access.id(), (Kind::Restore, access.user())).await?;
        Ok(Restored { head: done.head, version })
    }
}

/// A block and all under it.
fn count(block: &Block) -> usize {
    1 + block.children.iter().map(count).sum::<usize>()
}
