//! Live streams of events: who waits for which tenant's log, and one task for all of them that notices when it has grown.
//!
//! Nothing is queued for a reader. A stream is a place in the log; it reads on when its connection has room for more, so a
//! slow reader costs no memory, and one that comes back goes on where it was.

mod feed;

pub(crate) use feed::{Feed, Start};

use backends::signal::{JobNews, Signal, Signals};
use events::read;
use kernel::id::*;
use parking_lot::Mutex;
use sea_orm::DatabaseConnection;
use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::sync::{broadcast, watch};

/// How often the logs are looked at without a signal: the most that a lost one costs.
const LOOK: Duration = Duration::from_secs(1);
/// News of jobs that a stream may lag behind; it loses older ones, and reads the job to catch up.
const BACKLOG: usize = 256;
/// Streams that one person may have open on one node.
const PER_USER: usize = 32;

/// One tenant's log.
pub(crate) struct Log {
    /// Where it stands, as far as this node knows.
    pub position: watch::Sender<i64>,
    /// Changes when who may see what has changed.
    pub access: watch::Sender<()>,
}

struct Inner {
    db: DatabaseConnection,
    signals: Signals,
    logs: Mutex<HashMap<WorkspaceId, Weak<Log>>>,
    people: Mutex<HashMap<UserId, usize>>,
    jobs: broadcast::Sender<JobNews>,
    closing: watch::Sender<bool>,
}

/// A handle on the streams of this node; cheap to clone.
#[derive(Clone)]
pub struct Streams {
    inner: Arc<Inner>,
}

/// Counts a stream for as long as it lives.
pub(crate) struct Seat {
    inner: Arc<Inner>,
    user: UserId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut people = self.inner.people.lock();
        if let Some(count) = people.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                people.remove(&self.user);
            }
        }
    }
}

impl Streams {
    /// The streams of a node, and the future that wakes them; the caller owns its task.
    pub fn new(db: DatabaseConnection, signals: Signals) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let inner = Arc::new(Inner {
            db,
            signals,
            logs: Mutex::default(),
            people: Mutex::default(),
            jobs: broadcast::channel(BACKLOG).0,
            closing: watch::channel(false).0,
        });
        (Self { inner: inner.clone() }, wake(inner))
    }

    /// Ends every stream, so that their clients go to another node.
    pub fn close(&self) {
        self.inner.closing.send_replace(true);
    }

    /// Room for one more stream of this person; none when they have too many.
    pub(crate) fn seat(&self, user: UserId) -> Option<Seat> {
        let mut people = self.inner.people.lock();
        let count = people.entry(user).or_default();
        if *count >= PER_USER {
            return None;
        }
        *count += 1;
        Some(Seat {
            inner: self.inner.clone(),
            user,
        })
    }

    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.inner.closing.subscribe()
    }

    pub(crate) fn jobs(&self) -> broadcast::Receiver<JobNews> {
        self.inner.jobs.subscribe()
    }

    /// This tenant's log; kept up to date for as long as somebody holds it.
    pub(crate) fn log(&self, workspace: WorkspaceId) -> Arc<Log> {
        let mut logs = self.inner.logs.lock();
        if let Some(log) = logs.get(&workspace).and_then(Weak::upgrade) {
            return log;
        }
        let log = Arc::new(Log {
            position: watch::channel(0).0,
            access: watch::channel(()).0,
        });
        logs.insert(workspace, Arc::downgrade(&log));
        log
    }

    /// The tenants that somebody follows.
    pub(crate) fn workspaces(&self) -> Vec<WorkspaceId> {
        self.inner.waiting(None)
    }

    /// Has every stream of this tenant ask again what its reader may see.
    pub(crate) fn recheck(&self, workspace: WorkspaceId) {
        let log = self.inner.logs.lock().get(&workspace).and_then(Weak::upgrade);
        if let Some(log) = log {
            log.access.send_replace(());
        }
    }
}

/// Wakes streams whose log has grown: at a signal, and every second in case one was lost.
async fn wake(inner: Arc<Inner>) {
    let mut heard = inner.signals.subscribe();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let grown = tokio::select! {
            _ = look.tick() => None,
            signal = heard.recv() => match signal {
                Ok(Signal::Stamped { workspaces }) => Some(workspaces),
                Ok(Signal::JobChanged(news)) => { drop(inner.jobs.send(news)); continue; }
                Ok(Signal::Gap) | Err(broadcast::error::RecvError::Lagged(_)) => None,
                Ok(_) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            },
        };
        let waiting = inner.waiting(grown.as_deref());
        if waiting.is_empty() {
            continue;
        }
        match read::positions(&inner.db, &waiting).await {
            Ok(positions) => inner.tell(&positions),
            Err(error) => tracing::warn!(%error, "cannot look where the logs stand; trying again"),
        }
    }
}

impl Inner {
    /// The tenants that somebody waits for, of these or of all.
    fn waiting(&self, of: Option<&[WorkspaceId]>) -> Vec<WorkspaceId> {
        let mut logs = self.logs.lock();
        logs.retain(|_, log| log.strong_count() > 0);
        match of {
            Some(of) => of.iter().filter(|id| logs.contains_key(id)).copied().collect(),
            None => logs.keys().copied().collect(),
        }
    }

    fn tell(&self, positions: &[(WorkspaceId, i64)]) {
        for (workspace, seq) in positions {
            let log = self.logs.lock().get(workspace).and_then(Weak::upgrade);
            if let Some(log) = log {
                log.position.send_if_modified(|known| {
                    let has_grown = *known != *seq;
                    *known = *seq;
                    has_grown
                });
            }
        }
    }
}
