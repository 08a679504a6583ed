//! All live pages of this node: the way in for sockets and for edits from elsewhere.

use crate::{
    follow::Follow,
    history::Pasts,
    journal::Journal,
    news::{News, Told},
    recents::Recents,
    room::{Answer, Base, EditDone, Input, Origin, Task, Work},
    settings::Settings,
    shell::{DOOR, Mail, Shell},
    viewings::Viewings,
};
use automerge::ChangeHash;
use backends::bus::{Bus, Heard};
use documents::{
    error::Error,
    lock,
    log::{self, Head, Source},
    op::Op,
    projection::{self, Content},
    snapshot,
};
use entity::document;
use kernel::{id::*, role::Level};
use parking_lot::Mutex;
use sea_orm::{DatabaseConnection, EntityTrait};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, broadcast, mpsc, oneshot},
    task::JoinHandle,
};
use workspaces::access::{self, DocumentAccess, EditDocument, ViewDocument, Who};

/// What the rooms of a node share.
pub(crate) struct Shared {
    pub(crate) db: DatabaseConnection,
    pub(crate) bus: Bus,
    pub(crate) has_others: bool,
    pub(crate) node: ConnectionId,
    pub(crate) journal: Journal,
    pub(crate) settings: Arc<Settings>,
    pub(crate) follow: Arc<dyn Follow>,
    pub(crate) storage_id: Arc<str>,
    pub(crate) runtime: Handle,
    doors: Mutex<HashMap<DocumentId, Door>>,
    draining: AtomicBool,
    large: Arc<Semaphore>,
    viewings: Viewings,
    recents: Recents,
    pub(crate) keeper: access::Door,
    pub(crate) pasts: Pasts,
}

/// Large frames that may wait in the rooms of a node: with 32 MiB each, a quarter of a gigabyte.
const LARGE_FRAMES: usize = 8;

struct Door {
    mail: mpsc::Sender<Mail>,
    task: JoinHandle<()>,
    /// The page's tenant, once the room stands.
    workspace: Option<WorkspaceId>,
}

/// A handle on the live pages of this node; cheap to clone.
#[derive(Clone)]
pub struct Rooms {
    pub(crate) shared: Arc<Shared>,
}

/// An edit from elsewhere than a socket.
#[derive(Clone, Debug, Default)]
pub struct EditRequest {
    /// What to do.
    pub ops: Vec<Op>,
    /// Where its author saw the page; the head when left out.
    pub base_heads: Option<Vec<ChangeHash>>,
    /// Makes it safe to send again.
    pub message_id: Option<String>,
    /// Blocks to answer with, besides those it makes.
    pub wanted: Vec<String>,
    /// The lease of a large operation that it is a part of, see [`crate::lease`].
    pub lease: Option<LockId>,
}

impl Rooms {
    /// Starts the rooms of this node on the current runtime, which has to be a multi-threaded one.
    pub fn start(db: DatabaseConnection, bus: Bus, settings: Settings, follow: Arc<dyn Follow>) -> Self {
        let runtime = Handle::current();
        let (journal, journal_runs) = Journal::new(db.clone());
        runtime.spawn(journal_runs);
        let (recents, recents_run) = Recents::new(db.clone());
        runtime.spawn(recents_run);
        let has_others = matches!(bus, Bus::Redis(_));
        let heard = bus.subscribe();
        let shared = Arc::new(Shared {
            keeper: access::Door::new(db.clone()),
            db,
            bus,
            has_others,
            node: ConnectionId::new(),
            journal,
            settings: Arc::new(settings),
            follow,
            // One for every node and for ever: clients keep their sync state under it.
            storage_id: "0c5ff1e6-5bea-4f00-9ea1-000000000001".into(),
            runtime: runtime.clone(),
            doors: Mutex::default(),
            draining: AtomicBool::new(false),
            large: Arc::new(Semaphore::new(LARGE_FRAMES)),
            viewings: Viewings::default(),
            recents,
            pasts: Pasts::new(),
        });
        let rooms = Self { shared };
        if has_others {
            runtime.spawn(listen(rooms.clone(), heard));
            runtime.spawn(heartbeat(rooms.clone()));
        }
        rooms
    }

