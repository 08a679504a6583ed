//! Where apalis gets its tasks from: our queue.
//!
//! One future looks, takes and waits, so that no wake-up can fall between two of these; trouble with the database makes it
//! wait and try again, and never ends the worker. A job is taken only when there is room to run it, so none waits in memory.

use crate::Queue;
use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, task_id::RandomId},
    worker::context::WorkerContext,
};
use backends::signal::{Signal, Signals};
use futures::{FutureExt, future::BoxFuture};
use queue::{Claim, claim, lease};
use sea_orm::DatabaseConnection;
use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;
use tower_layer::Identity;

/// What a source is made of.
pub(crate) struct Settings {
    pub(crate) db: DatabaseConnection,
    pub(crate) signals: Signals,
    pub(crate) queue: Queue,
    /// Who takes the jobs; another name for every process and queue.
    pub(crate) worker: String,
    pub(crate) lease: Duration,
    pub(crate) poll: Duration,
}

/// The jobs of one queue, as apalis asks for them.
pub(crate) struct Source {
    settings: Arc<Settings>,
    closing: CancellationToken,
    next: Option<BoxFuture<'static, Option<Claim>>>,
    giving_back: Option<BoxFuture<'static, ()>>,
}

impl Source {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
            closing: CancellationToken::new(),
            next: None,
            giving_back: None,
        }
    }
}

impl Backend for Source {
    type Task = Task<Claim>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Option<Result<Self::Task, Infallible>>> {
        let next = self
            .next
            .get_or_insert_with(|| fetch(self.settings.clone(), self.closing.clone()).boxed());
        let claim = ready!(next.poll_unpin(cx));
        self.next = None;
        Poll::Ready(claim.map(|claim| Ok(Task::new(claim))))
    }

    /// A job that was taken while the word to stop came is given back untouched.
    fn poll_close(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        self.closing.cancel();
        if let Some(next) = &mut self.next {
            let taken = ready!(next.poll_unpin(cx));
            self.next = None;
            let settings = self.settings.clone();
            self.giving_back = taken.map(|claim| give_back(settings, claim).boxed());
        }
        if let Some(giving_back) = &mut self.giving_back {
            ready!(giving_back.poll_unpin(cx));
            self.giving_back = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Source {
    type Args = Claim;
    type Id = RandomId;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}

async fn give_back(settings: Arc<Settings>, claim: Claim) {
    if let Err(error) = lease::give_back(&settings.db, &claim).await {
        tracing::warn!(job = %claim.id, %error, "a job could not be given back; it begins anew when its lease ends");
    }
}

/// The next job; none once the source is closing.
async fn fetch(settings: Arc<Settings>, closing: CancellationToken) -> Option<Claim> {
    // Before the first look, so that a signal that comes after it is heard.
    let mut heard = settings.signals.subscribe();
    while !closing.is_cancelled() {
        let pause = match look(&settings).await {
            Ok(Ok(claim)) => return Some(claim),
            Ok(Err(pause)) => pause,
            Err(error) => {
                tracing::warn!(queue = %settings.queue, %error, "cannot look for jobs; trying again");
                settings.poll
            }
        };
        tokio::select! {
            () = closing.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
            () = woken(&mut heard, settings.queue) => {}
        }
    }
    None
}

/// A job, or how long to wait for the next one at most. Asks before it takes, so that an idle worker writes nothing.
async fn look(settings: &Settings) -> Result<Result<Claim, Duration>, sea_orm::DbErr> {
    let wait = claim::next_due_ms(&settings.db, settings.queue.name()).await?;
    if wait == Some(0)
        && let Some(claim) = queue::claim(&settings.db, settings.queue.name(), &settings.worker, settings.lease).await?
    {
        return Ok(Ok(claim));
    }
    let wait = wait
        .and_then(|ms| u64::try_from(ms).ok())
        .map_or(settings.poll, Duration::from_millis);
    // Not at once: due, but somebody else was faster.
    Ok(Err(wait.clamp(Duration::from_millis(1), settings.poll)))
}

async fn woken(heard: &mut broadcast::Receiver<Signal>, queue: Queue) {
    loop {
        match heard.recv().await {
            Ok(Signal::JobsDue { queues }) if queues.iter().any(|name| name == queue.name()) => return,
            Ok(Signal::Gap) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            // Nobody signals any more; the poll goes on.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Job, kinds::PurgeSessions, tests::Stage};
    use entity::job::State;
    use futures::future::{poll_fn, ready as at_once};

    /// The word to stop comes between the statement that takes a job and the worker that would run it.
    #[tokio::test]
    async fn a_job_that_was_taken_as_the_word_to_stop_came_is_given_back() {
        let stage = Stage::new().await;
        let parts = &stage.parts;
        let id = queue::add(&parts.db, PurgeSessions {}.job().unwrap()).await.unwrap().unwrap();
        let taken = queue::claim(&parts.db, "upkeep", "w", Duration::from_secs(60))
            .await
            .unwrap()
            .unwrap();
        let mut source = Source::new(Settings {
            db: parts.db.clone(),
            signals: parts.signals.clone(),
            queue: Queue::Upkeep,
            worker: "w".to_owned(),
            lease: Duration::from_secs(60),
            poll: Duration::from_secs(1),
        });
        source.next = Some(at_once(Some(taken)).boxed());
        let worker = WorkerContext::new("w");
        poll_fn(|cx| source.poll_close(cx, &worker)).await.unwrap();
        let job = queue::list::find(&parts.db, id).await.unwrap();
        assert_eq!((job.state, job.attempts), (State::Ready, 0));
    }
}
