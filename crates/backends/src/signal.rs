//! Signals: short hints between the parts of the product, in this process at once and on every other node through the
//! bus. Who misses one finds out by looking into the database, a little later.

use crate::bus::{Bus, Heard};
use bytes::Bytes;
use kernel::id::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::{Notify, broadcast};

/// Signals that a slow listener may lag behind before it is told to look for itself.
const BACKLOG: usize = 1024;

/// What is hinted at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The logs of these tenants have grown.
    Stamped {
        /// The tenants.
        workspaces: Vec<WorkspaceId>,
    },
    /// Jobs of these queues are due.
    JobsDue {
        /// The queues' names.
        queues: Vec<String>,
    },
    /// A job that somebody asked for is further, or over.
    JobChanged(JobNews),
    /// Somebody wants a running job to stop.
    CancelJob {
        /// The job.
        job: JobId,
    },
    /// Signals may have been missed.
    Gap,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobNews {
    /// The job.
    pub job: JobId,
    /// What is done.
    pub kind: String,
    /// The tenant it is done for.
    pub workspace: Option<WorkspaceId>,
    /// Who asked for it.
    pub user: Option<UserId>,
    /// How far it is, 0 to 100.
    pub progress: u8,
    /// What it is doing, for people.
    pub message: String,
}

/// A signal on the bus.
#[derive(Serialize, Deserialize)]
struct Envelope {
    /// The node that sends it; it has told its own parts already.
    node: ConnectionId,
    signal: Signal,
}

struct Inner {
    node: ConnectionId,
    bus: Bus,
    heard: broadcast::Sender<Signal>,
    appended: Notify,
}

/// The way in and out; cheap to clone.
#[derive(Clone)]
pub struct Signals {
    inner: Arc<Inner>,
}

impl Signals {
    /// Signals over a bus of their own, and the future that hears the other nodes; the caller owns its task.
    pub fn new(bus: Bus) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let others = bus.subscribe();
        let inner = Arc::new(Inner {
            node: ConnectionId::new(),
            bus,
            heard: broadcast::channel(BACKLOG).0,
            appended: Notify::new(),
        });
        (Self { inner: inner.clone() }, hear(inner, others))
    }

    /// Tells everybody, here and elsewhere; waits for nobody.
    pub fn send(&self, signal: Signal) {
        if matches!(self.inner.bus, Bus::Redis(_)) {
            let envelope = Envelope {
                node: self.inner.node,
                signal: signal.clone(),
            };
            if let Ok(bytes) = serde_json::to_vec(&envelope) {
                self.inner.bus.publish(Bytes::from(bytes));
            }
        }
        // No listener is no error.
        drop(self.inner.heard.send(signal));
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.inner.heard.subscribe()
    }

    /// Hints that something was appended to the event log and is committed. Every node has a relay, so the others need
    /// not know.
    pub fn appended(&self) {
        self.inner.appended.notify_one();
    }

    /// Waits for the next such hint; one that came before is not lost.
    pub async fn has_appended(&self) {
        self.inner.appended.notified().await;
    }
}

async fn hear(inner: Arc<Inner>, mut others: broadcast::Receiver<Heard>) {
    loop {
        let signal = match others.recv().await {
            Ok(Heard::Message(bytes)) => match serde_json::from_slice::<Envelope>(&bytes) {
                Ok(envelope) if envelope.node != inner.node => envelope.signal,
                // Our own, or one of another version.
                _ => continue,
            },
            Ok(Heard::Gap) | Err(broadcast::error::RecvError::Lagged(_)) => Signal::Gap,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        drop(inner.heard.send(signal));
    }
}
