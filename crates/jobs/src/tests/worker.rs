//! What a worker does with jobs that go well, badly and on and on.

use super::*;
use std::collections::BTreeSet;

fn waited(row: &job::Model) -> i64 {
    let started = row.started_at.expect("it was begun");
    (started - row.created_at).num_milliseconds()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_wakes_an_idle_worker() {
    let stage = Stage::with(|settings| settings.poll = Duration::from_secs(600)).await;
    let first = stage.put_trial(What::Nothing).await;
    let _worker = stage.start_hearing();
    stage.until_state(first, State::Done).await;
    let next = stage.put_trial(What::Nothing).await;
    let queues = vec![Queue::Reports.name().to_owned()];
    stage.parts.signals.send(Signal::JobsDue { queues });
    let done = stage.until_state(next, State::Done).await;
    assert!(waited(&done) < 500, "{} ms", waited(&done));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_signal_a_job_begins_with_the_next_look() {
    let stage = Stage::with(|settings| settings.poll = Duration::from_millis(200)).await;
    let first = stage.put_trial(What::Nothing).await;
    let _worker = stage.start();
    stage.until_state(first, State::Done).await;
    let next = stage.put_trial(What::Nothing).await;
    let done = stage.until_state(next, State::Done).await;
    assert!(waited(&done) < 200 + 300, "{} ms", waited(&done));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_run_at_once_than_may() {
    let stage = Stage::with(|settings| settings.concurrency = vec![(Queue::Reports, 3)]).await;
    stage.put_many((0..200).map(|_| stage.trial(What::Breathe)).collect()).await;
    let _worker = stage.start();
    until(async || stage.count(State::Done).await == 200).await;
    let seen = stage.control.seen();
    assert_eq!((seen.begun.len(), seen.most), (200, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_comes_back_after_a_pause_and_not_before() {
    let stage = Stage::new().await;
    let _worker = stage.start();
    let id = stage.put_trial(What::Fail(1)).await;
    let failed = stage.until(id, |row| row.error.is_some()).await;
    assert_eq!((failed.state, failed.attempts), (State::Ready, 1));
    assert_eq!(failed.error.as_deref(), Some("as it was told"));
    let pause = failed.due_at - failed.started_at.expect("begun").timestamp_millis();
    assert!(pause >= 500, "{pause} ms");
    let done = stage.until_state(id, State::Done).await;
    assert_eq!((done.attempts, done.error), (2, None));
    let begun = stage.control.seen().begun;
    assert_eq!(begun.len(), 2);
    assert!(begun[1] - begun[0] >= Duration::from_millis(490), "{:?}", begun[1] - begun[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_costs_an_attempt_and_not_the_worker() {
    let stage = Stage::new().await;
    let _worker = stage.start();
    let id = stage.put_trial(What::Panic(1)).await;
    let failed = stage.until(id, |row| row.error.is_some()).await;
    assert_eq!(
        (failed.state, failed.error.as_deref()),
        (State::Ready, Some("it panicked: as it was told"))
    );
    let next = stage.put_trial(What::Nothing).await;
    assert_eq!(stage.until_state(next, State::Done).await.attempts, 1);
    assert_eq!(stage.until_state(id, State::Done).await.attempts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_dead_and_what_is_not_known_here_is_left_for_others() {
    let stage = Stage::new().await;
    let changed = |change: fn(&mut NewJob)| {
        let mut job = stage.trial(What::Nothing);
        change(&mut job);
        job
    };
    let no_json = stage.put(changed(|job| job.payload = "no json".to_owned())).await;
    let no_trial = stage.put(changed(|job| job.payload = "{}".to_owned())).await;
    let unknown = stage.put(changed(|job| job.kind = "of_tomorrow")).await;
    let newer = stage.put(changed(|job| job.version = 2)).await;
    let older = stage.put(changed(|job| job.version = 0)).await;
    let next = stage.put_trial(What::Nothing).await;
    let _worker = stage.start();
    stage.until_state(next, State::Done).await;
    for id in [no_json, no_trial, older] {
        let dead = stage.until_state(id, State::Dead).await;
        assert_eq!(dead.attempts, 1, "{dead:#?}");
    }
    for id in [unknown, newer] {
        let waits = stage.until(id, |row| row.error.is_some()).await;
        assert_eq!((waits.state, waits.attempts), (State::Ready, 1), "{waits:#?}");
    }
    assert_eq!(stage.control.seen().begun.len(), 1, "only the one that can be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_sees_how_far_it_is() {
    let stage = Stage::new().await;
    let mut heard = stage.parts.signals.subscribe();
    let user = UserId::new();
    let mut job = stage.trial(What::Progress(40, "half way".to_owned()));
    job.user = Some(user);
    let id = stage.put(job).await;
    let _worker = stage.start_hearing();
    let row = stage.until(id, |row| row.progress == Some(40)).await;
    assert_eq!((row.state, row.message.as_deref()), (State::Running, Some("half way")));
    stage.control.open();
    assert_eq!(stage.until_state(id, State::Done).await.progress, Some(100));
    let mut told = Vec::new();
    while told.last() != Some(&(100, "done".to_owned())) {
        let signal = tokio::time::timeout(SOON, heard.recv())
            .await
            .expect("it is told")
            .expect("signals go on");
        if let Signal::JobChanged(news) = signal {
            assert_eq!((news.job, news.user, news.kind.as_str()), (id, Some(user), "trial"));
            told.push((news.progress, news.message));
        }
    }
    assert_eq!(told, [(40, "half way".to_owned()), (100, "done".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_takes_too_long_is_stopped_and_tried_again() {
    let stage = Stage::with(|settings| settings.timeout = Duration::from_millis(200)).await;
    let id = stage.put_trial(What::Wait).await;
    let _worker = stage.start();
    let late = stage.until(id, |row| row.error.is_some()).await;
    assert_eq!((late.state, late.attempts), (State::Ready, 1));
    assert!(late.error.is_some_and(|error| error.starts_with("it took longer")));
    until(async || stage.control.seen().running == 0).await;
    stage.control.open();
    assert_eq!(stage.until_state(id, State::Done).await.attempts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_jobs_have_their_effect_once_each_with_two_workers() {
    let stage = Stage::with(|settings| settings.concurrency = vec![(Queue::Reports, 2)]).await;
    stage
        .put_many((0..2_000).map(|_| stage.trial(What::Effect(DocumentId::new()))).collect())
        .await;
    let workers = [stage.start(), stage.start()];
    until(async || stage.count(State::Done).await == 2_000).await;
    let facts = stage.facts("document.created").await;
    let pages: BTreeSet<_> = facts.iter().map(|fact| fact.subject_id).collect();
    assert_eq!((facts.len(), pages.len()), (2_000, 2_000));
    let names: BTreeSet<_> = stage.jobs("trial").await.into_iter().map(|job| job.worker).collect();
    assert_eq!(names.len(), workers.len(), "both worked");
}
