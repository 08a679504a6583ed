//! One attempt at one job: runs it in a task of its own, renews the lease, hears of a cancellation, catches a panic, and
//! writes down how it ended.

use crate::{
    Parts, kinds,
    work::{Done, Trouble, Work},
};
use backends::{db, signal::Signal};
use queue::{
    Claim, Failure,
    lease::{self, Held},
};
use sea_orm::{DatabaseTransaction, DbErr};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::broadcast::error::RecvError,
    task::{AbortHandle, JoinHandle},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// How long a job that was asked to stop may take to do so.
const GRACE: Duration = Duration::from_secs(5);
/// Pause before the end of a job is written down again, when the database did not take it.
const AGAIN: Duration = Duration::from_millis(500);

/// Aborts a task when nobody waits for it any more.
struct Owned(AbortHandle);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How an attempt ended.
enum End {
    /// As the job said.
    Returned(Result<Done, Trouble>),
    /// The process is going away and could not wait.
    GivenBack,
}

/// Makes one attempt. `hurry` is cancelled when the process cannot wait any longer.
pub(crate) async fn attempt(parts: Parts, claim: Claim, hurry: CancellationToken) {
    let span = tracing::info_span!("job", id = %claim.id, kind = claim.kind, attempt = claim.attempts);
    run(parts, claim, hurry).instrument(span).await;
}

async fn run(parts: Parts, claim: Claim, hurry: CancellationToken) {
    let cancelled = CancellationToken::new();
    let work = Arc::new(Work::new(parts, claim, cancelled.clone()));
    let began = Instant::now();
    let end = if work.claim().attempts > work.claim().max_attempts {
        // Every attempt ended with the death of its worker: it may be what kills them.
        End::Returned(Err(Trouble::Permanent("its workers were lost too often".to_owned())))
    } else if work.claim().cancel_requested {
        End::Returned(Err(Trouble::Cancelled))
    } else {
        supervise(&work, &cancelled, &hurry).await
    };
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    record(&work, end, ms).await;
}

/// Runs the job and watches over it.
async fn supervise(work: &Arc<Work>, cancelled: &CancellationToken, hurry: &CancellationToken) -> End {
    let inside = work.clone();
    let mut task: JoinHandle<_> = tokio::spawn(async move { kinds::perform(&inside).await }.in_current_span());
    let _owned = Owned(task.abort_handle());
    let settings = &work.parts().settings;
    let mut beat = tokio::time::interval(settings.lease / 3);
    beat.tick().await;
    let timeout = tokio::time::sleep(settings.timeout);
    tokio::pin!(timeout);
    let asked = asked_to_stop(work);
    tokio::pin!(asked);
    // One grace for all rounds of the loop: a beat does not lengthen it.
    let grace = grace(cancelled);
    tokio::pin!(grace);
    let mut renewed = Instant::now();
    loop {
        tokio::select! {
            joined = &mut task => {
                return End::Returned(joined.unwrap_or_else(|panic| Err(Trouble::Retry(format!("it panicked: {}", said(panic))))));
            }
            () = hurry.cancelled() => return End::GivenBack,
            () = &mut timeout => return End::Returned(Err(Trouble::Retry(format!("it took longer than {} s", settings.timeout.as_secs())))),
            () = &mut asked, if !cancelled.is_cancelled() => cancelled.cancel(),
            () = &mut grace => return End::Returned(Err(Trouble::Cancelled)),
            _ = beat.tick() => match lease::renew(work.db(), work.claim(), settings.lease).await {
                Ok(Held::Lost) => return End::Returned(Err(Trouble::Lost)),
                Ok(Held::CancelRequested) => { cancelled.cancel(); renewed = Instant::now(); }
                Ok(Held::Yes) => renewed = Instant::now(),
                // The lease has run out meanwhile: somebody else may have begun.
                Err(_) if renewed.elapsed() > settings.lease => return End::Returned(Err(Trouble::Lost)),
                Err(error) => tracing::warn!(%error, "cannot renew the lease; trying again"),
            },
        }
    }
}

async fn grace(cancelled: &CancellationToken) {
    cancelled.cancelled().await;
    tokio::time::sleep(GRACE).await;
}

/// Waits until somebody wants the job to stop, as far as a signal tells; the beat of the lease tells it too.
async fn asked_to_stop(work: &Work) {
    let mut heard = work.parts().signals.subscribe();
    loop {
        match heard.recv().await {
            Ok(Signal::CancelJob { job }) if job == work.id() => return,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// What a panic said.
fn said(panic: tokio::task::JoinError) -> String {
    let Ok(panic) = panic.try_into_panic() else {
        return "aborted".to_owned();
    };
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "without a word".to_owned())
}

/// Writes the end down. While the lease holds it is tried again, so that a hiccup of the database repeats no job.
async fn record(work: &Work, end: End, ms: u64) {
    let until = Instant::now() + work.parts().settings.lease / 2;
    loop {
        match write(work, &end).await {
            Ok(counts) => return tell(work, &end, counts, ms),
            Err(error) if Instant::now() < until => {
                tracing::warn!(%error, "cannot write down how a job ended; trying again");
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) => return tracing::error!(%error, "could not write down how a job ended; it begins anew when its lease ends"),
        }
    }
}

/// `false` when another attempt counts by now.
async fn write(work: &Work, end: &End) -> Result<bool, DbErr> {
    let claim = work.claim();
    let failure = match end {
        End::GivenBack => return lease::give_back(work.db(), claim).await.map(|()| true),
        End::Returned(Ok(Done::Committed)) => return Ok(true),
        End::Returned(Err(Trouble::Lost)) => return Ok(false),
        End::Returned(Ok(Done::Repeatable(result))) => {
            let result = result.clone();
            return db::write(work.db(), async |tx: &DatabaseTransaction| queue::succeed(tx, claim, result).await).await;
        }
        End::Returned(Err(Trouble::Retry(error))) => Failure::Retry(error.clone()),
        End::Returned(Err(Trouble::Permanent(error))) => Failure::Permanent(error.clone()),
        End::Returned(Err(Trouble::Cancelled)) => Failure::Cancelled,
        End::Returned(Err(Trouble::Stopped(result))) => Failure::Stopped(result.clone()),
    };
    db::write(work.db(), async |tx: &DatabaseTransaction| queue::fail(tx, claim, failure).await).await
}

fn tell(work: &Work, end: &End, counts: bool, ms: u64) {
    if !counts {
        return tracing::warn!("another worker has this job by now; what came out here does not count");
    }
    match end {
        End::Returned(Ok(_)) => {
            tracing::info!(ms, "done");
            work.over(100, "done");
        }
        End::Returned(Err(trouble @ (Trouble::Retry(_) | Trouble::Lost))) if work.claim().attempts < work.claim().max_attempts => {
            tracing::warn!(ms, %trouble, "failed; it will be tried again");
            work.over(0, "waiting for another attempt");
        }
        End::Returned(Err(Trouble::Cancelled | Trouble::Stopped(_))) => {
            tracing::info!(ms, "cancelled");
            work.over(0, "cancelled");
        }
        End::Returned(Err(trouble)) => {
            tracing::error!(ms, %trouble, "given up; an administrator can let it try again");
            work.over(0, "failed");
        }
        End::GivenBack => tracing::info!(ms, "given back, because this process is going away"),
    }
}
