//! A job for tests: it does what its payload says, and its test sees what happened.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use events::{By, Change};
use futures::FutureExt;
use kernel::id::*;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// What a trial does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum What {
    /// Ends well at once.
    Nothing,
    /// Waits until the test lets it go, and hears nothing else.
    Wait,
    /// Keeps its place for a moment.
    Breathe,
    /// Fails in its first attempts.
    Fail(i32),
    /// Panics in its first attempts.
    Panic(i32),
    /// Says how far it is, then waits.
    Progress(u8, String),
    /// Goes on until it hears that it should not.
    UntilCancelled,
    /// Appends a fact that names the page, together with its end.
    Effect(DocumentId),
}

/// A job of a test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trial {
    /// Whose test.
    pub(crate) test: ConnectionId,
    pub(crate) what: What,
}

/// What a test and its jobs know of each other.
pub(crate) struct Control {
    seen: Mutex<Seen>,
    gate: watch::Sender<bool>,
}

/// What jobs did.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// When each attempt began.
    pub(crate) begun: Vec<Instant>,
    /// Attempts that run now.
    pub(crate) running: usize,
    /// The most that ever ran at once.
    pub(crate) most: usize,
}

static TESTS: LazyLock<Mutex<HashMap<ConnectionId, Arc<Control>>>> = LazyLock::new(Mutex::default);

impl Control {
    pub(crate) fn of(test: ConnectionId) -> Arc<Self> {
        let fresh = || {
            Arc::new(Self {
                seen: Mutex::default(),
                gate: watch::Sender::new(false),
            })
        };
        TESTS.lock().entry(test).or_insert_with(fresh).clone()
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().clone()
    }

    /// Lets those go that wait, and all that come.
    pub(crate) fn open(&self) {
        self.gate.send_replace(true);
    }

    async fn wait(&self) {
        let mut gate = self.gate.subscribe();
        drop(gate.wait_for(|is_open| *is_open).await);
    }
}

/// Counts an attempt as running, also when it is aborted.
struct Inside(Arc<Control>);

impl Inside {
    fn new(control: Arc<Control>) -> Self {
        let mut seen = control.seen.lock();
        seen.begun.push(Instant::now());
        seen.running += 1;
        seen.most = seen.most.max(seen.running);
        drop(seen);
        Self(control)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.seen.lock().running -= 1;
    }
}

impl Job for Trial {
    const QUEUE: Queue = Queue::Reports;
    const KIND: &'static str = "trial";
    const MAX_ATTEMPTS: i32 = 5;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let inside = Inside::new(Control::of(self.test));
        let attempt = work.claim().attempts;
        match self.what {
            What::Nothing => {}
            What::Wait => inside.0.wait().await,
            What::Breathe => tokio::time::sleep(Duration::from_millis(5)).await,
            What::Fail(times) if attempt <= times => return Err(Trouble::Retry("as it was told".to_owned())),
            What::Panic(times) => assert!(attempt > times, "as it was told"),
            What::Fail(_) => {}
            What::Progress(percent, message) => {
                work.progress(percent, &message).await?;
                inside.0.wait().await;
            }
            What::UntilCancelled => loop {
                work.go_on()?;
                tokio::time::sleep(Duration::from_millis(5)).await;
            },
            What::Effect(document) => return commit(work, document).await,
        }
        Ok(Done::Repeatable(Some("{}".to_owned())))
    }
}

/// An effect in the database, and the end of the job with it.
pub(crate) async fn commit(work: &Work, document: DocumentId) -> Result<Done, Trouble> {
    work.commit(None, |tx, _| {
        async move {
            let by = By {
                workspace: None,
                user: None,
            };
            events::append(tx, by, Change::DocumentCreated { document }).await?;
            Ok(())
        }
        .boxed()
    })
    .await
}