    /// The settings of live pages.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.shared.settings
    }

    /// What stock clients know this deployment by.
    pub fn storage_id(&self) -> &str {
        &self.shared.storage_id
    }

    /// Whether this node is going away.
    pub fn is_draining(&self) -> bool {
        self.shared.draining.load(Ordering::Relaxed)
    }

    /// How many pages are live here.
    pub fn live(&self) -> usize {
        self.shared.doors.lock().len()
    }

    /// The way into a page's room, which is opened when it is not.
    pub(crate) fn door(&self, document: DocumentId) -> mpsc::Sender<Mail> {
        let mut doors = self.shared.doors.lock();
        if let Some(door) = doors.get(&document)
            && !door.mail.is_closed()
        {
            return door.mail.clone();
        }
        let (mail, inbox) = mpsc::channel(DOOR);
        let shared = self.shared.clone();
        let task = self.shared.runtime.spawn(async move {
            match Shell::open(shared.clone(), document, inbox).await {
                Ok(shell) => {
                    shared.know_workspace(document, &shell).await;
                    shell.run().await;
                }
                // The mail is dropped: whoever waits for an answer learns that there is none.
                Err(error) => tracing::warn!(%document, %error, "a page could not be opened"),
            }
            shared.forget(document);
        });
        doors.insert(
            document,
            Door {
                mail: mail.clone(),
                task,
                workspace: None,
            },
        );
        mail
    }

    async fn mail(&self, document: DocumentId, mail: Mail) -> Result<(), Error> {
        if self.is_draining() {
            return Err(Error::Broken("this node is going away".to_owned()));
        }
        // A room that closes just now leaves a dead door; the next call opens a new one.
        let door = self.door(document);
        door.send(mail)
            .await
            .map_err(|_| Error::Broken("the page is being closed".to_owned()))
    }

    /// Puts an input into a page's room.
    ///
    /// # Errors
    /// [`Error::Broken`] when the room cannot take it.
    pub async fn send(&self, document: DocumentId, input: Input) -> Result<(), Error> {
        self.mail(document, Mail::Input(input)).await
    }

    /// Puts the content of a large frame into a page's room. Only a few such wait in the whole node at a time: the
    /// connection is not read from meanwhile, so that no client can fill the memory with what nobody has looked at.
    ///
    /// # Errors
    /// [`Error::Broken`] when the room cannot take it.
    pub async fn send_large(&self, document: DocumentId, input: Input) -> Result<(), Error> {
        let permit = self.shared.large.clone().acquire_owned().await;
        let permit = permit.map_err(|_| Error::Broken("this node is going away".to_owned()))?;
        self.mail(document, Mail::Large(input, permit)).await
    }

    /// Makes an edit as one change, merged with live typing; returns once it is committed.
    ///
    /// # Errors
    /// What is wrong with the edit; then nothing was changed.
    pub async fn edit(&self, access: &DocumentAccess<EditDocument>, mut request: EditRequest) -> Result<EditDone, Arc<Error>> {
        let base = request.base_heads.take().map_or(Base::Head, Base::Heads);
        self.work(access, Task::Ops(base, std::mem::take(&mut request.ops)), request).await
    }

    /// Has a page's room do something as one change; returns once it is committed. What `about` says to do does not count.
    pub(crate) async fn work(&self, access: &DocumentAccess<EditDocument>, what: Task, about: EditRequest) -> Answer {
        let work = Work {
            origin: Origin::Ticket(0, about.wanted),
            who: access.who(),
            proven: access.version(),
            id: about.message_id,
            lease: about.lease,
            source: Source::Rest,
            what,
        };
        let (answer, answered): (oneshot::Sender<Answer>, _) = oneshot::channel();
        self.mail(access.id(), Mail::Edit(Box::new(work), answer)).await.map_err(Arc::new)?;
        answered
            .await
            .unwrap_or_else(|_| Err(Arc::new(Error::Broken("the page could not be opened".to_owned()))))
    }

    /// A page's content as it is committed: from its room when it is live here, from the stored projection when that is
    /// up to date, else from the log.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the database's.
    pub async fn read(&self, access: &DocumentAccess<ViewDocument>) -> Result<(Head, Content), Error> {
        let document = access.id();
        self.viewed(access.user(), document).await?;
        self.opened(access.who(), document);
        self.committed(document).await
    }

    /// Whoever asks has passed the door.
    pub(crate) async fn committed(&self, document: DocumentId) -> Result<(Head, Content), Error> {
        if let Some(door) = self.shared.live(document) {
            let (answer, answered) = oneshot::channel();
            if door.send(Mail::Read(answer)).await.is_ok()
                && let Ok((head, content)) = answered.await
            {
                // Another node may be ahead; its news are on their way, but a reader need not wait for them.
                let stands = log::head(&self.shared.db, document).await?;
                if stands.seq <= head.seq {
                    return Ok((head, content));
                }
            }
        }
        let head = log::head(&self.shared.db, document).await?;
        if let Some(content) = projection::at(&self.shared.db, document, &head).await? {
            return Ok((head, content));
        }
        let (page, stored) = snapshot::load(&self.shared.db, document).await?;
        let content = Content::from(page.mirror());
        Ok((stored.head, content))
    }

    /// Who is on a page and where, each as in a `presence` message. A page that is not live has nobody; one that is live
    /// on other nodes alone is opened here, and fills as its clients say that they are still there.
    ///
    /// # Errors
    /// [`Error::Broken`] when the page cannot be opened.
    pub async fn presence(&self, access: &DocumentAccess<ViewDocument>) -> Result<Vec<serde_json::Value>, Error> {
        let is_live = self.shared.doors.lock().contains_key(&access.id());
        if !is_live && !self.shared.has_others {
            return Ok(Vec::new());
        }
        let (answer, answered) = oneshot::channel();
        self.mail(access.id(), Mail::Presence(answer)).await?;
        answered.await.map_err(|_| Error::Broken("the page could not be opened".to_owned()))
    }

    /// Notes that somebody is about to see a page, if that belongs into the audit log.
    ///
    /// # Errors
    /// Only the database's; then they should not be shown it.
    pub async fn viewed(&self, user: UserId, document: DocumentId) -> Result<(), Error> {
        Ok(self.shared.viewings.note(&self.shared.db, user, document).await?)
    }

    /// Notes that somebody has opened a page among those that they read last.
    pub fn opened(&self, who: Who, document: DocumentId) {
        if who.is_person() {
            self.shared.recents.note(who.user(), document);
        }
    }

    /// What somebody may do with a live page, and where the counter of changes of access stood; `None` when there is no
    /// page for them.
    ///
    /// # Errors
    /// Only the database's.
    pub async fn level(&self, who: Who, document: DocumentId) -> Result<Option<(Level, i64)>, Error> {
        let found = self.shared.keeper.level(who, document).await?;
        Ok(found.map(|(level, version, _)| (level, version)))
    }

    /// The door that these rooms ask, which remembers what it found out.
    pub fn keeper(&self) -> &access::Door {
        &self.shared.keeper
    }

    /// The tenants of the pages that are live here.
    pub fn workspaces(&self) -> Vec<WorkspaceId> {
        let doors = self.shared.doors.lock();
        let mut all: Vec<WorkspaceId> = doors.values().filter_map(|door| door.workspace).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Tells every node that pages are gone.
    pub async fn gone(&self, documents: Vec<DocumentId>) {
        self.close_gone(&documents).await;
        self.tell(Told::Gone { documents }).await;
    }

    async fn tell(&self, what: Told) {
        if self.shared.has_others {
            self.shared.bus.publish(
                News {
                    node: self.shared.node,
                    what,
                }
                .to_bytes(),
            );
        }
    }

    async fn close_gone(&self, documents: &[DocumentId]) {
        for document in documents {
            self.send_if_live(*document, Mail::Input(Input::Gone)).await;
        }
    }

    async fn send_if_live(&self, document: DocumentId, mail: Mail) {
        if let Some(door) = self.shared.live(document) {
            drop(door.send(mail).await);
        }
    }

    /// A page's locks are others than before: everybody on it is told, on all nodes.
    pub async fn locks_changed(&self, document: DocumentId) {
        self.send_if_live(document, Mail::Locks).await;
        self.tell(Told::Locks { document }).await;
    }

    /// Asks again what everybody on this workspace's live pages may do.
    pub async fn recheck(&self, workspace: WorkspaceId) {
        let live: Vec<DocumentId> = {
            let doors = self.shared.doors.lock();
            doors
                .iter()
                .filter(|(_, door)| door.workspace.is_none_or(|of| of == workspace))
                .map(|(id, _)| *id)
                .collect()
        };
        for document in live {
            self.send_if_live(document, Mail::Recheck).await;
        }
    }

    /// Lets rooms finish what they have and closes everybody's connection, within a time.
    pub async fn drain(&self, within: Duration) {
        self.shared.draining.store(true, Ordering::Relaxed);
        let doors: Vec<(mpsc::Sender<Mail>, JoinHandle<()>)> = {
            let mut doors = self.shared.doors.lock();
            doors.drain().map(|(_, door)| (door.mail, door.task)).collect()
        };
        let finish = async {
            for (mail, _) in &doors {
                drop(mail.send(Mail::Drain).await);
            }
            for (_, task) in doors {
                drop(task.await);
            }
        };
        if tokio::time::timeout(within, finish).await.is_err() {
            tracing::warn!("not every room finished in time; what was acknowledged is committed all the same");
        }
    }
}

