//! The log under many writers, and under somebody who changes what was written.

use super::*;
use crate::{
    chain::INSTANCE,
    checkpoint::{Seals, seal},
    relay::{Round, stamp},
    verify::FaultKind,
};
use backends::db;
use chrono::{Duration, Months};
use entity::{event_chain, event_checkpoint};
use kernel::clock::Time;
use sea_orm::{ColumnTrait, DatabaseConnection, DatabaseTransaction, DbBackend, QueryFilter, QueryOrder, sea_query::Expr};
use testing::{Form, TestDb};

fn seals() -> Seals {
    Seals::new(vec![("a".to_owned(), [7; 32])])
}

async fn database() -> (TestDb, DatabaseConnection) {
    let db = TestDb::new().await;
    let connection = db.db().clone();
    (db, connection)
}

fn by(workspace: WorkspaceId) -> By {
    By {
        workspace: Some(workspace),
        user: None,
    }
}

async fn add(db: &DatabaseConnection, workspace: WorkspaceId, count: usize) {
    db::write(db, async |tx: &DatabaseTransaction| {
        for _ in 0..count {
            append(
                tx,
                by(workspace),
                Change::DocumentCreated {
                    document: DocumentId::new(),
                },
            )
            .await?;
        }
        Ok::<_, DbErr>(())
    })
    .await
    .unwrap();
}

/// One round; gives what was stamped, none when somebody else was at it.
async fn round(db: &DatabaseConnection, limit: u64) -> Option<usize> {
    let round = db::write(db, async |tx: &DatabaseTransaction| stamp(tx, limit).await)
        .await
        .unwrap();
    match round {
        Round::Busy => None,
        Round::Stamped(events) => Some(events.len()),
    }
}

async fn settle(db: &DatabaseConnection) {
    while round(db, 300).await != Some(0) {}
}

async fn verdict(db: &DatabaseConnection, workspace: WorkspaceId) -> verify::Verdict {
    verify::chain(db, &seals(), workspace).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_facts_of_many_writers_get_dense_numbers_and_a_chain_that_verifies() {
    let (_keep, db) = database().await;
    let workspaces = [WorkspaceId::new(), WorkspaceId::new()];
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let db = db.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    add(&db, workspaces[writer % 2], 25).await;
                }
            })
        })
        .collect();
    let stampers: Vec<_> = (0..2)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut stamped = 0;
                while stamped < 10_000 {
                    match round(&db, 300).await {
                        Some(0) | None if all_stamped(&db).await => break,
                        Some(0) | None => tokio::task::yield_now().await,
                        Some(count) => stamped += count,
                    }
                }
            })
        })
        .collect();
    for task in writers.into_iter().chain(stampers) {
        task.await.unwrap();
    }
    for workspace in workspaces {
        let all = read::after(&db, workspace, &read::Wanted::default(), 0, 20_000).await.unwrap();
        assert_eq!(
            all.iter().filter_map(|event| event.seq).collect::<Vec<_>>(),
            (1..=5_000).collect::<Vec<_>>()
        );
        let found = verdict(&db, workspace).await;
        assert_eq!((found.fault, found.entries, found.seq), (None, 5_000, 5_000));
    }
}

async fn all_stamped(db: &DatabaseConnection) -> bool {
    let chains: Vec<event_chain::Model> = event_chain::Entity::find().all(db).await.unwrap();
    chains.iter().map(|chain| chain.seq).sum::<i64>() == 10_000
}

/// What somebody does to the database behind our back, and what is said of it.
async fn check(tamper: &str, wanted: (i64, FaultKind)) {
    let (_keep, db) = database().await;
    let workspace = WorkspaceId::new();
    add(&db, workspace, 10).await;
    settle(&db).await;
    db::write(&db, async |tx: &DatabaseTransaction| seal(tx, &seals(), None, 10).await)
        .await
        .unwrap();
    assert_eq!(verdict(&db, workspace).await.fault, None);
    db.execute_unprepared(tamper).await.unwrap();
    let fault = verdict(&db, workspace).await.fault.expect("it is found");
    assert_eq!((fault.seq, fault.kind), wanted, "{tamper}");
}

