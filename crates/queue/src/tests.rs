//! The queue's promises, each tried on a real database.

use super::*;
use crate::{
    lease::{Held, give_back, held, progress, renew},
    list::{find, forget},
    manage::{cancel, retry},
};
use backends::db;
use entity::{
    event,
    job::{self, State},
};
use kernel::{clock, id::*};
use sea_orm::{ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use std::{collections::BTreeSet, time::Duration};
use testing::TestDb;

const LEASE: Duration = Duration::from_secs(60);
/// A lease that is over as soon as it begins.
const NONE: Duration = Duration::ZERO;

fn new() -> NewJob {
    NewJob::new("trials", "try", 1, &"payload").expect("it serialises")
}

async fn put(db: &DatabaseConnection, job: NewJob) -> Option<JobId> {
    db::write(db, async |tx: &DatabaseTransaction| add(tx, job).await)
        .await
        .expect("added")
}

async fn take(db: &DatabaseConnection, worker: &str, lease: Duration) -> Option<Claim> {
    claim(db, "trials", worker, lease).await.expect("claimed")
}

async fn end(db: &DatabaseConnection, claim: &Claim) -> bool {
    db::write(db, async |tx: &DatabaseTransaction| succeed(tx, claim, None).await)
        .await
        .expect("written")
}

async fn fails(db: &DatabaseConnection, claim: &Claim, failure: Failure) -> bool {
    db::write(db, async |tx: &DatabaseTransaction| fail(tx, claim, failure).await)
        .await
        .expect("written")
}

async fn state(db: &DatabaseConnection, id: JobId) -> State {
    find(db, id).await.expect("it is there").state
}

#[tokio::test]
async fn what_is_rolled_back_enqueues_nothing() {
    let keep = TestDb::new().await;
    let db = keep.db();
    let rolled: Result<(), Error> = db::write(db, async |tx: &DatabaseTransaction| {
        add(tx, new()).await?;
        Err(Error::Over)
    })
    .await;
    assert!(rolled.is_err());
    assert!(take(db, "a", LEASE).await.is_none());
}

#[tokio::test]
async fn a_key_is_taken_once_or_until_its_job_is_begun() {
    let keep = TestDb::new().await;
    let db = keep.db();
    let with = |unique| NewJob { unique, ..new() };
    let once = || with(Unique::Once("k".to_owned()));
    assert!(put(db, once()).await.is_some());
    assert!(put(db, once()).await.is_none());
    let done = take(db, "a", LEASE).await.expect("a job");
    assert!(end(db, &done).await);
    assert!(put(db, once()).await.is_none(), "also when it is done");

    let waiting = || with(Unique::WhileWaiting("w".to_owned()));
    assert!(put(db, waiting()).await.is_some());
    assert!(put(db, waiting()).await.is_none());
    assert!(take(db, "a", LEASE).await.is_some());
    assert!(put(db, waiting()).await.is_some(), "what runs may not have seen what came since");
}

#[tokio::test]
async fn a_key_that_is_taken_does_not_spoil_the_transaction() {
    let keep = TestDb::new().await;
    let db = keep.db();
    for unique in [Unique::Once("k".to_owned()), Unique::WhileWaiting("w".to_owned())] {
        let added = db::write(db, async |tx: &DatabaseTransaction| {
            let keyed = || NewJob {
                unique: unique.clone(),
                ..new()
            };
            let first = add(tx, keyed()).await?.is_some();
            let second = add(tx, keyed()).await?.is_some();
            let third = add(tx, new()).await?.is_some();
            Ok::<_, Error>([first, second, third])
        })
        .await
        .expect("added");
        assert_eq!(added, [true, false, true], "{unique:?}");
    }
    assert_eq!(job::Entity::find().all(db).await.expect("read").len(), 4);
}

#[tokio::test]
async fn who_asked_is_told_of_each_end_once() {
    let keep = TestDb::new().await;
    let db = keep.db();
    let (user, workspace) = (Some(UserId::new()), Some(WorkspaceId::new()));
    let asked = || NewJob { user, workspace, ..new() };
    put(db, new()).await.expect("a job that nobody asked for");
    let unasked = take(db, "a", LEASE).await.expect("a job");
    assert!(end(db, &unasked).await);
    for failure in [None, Some(Failure::Permanent("no".to_owned())), Some(Failure::Cancelled)] {
        put(db, asked()).await.expect("a job");
        let claim = take(db, "a", LEASE).await.expect("a job");
        for is_first in [true, false] {
            let counts = match &failure {
                None => end(db, &claim).await,
                Some(failure) => fails(db, &claim, failure.clone()).await,
            };
            assert_eq!(counts, is_first);
        }
    }
    let told = event::Entity::find().order_by_asc(event::Column::Id).all(db).await.expect("read");
    let kinds: Vec<_> = told.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["job.succeeded", "job.failed", "job.cancelled"]);
    assert!(told.iter().all(|one| (one.user_id, one.workspace_id) == (user, workspace)));
}

