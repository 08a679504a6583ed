//! What is kept of versions as they grow old.

use super::*;
use crate::{compaction::tests::Typing, heads};
use backends::db::write;
use sea_orm::IntoActiveModel;

fn at(time: &str) -> Time {
    time.parse().expect("a time")
}

async fn version(typing: &Typing, seq: i64, time: &str, name: Option<&str>) {
    let row = document_version::Model {
        id: VersionId::new(),
        document_id: typing.document,
        epoch: typing.head.epoch,
        server_seq: seq,
        heads: heads::to_bytes(&typing.head.heads),
        kind: "auto".to_owned(),
        name: name.map(str::to_owned),
        note: None,
        authors: "[]".to_owned(),
        created_by: None,
        edited_at: at(time),
        created_at: at(time),
        updated_at: at(time),
        thinned: 0,
    };
    document_version::Entity::insert(row.into_active_model())
        .exec_without_returning(typing.db())
        .await
        .unwrap();
}

/// What is left after the night before this day.
async fn left(typing: &Typing, day: &str) -> Vec<i64> {
    let (retention, now) = (Retention::default(), at(&format!("{day}T03:00:00Z")));
    while let Some(document) = thinnable(typing.db(), &retention, now).await.unwrap().pop() {
        write(typing.db(), async |tx: &DatabaseTransaction| {
            thin(tx, document, &retention, now).await
        })
        .await
        .unwrap();
    }
    let rows = document_version::Entity::find().order_by_asc(document_version::Column::EditedAt);
    rows.all(typing.db()).await.unwrap().into_iter().map(|row| row.server_seq).collect()
}

#[tokio::test]
async fn first_all_then_one_a_day_a_week_a_month() {
    let typing = Typing::new().await;
    version(&typing, 1, "2026-01-05T08:00:00Z", None).await;
    version(&typing, 2, "2026-01-05T09:00:00Z", Some("Kept for ever")).await;
    version(&typing, 3, "2026-01-05T23:00:00Z", None).await;
    version(&typing, 4, "2026-01-06T10:00:00Z", None).await;
    version(&typing, 5, "2026-01-11T10:00:00Z", None).await;
    version(&typing, 6, "2026-01-20T10:00:00Z", None).await;
    assert_eq!(left(&typing, "2026-01-12").await, [1, 2, 3, 4, 5, 6], "a week is not over yet");
    assert_eq!(left(&typing, "2026-01-13").await, [2, 3, 4, 5, 6], "the last of the day");
    assert_eq!(left(&typing, "2026-04-01").await, [2, 3, 4, 5, 6], "ninety days are not over yet");
    assert_eq!(left(&typing, "2026-04-14").await, [2, 5, 6], "the last of the week");
    assert_eq!(left(&typing, "2026-12-31").await, [2, 5, 6], "a year is not over yet");
    assert_eq!(left(&typing, "2027-02-02").await, [2, 6], "the last of the month");
    assert_eq!(left(&typing, "2040-01-01").await, [2, 6]);
}

#[tokio::test]
async fn a_long_outage_thins_at_once_what_it_would_have() {
    let typing = Typing::new().await;
    for (seq, time) in [
        (1, "2026-01-05T08:00:00Z"),
        (2, "2026-01-05T09:00:00Z"),
        (3, "2026-01-07T09:00:00Z"),
        (4, "2026-02-07T09:00:00Z"),
    ] {
        version(&typing, seq, time, None).await;
    }
    assert_eq!(left(&typing, "2030-01-01").await, [3, 4]);
}