#[tokio::test]
async fn whatever_is_tampered_with_is_found() {
    use FaultKind::*;
    check("UPDATE events SET payload = '{}' WHERE seq = 4", (4, Altered)).await;
    check("UPDATE events SET kind = 'document.deleted' WHERE seq = 1", (1, Altered)).await;
    check(
        "UPDATE events SET user_id = (SELECT id FROM events WHERE seq = 1) WHERE seq = 10",
        (10, Altered),
    )
    .await;
    check("DELETE FROM events WHERE seq = 5", (5, Missing)).await;
    check("DELETE FROM events WHERE seq > 8", (9, Missing)).await;
    check("UPDATE event_chains SET seq = 9", (9, Head)).await;
    check("UPDATE event_chains SET floor_seq = 3", (3, CutWithoutCheckpoint)).await;
    check("UPDATE event_checkpoints SET key_id = 'b'", (10, CheckpointKeyUnknown)).await;
    let other = "UPDATE event_checkpoints SET seq = 9; UPDATE event_chains SET seq = seq";
    check(other, (9, CheckpointForged)).await;
}

/// Somebody who can compute hashes rewrites the end of the chain, but cannot sign it.
#[tokio::test]
async fn a_chain_that_was_computed_anew_does_not_fit_its_seal() {
    let (_keep, db) = database().await;
    let workspace = WorkspaceId::new();
    add(&db, workspace, 3).await;
    settle(&db).await;
    db::write(&db, async |tx: &DatabaseTransaction| seal(tx, &seals(), None, 10).await)
        .await
        .unwrap();
    let mut last = read::before(&db, workspace, &read::Wanted::default(), None, 2).await.unwrap();
    let before = chain::from_bytes(&last.pop().unwrap().hash.unwrap());
    let mut last = last.pop().unwrap();
    last.payload = "{\"document\":\"another\"}".to_owned();
    let hash = chain::hash(&before, 3, &last);
    let (payload, hash) = (last.payload.clone(), hash.to_vec());
    event::Entity::update_many()
        .col_expr(event::Column::Payload, Expr::value(payload))
        .col_expr(event::Column::Hash, Expr::value(hash.clone()))
        .filter(event::Column::Seq.eq(3))
        .exec(&db)
        .await
        .unwrap();
    event_chain::Entity::update_many()
        .col_expr(event_chain::Column::Hash, Expr::value(hash))
        .filter(event_chain::Column::WorkspaceId.eq(workspace))
        .exec(&db)
        .await
        .unwrap();
    let fault = verdict(&db, workspace).await.fault.expect("it is found");
    assert_eq!((fault.seq, fault.kind), (3, FaultKind::CheckpointDiffers));
}

