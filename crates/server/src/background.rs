//! What runs behind the requests: the relay, the workers, and what they need.

use crate::{config::Config, files, limits};
use anyhow::Context;
use backends::{
    bus::Bus,
    files::Files,
    mail::Mailer,
    signal::{Signal, Signals},
};
use collab::Follow;
use events::checkpoint::Seals;
use futures::future::BoxFuture;
use jobs::{Parts, Queue, kinds::IndexPage, relay};
use kernel::id::*;
use queue::NewJob;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use secrecy::ExposeSecret;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use users::KeyRing;

/// The channel of hints between processes.
const CHANNEL: &str = "sheaf:signals";
/// What the keys that sign checkpoints are derived for.
const CHECKPOINTS: &str = "sheaf event checkpoints";
/// The folder of mail that no server is configured for.
const OUTBOX: &str = "outbox";

/// Tasks that run until they are told to stop.
pub struct Background {
    /// Hints from and to them.
    pub signals: Signals,
    /// What signs and verifies checkpoints of the event log.
    pub seals: Seals,
    /// Where files are kept.
    pub files: Files,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    /// Hear other processes; ended last.
    listening: Vec<JoinHandle<()>>,
}

/// Asks for a page to be put into the search index when it has come to rest.
pub struct Indexing {
    signals: Signals,
}

impl Indexing {
    /// With the signals that wake workers.
    pub fn new(signals: Signals) -> Self {
        Self { signals }
    }
}

impl Follow for Indexing {
    fn settled<'t>(
        &'t self,
        tx: &'t DatabaseTransaction,
        workspace: WorkspaceId,
        document: DocumentId,
    ) -> BoxFuture<'t, Result<(), DbErr>> {
        let add = async move {
            let job = NewJob {
                workspace: Some(workspace),
                ..IndexPage::once(document)?
            };
            queue::add(tx, job).await
        };
        Box::pin(async move { add.await.map(drop).map_err(|error| DbErr::Custom(error.to_string())) })
    }

    fn committed(&self) {
        let queues = vec![Queue::Search.name().to_owned()];
        self.signals.send(Signal::JobsDue { queues });
    }
}

/// The keys of checkpoints.
pub fn seals(ring: &KeyRing) -> Seals {
    Seals::new(ring.derive(CHECKPOINTS))
}

fn mailer(config: &Config) -> anyhow::Result<Mailer> {
    let mailer = if config.mail.url.expose_secret().is_empty() {
        Mailer::directory(config.server.data_dir.join(OUTBOX), &config.mail.from)
    } else {
        Mailer::smtp(&config.mail.url, &config.mail.from)
    };
    mailer.context("cannot set up mail ([mail] in the configuration)")
}

/// A bus over Redis where there is one, and the task that carries it.
pub(crate) async fn bus(config: &Config, channel: &str) -> anyhow::Result<(Bus, Option<JoinHandle<()>>)> {
    if config.redis.url.expose_secret().is_empty() {
        return Ok((Bus::memory(), None));
    }
    let (bus, listening) = Bus::redis(&config.redis.url, channel).await.context("cannot reach Redis")?;
    Ok((bus, Some(tokio::spawn(listening))))
}

/// Hints over Redis where there is one, and the tasks that carry them.
pub(crate) async fn signals(config: &Config) -> anyhow::Result<(Signals, Vec<JoinHandle<()>>)> {
    let (bus, carrying) = bus(config, CHANNEL).await?;
    let (signals, hearing) = Signals::new(bus);
    Ok((signals, carrying.into_iter().chain([tokio::spawn(hearing)]).collect()))
}

/// Starts the relay, and workers of these queues; none when there are none.
///
/// # Errors
/// When a part cannot be started; the message names it.
pub async fn start(config: &Config, db: &DatabaseConnection, ring: &KeyRing, queues: Option<Vec<Queue>>) -> anyhow::Result<Background> {
    let files = files::open(config).await?;
    let (signals, listening) = signals(config).await?;
    let (seals, stop) = (seals(ring), CancellationToken::new());
    let mut tasks = vec![tokio::spawn(relay::run(db.clone(), signals.clone(), stop.clone()))];
    if let Some(queues) = queues {
        let parts = Parts {
            db: db.clone(),
            signals: signals.clone(),
            mailer: mailer(config)?,
            files: files.clone(),
            seals: seals.clone(),
            mint: ring.mint(),
            settings: Arc::new(limits::jobs(config)),
        };
        tasks.push(tokio::spawn(jobs::run(parts, queues, stop.clone())));
    }
    Ok(Background {
        signals,
        seals,
        files,
        stop,
        tasks,
        listening,
    })
}

impl Background {
    /// Begins nothing new, and waits for what runs.
    pub async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            // A task that panicked has been logged; there is nothing to wait for.
            drop(task.await);
        }
        for task in self.listening {
            task.abort();
            drop(task.await);
        }
    }
}