#[tokio::test]
async fn what_is_urgent_goes_first_and_what_is_not_due_not_at_all() {
    let keep = TestDb::new().await;
    let db = keep.db();
    let later = Some(clock::now() + Duration::from_secs(3600));
    let long_ago = Some(clock::now() - Duration::from_secs(3600));
    put(
        db,
        NewJob {
            run_at: later,
            priority: Priority::High,
            ..new()
        },
    )
    .await;
    let low = put(
        db,
        NewJob {
            priority: Priority::Low,
            run_at: long_ago,
            ..new()
        },
    )
    .await;
    let normal = put(db, new()).await;
    let older = put(db, NewJob { run_at: long_ago, ..new() }).await;
    let high = put(
        db,
        NewJob {
            priority: Priority::High,
            ..new()
        },
    )
    .await;
    let mut order = Vec::new();
    while let Some(claim) = take(db, "a", LEASE).await {
        order.push(Some(claim.id));
    }
    assert_eq!(order, [high, older, normal, low]);
    let wait = claim::next_due_ms(db, "trials").await.expect("asked").expect("something waits");
    // The leases end in a minute, the other job is due in an hour.
    assert!((30_000..=60_000).contains(&wait), "{wait}");
    assert_eq!(claim::next_due_ms(db, "others").await.expect("asked"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_job_is_taken_by_two() {
    let keep = TestDb::new().await;
    let db = keep.db();
    db::write(db, async |tx: &DatabaseTransaction| {
        for _ in 0..500 {
            add(tx, new()).await?;
        }
        Ok::<_, Error>(())
    })
    .await
    .expect("added");
    let takers = (0..8).map(|taker| {
        let db = db.clone();
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while let Some(claim) = take(&db, &format!("worker {taker}"), LEASE).await {
                taken.push(claim.id);
            }
            taken
        })
    });
    let mut all = Vec::new();
    for taker in takers.collect::<Vec<_>>() {
        all.extend(taker.await.expect("it ends"));
    }
    // On PostgreSQL a taker that finds every row locked goes home early; what is left is taken now.
    while let Some(claim) = take(db, "last", LEASE).await {
        all.push(claim.id);
    }
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (500, 500));
}

#[tokio::test]
async fn who_lost_the_lease_writes_nothing_any_more() {
    let keep = TestDb::new().await;
    let db = keep.db();
    let id = put(
        db,
        NewJob {
            user: Some(UserId::new()),
            ..new()
        },
    )
    .await
    .expect("a job");
    let lost = take(db, "a", NONE).await.expect("a job");
    assert_eq!(held(db, &lost).await.expect("asked"), Held::Yes, "nobody else has it yet");
    let taken = take(db, "b", LEASE).await.expect("its lease was over");
    assert_eq!((taken.id, taken.attempts), (id, 2));
    assert_eq!(renew(db, &lost, LEASE).await.expect("asked"), Held::Lost);
    assert_eq!(progress(db, &lost, 50, "half").await.expect("asked"), Held::Lost);
    assert!(!end(db, &lost).await);
    assert!(!fails(db, &lost, Failure::Permanent("no".to_owned())).await);
    give_back(db, &lost).await.expect("asked");
    assert_eq!(state(db, id).await, State::Running);
    assert_eq!(progress(db, &taken, 50, "half").await.expect("asked"), Held::Yes);
    assert!(end(db, &taken).await);
    assert!(!end(db, &taken).await, "done is done");
    let told = event::Entity::find()
        .filter(event::Column::Kind.eq("job.succeeded"))
        .all(db)
        .await
        .expect("read");
    assert_eq!(told.len(), 1);
}

#[tokio::test]
async fn what_is_given_back_was_never_taken() {
    let keep = TestDb::new().await;
    let db = keep.db();
    let id = put(db, new()).await.expect("a job");
    let claim = take(db, "a", LEASE).await.expect("a job");
    give_back(db, &claim).await.expect("given back");
    let row = find(db, id).await.expect("it is there");
    assert_eq!((row.state, row.attempts), (State::Ready, 0));
    assert_eq!(take(db, "b", LEASE).await.map(|claim| claim.attempts), Some(1));
}

