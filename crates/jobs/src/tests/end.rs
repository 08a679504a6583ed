//! How jobs end: cancelled, or together with their effect.

use super::*;
use crate::{
    kinds::trial,
    work::{Done, Trouble, Work},
};
use futures::FutureExt;

async fn cancel(stage: &Stage, id: JobId) -> job::Model {
    let row = stage.row(id).await;
    db::write(stage.db(), async |tx: &DatabaseTransaction| queue::manage::cancel(tx, &row).await)
        .await
        .expect("cancelled")
}

/// Cancels a running job. `says` tells whether a signal goes with it.
async fn cancelled_while_running(stage: &Stage, says: bool) {
    let mut job = stage.trial(What::UntilCancelled);
    job.user = Some(UserId::new());
    let id = stage.put(job).await;
    let _worker = stage.start_hearing();
    stage.until_begun(1).await;
    assert_eq!(cancel(stage, id).await.state, State::Running);
    if says {
        stage.parts.signals.send(Signal::CancelJob { job: id });
    }
    let over = stage.until_state(id, State::Cancelled).await;
    assert_eq!(over.attempts, 1);
    assert_eq!(stage.facts("job.cancelled").await.len(), 1);
    assert_eq!(stage.control.seen().running, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_hears_the_signal_that_cancels_it() {
    // No beat of the lease comes while anybody waits.
    let stage = Stage::with(|settings| settings.lease = SOON * 100).await;
    let from = Instant::now();
    cancelled_while_running(&stage, true).await;
    assert!(from.elapsed() < Duration::from_secs(4), "by itself, not because it was aborted");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_signal_the_lease_tells_of_a_cancellation() {
    cancelled_while_running(&Stage::new().await, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_hears_nothing_is_aborted_after_a_grace() {
    let stage = Stage::new().await;
    let id = stage.put_trial(What::Wait).await;
    let _worker = stage.start_hearing();
    stage.until_begun(1).await;
    cancel(&stage, id).await;
    stage.parts.signals.send(Signal::CancelJob { job: id });
    stage.until_state(id, State::Cancelled).await;
    until(async || stage.control.seen().running == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_whose_worker_is_gone_is_not_begun_again() {
    let stage = Stage::new().await;
    let id = stage.put_trial(What::Nothing).await;
    stage.take(Queue::Reports, Duration::ZERO).await;
    cancel(&stage, id).await;
    let _worker = stage.start();
    stage.until_state(id, State::Cancelled).await;
    assert_eq!(stage.control.seen().begun.len(), 0);
}

fn work(stage: &Stage, claim: Claim) -> Work {
    Work::new(stage.parts.clone(), claim, CancellationToken::new())
}

#[tokio::test]
async fn effect_and_end_are_committed_together() {
    let stage = Stage::new().await;
    let id = stage.put_trial(What::Nothing).await;
    let work = work(&stage, stage.take(Queue::Reports, SOON).await);
    let failed = work
        .commit(None, |tx, _| {
            async move {
                let (by, document) = (
                    By {
                        workspace: None,
                        user: None,
                    },
                    DocumentId::new(),
                );
                events::append(tx, by, Change::DocumentCreated { document }).await?;
                Err(Trouble::Retry("no".to_owned()))
            }
            .boxed()
        })
        .await;
    assert_eq!(failed, Err(Trouble::Retry("no".to_owned())));
    assert_eq!(stage.facts("document.created").await.len(), 0);
    assert_eq!(stage.row(id).await.state, State::Running);

    assert_eq!(trial::commit(&work, DocumentId::new()).await, Ok(Done::Committed));
    assert_eq!(stage.row(id).await.state, State::Done);
    assert_eq!(trial::commit(&work, DocumentId::new()).await, Err(Trouble::Lost), "it is over");
    assert_eq!(stage.facts("document.created").await.len(), 1);
}

#[tokio::test]
async fn who_lost_the_lease_has_no_effect() {
    let stage = Stage::new().await;
    let id = stage.put_trial(What::Nothing).await;
    let lost = work(&stage, stage.take(Queue::Reports, Duration::ZERO).await);
    let counts = work(&stage, stage.take(Queue::Reports, SOON).await);
    assert_eq!(trial::commit(&lost, DocumentId::new()).await, Err(Trouble::Lost));
    assert_eq!(lost.progress(50, "half").await, Err(Trouble::Lost));
    assert_eq!(stage.facts("document.created").await.len(), 0);
    assert_eq!(stage.row(id).await.state, State::Running);
    assert_eq!(trial::commit(&counts, DocumentId::new()).await, Ok(Done::Committed));
    assert_eq!(stage.facts("document.created").await.len(), 1);
}