impl Shared {
    /// The way into a page's room, when the page is live here.
    pub(crate) fn live(&self, document: DocumentId) -> Option<mpsc::Sender<Mail>> {
        self.doors.lock().get(&document).map(|door| door.mail.clone())
    }

    /// A live page's row.
    pub(crate) async fn row(&self, document: DocumentId) -> Result<document::Model, Error> {
        document::Entity::find_by_id(document).one(&self.db).await?.ok_or(Error::NotFound)
    }

    pub(crate) async fn know_workspace(&self, document: DocumentId, shell: &Shell) {
        if let Some(door) = self.doors.lock().get_mut(&document) {
            door.workspace = Some(shell.workspace());
        }
    }

    /// Takes an idle room off the list, unless somebody has just come in.
    pub(crate) fn retire(&self, document: DocumentId, mail: &mpsc::Receiver<Mail>) -> bool {
        let mut doors = self.doors.lock();
        if !mail.is_empty() {
            return false;
        }
        doors.remove(&document);
        true
    }

    fn forget(&self, document: DocumentId) {
        let mut doors = self.doors.lock();
        if doors.get(&document).is_some_and(|door| door.mail.is_closed()) {
            doors.remove(&document);
        }
    }
}

/// Listens to the other nodes for as long as the node lives.
async fn listen(rooms: Rooms, mut heard: broadcast::Receiver<Heard>) {
    loop {
        match heard.recv().await {
            Ok(Heard::Message(bytes)) => {
                if let Some(news) = News::from_bytes(&bytes).filter(|news| news.node != rooms.shared.node) {
                    on_news(&rooms, news.what).await;
                }
            }
            // Missed some: every live page reads on.
            Ok(Heard::Gap) | Err(broadcast::error::RecvError::Lagged(_)) => {
                let live: Vec<DocumentId> = rooms.shared.doors.lock().keys().copied().collect();
                for document in live {
                    rooms.send_if_live(document, Mail::News(None)).await;
                }
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

async fn on_news(rooms: &Rooms, told: Told) {
    match told {
        Told::Rows { document, seq, .. } => rooms.send_if_live(document, Mail::News(Some(seq))).await,
        Told::Presence { document, here, left } => rooms.send_if_live(document, Mail::Input(Input::RemotePresence(here, left))).await,
        Told::Ephemeral {
            document,
            sender,
            count,
            session,
            data,
        } => {
            rooms
                .send_if_live(document, Mail::Input(Input::RemoteEphemeral(sender, count, session, data)))
                .await;
        }
        Told::Locks { document } => rooms.send_if_live(document, Mail::Locks).await,
        Told::Gone { documents } => rooms.close_gone(&documents).await,
    }
}

/// Compares the positions of live pages with the database, so that a lost last message is noticed.
async fn heartbeat(rooms: Rooms) {
    let mut beat = tokio::time::interval(rooms.shared.settings.heartbeat);
    loop {
        beat.tick().await;
        let live: Vec<DocumentId> = rooms.shared.doors.lock().keys().copied().collect();
        if live.is_empty() {
            continue;
        }
        // In one query for all of them, as below.
        if let Ok(mut held) = lock::held_on(&rooms.shared.db, &live).await {
            for document in &live {
                let held = held.remove(document).unwrap_or_default();
                rooms.send_if_live(*document, Mail::LocksSeen(held)).await;
            }
        }
        if let Ok(positions) = log::positions(&rooms.shared.db, &live).await {
            for (document, _, seq) in positions {
                rooms.send_if_live(document, Mail::News(Some(seq))).await;
            }
        }
    }
}