/// Puts the first `count` entries back in time, before they are stamped.
async fn age(db: &DatabaseConnection, to: Time, count: usize) {
    let old = event::Entity::find()
        .filter(event::Column::Seq.is_null())
        .order_by_asc(event::Column::Id)
        .all(db)
        .await
        .unwrap();
    for row in old.into_iter().take(count) {
        event::Entity::update_many()
            .col_expr(event::Column::CreatedAt, Expr::value(to))
            .filter(event::Column::Id.eq(row.id))
            .exec(db)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn old_entries_go_and_a_signed_checkpoint_stands_where_they_were() {
    let (_keep, db) = database().await;
    let (workspace, now) = (WorkspaceId::new(), clock::now());
    let long_ago = now - Duration::days(500);
    db::write(&db, async |tx: &DatabaseTransaction| partition::ensure(tx, long_ago).await)
        .await
        .unwrap();
    db::write(&db, async |tx: &DatabaseTransaction| partition::ensure(tx, now).await)
        .await
        .unwrap();
    add(&db, workspace, 20).await;
    age(&db, long_ago, 12).await;
    settle(&db).await;
    assert_eq!(verdict(&db, workspace).await.fault, None);

    let before = now - Duration::days(400);
    let cut = db::write(&db, async |tx: &DatabaseTransaction| {
        retention::cut(tx, &seals(), workspace, before).await
    })
    .await;
    assert_eq!(cut.unwrap().map(|cut| (cut.floor_seq, cut.is_done)), Some((12, true)));
    let dropped = db::write(&db, async |tx: &DatabaseTransaction| retention::drop_months(tx, before).await)
        .await
        .unwrap();
    // The months between were made too: two ahead of the old one.
    let wanted = if db.get_database_backend() == DbBackend::Postgres { 3 } else { 0 };
    assert_eq!(dropped, wanted);
    settle(&db).await;
    let left = read::after(&db, workspace, &read::Wanted::default(), 0, 100).await.unwrap();
    assert_eq!(left.first().and_then(|event| event.seq), Some(13));
    assert_eq!(left.last().map(|event| event.kind.as_str()), Some("audit_log.cut"));
    let found = verdict(&db, workspace).await;
    assert_eq!((found.fault, found.floor_seq, found.entries, found.checkpoints), (None, 12, 9, 1));
    let again = db::write(&db, async |tx: &DatabaseTransaction| {
        retention::cut(tx, &seals(), workspace, before).await
    })
    .await;
    assert_eq!(again.unwrap(), None);

    event_checkpoint::Entity::update_many()
        .col_expr(event_checkpoint::Column::Hash, Expr::value(vec![0_u8; 32]))
        .filter(event_checkpoint::Column::Seq.eq(12))
        .exec(&db)
        .await
        .unwrap();
    let fault = verdict(&db, workspace).await.fault.expect("it is found");
    assert_eq!(fault.kind, FaultKind::CheckpointForged);
}

#[tokio::test]
async fn what_belongs_to_no_tenant_has_a_chain_too() {
    let (_keep, db) = database().await;
    let nobody = By {
        workspace: None,
        user: Some(UserId::new()),
    };
    db::write(&db, async |tx: &DatabaseTransaction| {
        append(tx, nobody, Change::UserSignedIn { session: SessionId::new() }).await
    })
    .await
    .unwrap();
    settle(&db).await;
    let found = verdict(&db, INSTANCE).await;
    assert_eq!((found.fault, found.entries), (None, 1));
}

#[tokio::test]
async fn the_months_to_come_have_a_partition_each_however_often_it_is_asked() {
    let db = TestDb::of(Form::from_env()).await;
    let (connection, now) = (db.db(), clock::now());
    for _ in 0..2 {
        db::write(connection, async |tx: &DatabaseTransaction| partition::ensure(tx, now).await)
            .await
            .unwrap();
    }
    if connection.get_database_backend() == DbBackend::Postgres {
        let month = partition::month_of(now);
        assert_eq!(
            partition::months(connection).await.unwrap(),
            [month, month + Months::new(1), month + Months::new(2)]
        );
    }
}

#[test]
fn every_kind_of_fact_is_named_once_and_described() {
    let all = catalogue();
    let names: std::collections::BTreeSet<&str> = all.iter().map(|one| one.name).collect();
    assert_eq!(names.len(), all.len());
    for one in &all {
        assert!(
            one.name.split_once('.').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty()),
            "{}",
            one.name
        );
        assert!(one.description.ends_with('.'), "{}", one.name);
        assert_eq!(audience(one.name), one.audience);
    }
    let change = Change::MemberRoleChanged {
        member: UserId::new(),
        from: kernel::role::Role::Guest,
        to: kernel::role::Role::Admin,
    };
    let payload: serde_json::Value = serde_json::from_str(&change.payload()).unwrap();
    let described = all.iter().find(|one| one.name == change.kind()).unwrap();
    let keys: Vec<&String> = payload.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        described.payload["properties"].as_object().unwrap().keys().collect::<Vec<_>>()
    );
}
