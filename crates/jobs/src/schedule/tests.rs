//! Schedules on a real database.

use super::*;
use crate::{kinds::KINDS, tests::Stage};
use cron::Schedule as Plan;
use std::collections::BTreeSet;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const EVERY_FIVE: [Schedule; 1] = [Schedule {
    name: "every_five",
    plan: "0 */5 * * * *",
    job: |_| PurgeSessions {}.job(),
}];

fn at(time: &str) -> Time {
    time.parse().expect("a time")
}

async fn fires(stage: &Stage, now: Time) -> usize {
    fire(&stage.parts, &EVERY_FIVE, now).await.expect("looked").len()
}

async fn enqueued(stage: &Stage) -> usize {
    stage.jobs(PurgeSessions::KIND).await.len()
}

#[tokio::test]
async fn a_new_schedule_counts_from_now_on() {
    let stage = Stage::new().await;
    let now = at("2026-03-04T10:05:00Z");
    assert_eq!(fires(&stage, now).await, 0);
    assert_eq!(fires(&stage, now + MINUTE * 4).await, 0);
    assert_eq!(enqueued(&stage).await, 0);
    assert_eq!(fires(&stage, now + MINUTE * 5).await, 1, "at the very second");
    assert_eq!(enqueued(&stage).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_fires_once_however_many_look() {
    let stage = std::sync::Arc::new(Stage::new().await);
    let now = at("2026-03-04T10:01:00Z");
    fires(&stage, now).await;
    let mut heard = stage.parts.signals.subscribe();
    for round in 1..=5 {
        let looks: Vec<_> = (0..8)
            .map(|_| {
                let stage = stage.clone();
                tokio::spawn(async move { fires(&stage, now + MINUTE * 5 * round).await })
            })
            .collect();
        let mut fired = 0;
        for look in looks {
            fired += look.await.expect("it ends");
        }
        assert_eq!(fired, 1);
    }
    assert_eq!(enqueued(&stage).await, 5);
    let mut told = 0;
    while heard.try_recv().is_ok() {
        told += 1;
    }
    assert_eq!(told, 5, "each time the workers are told");
}

#[tokio::test]
async fn it_fires_again_with_the_next_tick_and_not_before() {
    let stage = Stage::new().await;
    fires(&stage, at("2026-03-04T10:01:00Z")).await;
    assert_eq!(fires(&stage, at("2026-03-04T10:05:02Z")).await, 1);
    assert_eq!(fires(&stage, at("2026-03-04T10:05:02Z")).await, 0);
    assert_eq!(fires(&stage, at("2026-03-04T10:09:59.999Z")).await, 0);
    assert_eq!(fires(&stage, at("2026-03-04T10:10:00Z")).await, 1);
    let row = schedule::Entity::find().one(stage.db()).await.expect("read").expect("a row");
    assert_eq!(
        row.last_tick_at,
        at("2026-03-04T10:10:00Z"),
        "what stands there is all that a restart needs"
    );
}

#[tokio::test]
async fn after_an_outage_it_catches_up_once() {
    let stage = Stage::new().await;
    let now = at("2026-03-04T10:01:00Z");
    fires(&stage, now).await;
    assert_eq!(fires(&stage, now + DAY).await, 1);
    assert_eq!(fires(&stage, now + DAY).await, 0);
    assert_eq!(enqueued(&stage).await, 1);
    let row = schedule::Entity::find().one(stage.db()).await.expect("read").expect("a row");
    assert_eq!(row.last_tick_at, at("2026-03-05T10:00:00Z"), "the last of those that were missed");
    assert_eq!(fires(&stage, now + DAY + MINUTE * 4).await, 1, "the next comes in its time");
}

#[tokio::test]
async fn a_clock_that_goes_back_repeats_nothing() {
    let stage = Stage::new().await;
    let now = at("2026-03-04T10:01:00Z");
    fires(&stage, now).await;
    assert_eq!(fires(&stage, now + MINUTE * 10).await, 1);
    assert_eq!(fires(&stage, now + MINUTE * 5).await, 0);
    assert_eq!(fires(&stage, now + MINUTE * 10).await, 0);
}

#[test]
fn every_schedule_has_a_plan_a_name_of_its_own_and_a_job_that_exists() {
    let names: BTreeSet<_> = SCHEDULES.iter().map(|one| one.name).collect();
    assert_eq!(names.len(), SCHEDULES.len());
    for one in SCHEDULES {
        let plan = Plan::from_str(one.plan).unwrap_or_else(|error| panic!("{}: {error}", one.name));
        assert!(plan.upcoming(chrono::Utc).next().is_some(), "{} has a time", one.name);
        let job = (one.job)(at("2026-03-02T06:00:00Z")).expect("a job");
        assert!(KINDS.contains(&job.kind), "{}: {}", one.name, job.kind);
        assert!(
            Queue::ALL.iter().any(|queue| queue.name() == job.queue),
            "{}: {}",
            one.name,
            job.queue
        );
    }
}

#[test]
fn reports_are_made_on_monday_at_six() {
    let plan = SCHEDULES.iter().find(|one| one.name == "make_reports").expect("there is one").plan;
    let (sunday, monday) = (at("2026-03-01T00:00:00Z"), at("2026-03-02T06:00:00Z"));
    assert_eq!(latest(plan, sunday, monday - Duration::from_millis(1)), None);
    assert_eq!(latest(plan, sunday, monday), Some(monday));
    assert_eq!(latest(plan, monday, monday + DAY * 6), None);
    assert_eq!(latest(plan, monday, monday + DAY * 7), Some(monday + DAY * 7));
    assert_eq!(latest(plan, monday, monday + DAY * 30), Some(monday + DAY * 28), "only the last");
}