#[tokio::test]
async fn what_fails_waits_longer_each_time_and_is_dead_in_the_end() {
    let keep = TestDb::new().await;
    let db = keep.db();
    let job = NewJob {
        max_attempts: 3,
        user: Some(UserId::new()),
        ..new()
    };
    let id = put(db, job).await.expect("a job");
    for attempt in 1..=3 {
        let claim = take(db, "a", LEASE).await.expect("it is due");
        assert_eq!(claim.attempts, attempt);
        assert!(fails(db, &claim, Failure::Retry(format!("failed {attempt}"))).await);
        assert!(take(db, "a", LEASE).await.is_none(), "not at once");
        due_now(db, id).await;
    }
    let row = find(db, id).await.expect("it is there");
    assert_eq!((row.state, row.error.as_deref()), (State::Dead, Some("failed 3")));
    assert!(take(db, "a", LEASE).await.is_none());
    let told = event::Entity::find().all(db).await.expect("read");
    let kinds: Vec<_> = told.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["job.failed"], "of its death, not of every attempt");
    let again = db::write(db, async |tx: &DatabaseTransaction| retry(tx, &row).await)
        .await
        .expect("retried");
    assert_eq!(again.state, State::Ready);
    let claim = take(db, "a", LEASE).await.expect("it is due");
    assert_eq!((claim.attempts, claim.max_attempts), (4, 13));
    assert!(end(db, &claim).await);
    let over = find(db, id).await.expect("it is there");
    let refused = db::write(db, async |tx: &DatabaseTransaction| retry(tx, &over).await).await;
    assert!(matches!(refused, Err(Error::NotOver)), "what is done is not repeated");
}

async fn due_now(db: &DatabaseConnection, id: JobId) {
    job::Entity::update_many()
        .col_expr(job::Column::DueAt, Expr::value(clock::now_ms()))
        .filter(job::Column::Id.eq(id))
        .filter(job::Column::State.eq(State::Ready))
        .exec(db)
        .await
        .expect("moved");
}

#[test]
fn pauses_grow_with_jitter_and_end_at_an_hour_and_a_half() {
    for (attempts, secs) in [(1, 1.0), (2, 2.0), (5, 16.0), (13, 3600.0), (i32::MAX, 3600.0)] {
        for _ in 0..100 {
            let pause = finish::pause(attempts).as_secs_f64();
            assert!((secs * 0.5..secs * 1.5).contains(&pause), "{attempts}: {pause}");
        }
    }
    assert_ne!(finish::pause(5), finish::pause(5));
}

#[tokio::test]
async fn a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked() {
    let keep = TestDb::new().await;
    let db = keep.db();
    let user = Some(UserId::new());
    let waiting = put(db, NewJob { user, ..new() }).await.expect("a job");
    let row = find(db, waiting).await.expect("it is there");
    let now = db::write(db, async |tx: &DatabaseTransaction| cancel(tx, &row).await)
        .await
        .expect("cancelled");
    assert_eq!(now.state, State::Cancelled);
    assert!(take(db, "a", LEASE).await.is_none());

    let running = put(db, NewJob { user, ..new() }).await.expect("a job");
    let claim = take(db, "a", LEASE).await.expect("a job");
    let row = find(db, running).await.expect("it is there");
    let now = db::write(db, async |tx: &DatabaseTransaction| cancel(tx, &row).await)
        .await
        .expect("asked");
    assert_eq!(now.state, State::Running);
    assert_eq!(renew(db, &claim, LEASE).await.expect("asked"), Held::CancelRequested);
    assert!(fails(db, &claim, Failure::Cancelled).await);
    let over = find(db, running).await.expect("it is there");
    assert_eq!(over.state, State::Cancelled);
    let refused = db::write(db, async |tx: &DatabaseTransaction| cancel(tx, &over).await).await;
    assert!(matches!(refused, Err(Error::Over)));
    let told = event::Entity::find().order_by_asc(event::Column::Id).all(db).await.expect("read");
    assert_eq!(told.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["job.cancelled"; 2]);
}

#[tokio::test]
async fn old_jobs_are_forgotten_and_dead_ones_later() {
    let keep = TestDb::new().await;
    let db = keep.db();
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    for (days, is_dead) in [(1, false), (8, false), (8, true), (29, true)] {
        let id = put(db, new()).await.expect("a job");
        let claim = take(db, "a", LEASE).await.expect("a job");
        if is_dead {
            fails(db, &claim, Failure::Permanent("no".to_owned())).await;
        } else {
            end(db, &claim).await;
        }
        job::Entity::update_many()
            .col_expr(
                job::Column::FinishedAt,
                Expr::value(clock::now() - Duration::from_secs(days * 24 * 60 * 60)),
            )
            .filter(job::Column::Id.eq(id))
            .exec(db)
            .await
            .expect("aged");
    }
    put(db, new()).await.expect("a job that waits");
    let gone = db::write(db, async |tx: &DatabaseTransaction| forget(tx, week, 100).await)
        .await
        .expect("forgotten");
    assert_eq!(gone, 2, "the done one of 8 days and the dead one of 29");
    assert_eq!(job::Entity::find().all(db).await.expect("read").len(), 3);
}
