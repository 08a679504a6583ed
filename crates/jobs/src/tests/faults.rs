//! Leases, and workers that are killed, cut off from the database, or in a hurry.

use super::*;
use sea_orm::ConnectionTrait;

#[tokio::test(flavor = "multi_thread")]
async fn a_long_job_keeps_its_lease() {
    let stage = Stage::new().await;
    let id = stage.put_trial(What::Wait).await;
    let _workers = [stage.start(), stage.start()];
    let begun = stage.until(id, |row| row.state == State::Running).await;
    let long = i64::try_from(LEASE.as_millis() * 5 / 2).expect("it is short");
    let kept = stage.until(id, |row| row.due_at > begun.due_at + long).await;
    assert_eq!((kept.state, kept.attempts), (State::Running, 1));
    stage.control.open();
    assert_eq!(stage.until_state(id, State::Done).await.attempts, 1);
    assert_eq!(stage.control.seen().begun.len(), 1, "the other worker never began it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_held_begins_anew_when_its_lease_ends() {
    let stage = Stage::new().await;
    let id = stage.put_trial(What::Wait).await;
    let killed = stage.start();
    stage.until_begun(1).await;
    killed.kill().await;
    until(async || stage.control.seen().running == 0).await;
    let left = stage.row(id).await;
    assert_eq!((left.state, left.attempts), (State::Running, 1), "nobody wrote anything down");
    let _worker = stage.start();
    stage.until_begun(2).await;
    assert!(clock::now_ms() >= left.due_at, "not before its lease ended");
    stage.control.open();
    assert_eq!(stage.until_state(id, State::Done).await.attempts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_took_and_never_touched_is_taken_over() {
    let stage = Stage::new().await;
    let id = stage.put_trial(What::Nothing).await;
    let lost = stage.take(Queue::Reports, LEASE).await;
    let _worker = stage.start();
    let done = stage.until_state(id, State::Done).await;
    assert_eq!(done.attempts, 2);
    assert!(
        done.started_at.expect("begun").timestamp_millis() >= lost.due_at,
        "not before its lease ended"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kills_its_workers_again_and_again_is_buried() {
    let stage = Stage::new().await;
    let mut job = stage.trial(What::Nothing);
    job.max_attempts = 2;
    let id = stage.put(job).await;
    for _ in 0..2 {
        stage.take(Queue::Reports, Duration::ZERO).await;
    }
    let _worker = stage.start();
    let dead = stage.until_state(id, State::Dead).await;
    assert_eq!(dead.error.as_deref(), Some("its workers were lost too often"));
    assert_eq!(stage.control.seen().begun.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_lost_its_lease_is_stopped() {
    let stage = Stage::new().await;
    let id = stage.put_trial(What::Wait).await;
    let claim = stage.take(Queue::Reports, Duration::ZERO).await;
    let attempt = tokio::spawn(attempt::attempt(stage.parts.clone(), claim, CancellationToken::new()));
    stage.until_begun(1).await;
    // Somebody else takes it before the first beat, or after a beat that came too late.
    until(async || {
        let other = queue::claim(stage.db(), "reports", "another", Duration::from_secs(60)).await;
        other.expect("asked").is_some()
    })
    .await;
    tokio::time::timeout(SOON, attempt)
        .await
        .expect("it notices")
        .expect("without a panic");
    until(async || stage.control.seen().running == 0).await;
    let row = stage.row(id).await;
    assert_eq!(
        (row.state, row.attempts, row.worker.as_deref()),
        (State::Running, 2, Some("another"))
    );
}

/// Takes the table away for a while. What runs ends meanwhile, and cannot write that down.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_outlives_an_outage_of_the_database() {
    let stage = Stage::new().await;
    let ran = stage.put_trial(What::Wait).await;
    let worker = stage.start_hearing();
    stage.until_begun(1).await;
    let sql = async |sql: &str| stage.db().execute_unprepared(sql).await.expect("renamed");
    sql("ALTER TABLE jobs RENAME TO jobs_away").await;
    stage.control.open();
    until(async || stage.control.seen().running == 0).await;
    // How long the outage is; nothing is waited for.
    tokio::time::sleep(LEASE).await;
    sql("ALTER TABLE jobs_away RENAME TO jobs").await;
    let waited = stage.put_trial(What::Nothing).await;
    stage.until_state(waited, State::Done).await;
    stage.until_state(ran, State::Done).await;
    assert!(!worker.task.is_finished());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_word_to_stop_lets_running_jobs_end_and_leaves_the_others_untouched() {
    let stage = Stage::with(|settings| settings.concurrency = vec![(Queue::Reports, 2)]).await;
    let running = [stage.put_trial(What::Wait).await, stage.put_trial(What::Wait).await];
    let worker = stage.start_hearing();
    stage.until_begun(2).await;
    stage.put_many((0..20).map(|_| stage.trial(What::Wait)).collect()).await;
    worker.stop.cancel();
    stage.control.open();
    worker.stop().await;
    for id in running {
        assert_eq!(stage.row(id).await.state, State::Done);
    }
    let waiting: Vec<_> = stage
        .jobs("trial")
        .await
        .into_iter()
        .filter(|job| job.state != State::Done)
        .collect();
    assert_eq!(waiting.len(), 20);
    assert!(
        waiting.iter().all(|job| (job.state, job.attempts) == (State::Ready, 0)),
        "{waiting:#?}"
    );
    assert_eq!(stage.control.seen().begun.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_in_time_is_given_back() {
    let stage = Stage::with(|settings| settings.drain = Duration::from_millis(200)).await;
    let id = stage.put_trial(What::Wait).await;
    let worker = stage.start();
    stage.until_begun(1).await;
    worker.stop().await;
    let row = stage.row(id).await;
    assert_eq!((row.state, row.attempts), (State::Ready, 0));
    until(async || stage.control.seen().running == 0).await;
    let _other = stage.start();
    stage.control.open();
    assert_eq!(stage.until_state(id, State::Done).await.attempts, 1);
}
