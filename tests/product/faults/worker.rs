//! The worker killed in the middle of every kind of job; Redis gone while jobs are enqueued; and a worker told to stop.

use super::{lines::Lines, scene};
use crate::support::Worker;
use entity::job::State;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use testing::{Form, MailCatcher, Redis};

/// How long what is left may take at the end.
const AT_THE_END: Duration = Duration::from_secs(90);

/// Feeds and kills, round after round; then a last worker may finish.
async fn kill_often(lines: &mut Lines, rounds: usize) -> (usize, u64) {
    let seed = scene::seed();
    let mut random = StdRng::seed_from_u64(seed);
    for round in 0..rounds {
        lines.every_kind(25).await;
        lines.member().await;
        lines.report().await;
        let worker = Worker::start(&lines.server, &format!("killed-{round}"), &[]).await;
        tokio::time::sleep(Duration::from_millis(random.random_range(1..120))).await;
        worker.kill9();
    }
    let last = Worker::start(&lines.server, "last", &[]).await;
    lines.done(AT_THE_END).await;
    assert!(last.sigterm(Duration::from_secs(10)).await.success());
    (lines.check().await, seed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_the_middle_loses_nothing_and_repeats_no_effect() {
    let (mut lines, rounds, started) = (Lines::set(&[]).await, scene::rounds(), Instant::now());
    let (again, seed) = kill_often(&mut lines, rounds).await;
    assert_eq!(lines.outbox(), lines.letters().await, "one letter for each job");
    assert!(again > 0, "no kill hit a running job");
    let jobs = lines.jobs().await;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    jobs.iter()
        .filter(|job| job.attempts > 1)
        .for_each(|job| *kinds.entry(&job.kind).or_default() += 1);
    scene::say(&format!(
        "{rounds} kills, {} jobs, {again} begun again {kinds:?}, seed {seed}, {:?}",
        jobs.len(),
        started.elapsed()
    ));
}

/// A mail server cannot be asked what it has; a second copy has the same Message-ID, by which it is known.
#[tokio::test(flavor = "multi_thread")]
async fn letters_by_smtp_arrive_under_one_id_each_however_often_the_worker_is_killed() {
    let catcher = MailCatcher::start(&[]).await;
    let mut lines = Lines::set(&[("SHEAF__MAIL__URL", &catcher.url())]).await;
    let (again, _) = kill_often(&mut lines, scene::rounds().min(5)).await;
    let mails = catcher.mails().await;
    let ids = mails.iter().filter_map(|mail| mail["messageId"].as_str());
    let ids = ids.map(|id| id.trim_start_matches('<').split('@').next().unwrap_or_default().to_owned());
    assert_eq!(ids.collect::<std::collections::BTreeSet<_>>(), lines.letters().await);
    scene::say(&format!(
        "{} letters, {} arrivals, {again} jobs begun again",
        lines.letters().await.len(),
        mails.len()
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_held_is_taken_over_by_another() {
    let lines = Lines::set(&[("SHEAF__MAIL__URL", "smtp://127.0.0.1:1")]).await;
    lines.member().await;
    let first = Worker::start(&lines.server, "first", &[]).await;
    let begun = async {
        while !lines.jobs().await.iter().any(|job| job.kind == "send_mail" && job.attempts > 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), begun)
        .await
        .expect("the letter is tried");
    first.kill9();
    let _second = Worker::start(&lines.server, "second", &["--queues", "mail"]).await;
    let taken_over = async {
        while !lines.jobs().await.iter().any(|job| job.kind == "send_mail" && job.attempts > 1) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), taken_over)
        .await
        .expect("another worker tries it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_told_to_stop_ends_what_runs_and_leaves_the_rest_untouched() {
    let lines = Lines::set(&[]).await;
    lines.every_kind(400).await;
    let worker = Worker::start(&lines.server, "told", &[]).await;
    while lines.sent() < 20 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(worker.sigterm(Duration::from_secs(10)).await.code(), Some(0));
    let jobs = lines.jobs().await;
    assert!(jobs.iter().all(|job| job.state != State::Running), "{jobs:#?}");
    assert!(jobs.iter().all(|job| job.state != State::Ready || job.attempts == 0));
    assert!(jobs.iter().any(|job| job.state == State::Ready), "it was told before it was done");
    let _next = Worker::start(&lines.server, "next", &[]).await;
    lines.done(AT_THE_END).await;
    assert!(lines.jobs().await.iter().all(|job| job.attempts == 1), "nothing was begun twice");
    assert_eq!(lines.outbox(), lines.letters().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_enqueued_and_done_while_redis_is_gone() {
    let mut redis = Redis::start().await;
    let mut lines = Lines::of(Form::Full, &[("SHEAF__REDIS__URL", &redis.url())]).await;
    let worker = Worker::start(&lines.server, "worker", &[]).await;
    redis.kill9();
    let (started, mut slowest) = (Instant::now(), Duration::ZERO);
    for _ in 0..5 {
        let asked = Instant::now();
        lines.member().await;
        lines.report().await;
        slowest = slowest.max(asked.elapsed());
    }
    lines.done(Duration::from_secs(20)).await;
    assert_eq!(lines.check().await, 0, "nothing was begun twice");
    // Everybody gets one when they register; a member one more.
    assert_eq!(lines.letters().await.len(), 1 + 5 * 2);
    assert_eq!(lines.outbox(), lines.letters().await);
    scene::say(&format!(
        "without Redis: {:?} for 10 jobs, slowest answers {slowest:?}",
        started.elapsed()
    ));
    redis.restart().await;
    lines.member().await;
    lines.done(Duration::from_secs(20)).await;
    assert_eq!(lines.outbox().len(), 1 + 6 * 2);
    drop(worker);
}
