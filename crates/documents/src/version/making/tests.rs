//! Versions that are made by themselves, on a real database.

use super::*;
use crate::compaction::tests::Typing;
use backends::db::write;
use entity::document_version;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, sea_query::Expr};

const MINUTE: Duration = Duration::from_secs(60);

async fn makes(typing: &Typing, pace: &Pace) -> bool {
    let is_found = due(typing.db(), pace, 10).await.unwrap().contains(&typing.document);
    let made = write(typing.db(), async |tx: &DatabaseTransaction| {
        make_due(tx, typing.document, pace).await
    });
    let made = made.await.unwrap();
    assert!(is_found || !made, "what is due is found");
    made
}

async fn edited(typing: &Typing, ago: Duration, began: Duration) {
    document_head::Entity::update_many()
        .col_expr(document_head::Column::UpdatedAt, Expr::value(before(clock::now(), ago)))
        .filter(document_head::Column::DocumentId.eq(typing.document))
        .exec(typing.db())
        .await
        .unwrap();
    note_editing(typing.db(), typing.document).await.unwrap();
    document_editing::Entity::update_many()
        .col_expr(document_editing::Column::BeganAt, Expr::value(before(clock::now(), began)))
        .filter(document_editing::Column::DocumentId.eq(typing.document))
        .exec(typing.db())
        .await
        .unwrap();
}

async fn versions(typing: &Typing) -> Vec<(i64, String)> {
    let rows = document_version::Entity::find().filter(document_version::Column::DocumentId.eq(typing.document));
    let rows = rows
        .order_by_asc(document_version::Column::ServerSeq)
        .all(typing.db())
        .await
        .unwrap();
    rows.into_iter().map(|row| (row.server_seq, row.kind)).collect()
}

fn autos(seqs: &[i64]) -> Vec<(i64, String)> {
    seqs.iter().map(|seq| (*seq, "auto".to_owned())).collect()
}

#[tokio::test]
async fn a_session_becomes_a_version_once_it_is_quiet() {
    let (mut typing, pace) = (Typing::new().await, Pace::default());
    typing.types(5).await;
    assert!(!makes(&typing, &pace).await, "nobody noted that it is edited");
    edited(&typing, 9 * MINUTE, 9 * MINUTE).await;
    assert!(!makes(&typing, &pace).await, "not quiet for long enough");
    edited(&typing, 11 * MINUTE, 11 * MINUTE).await;
    assert!(makes(&typing, &pace).await);
    assert_eq!(versions(&typing).await, autos(&[1, 6]), "how it began too, the first time");
    assert!(!makes(&typing, &pace).await, "once");
    assert!(
        due(typing.db(), &pace, 10).await.unwrap().is_empty(),
        "it is not looked at any more"
    );
    typing.types(1).await;
    edited(&typing, 11 * MINUTE, 11 * MINUTE).await;
    assert!(makes(&typing, &pace).await);
    assert_eq!(versions(&typing).await, autos(&[1, 6, 7]));
    let row = document_version::Entity::find()
        .order_by_desc(document_version::Column::ServerSeq)
        .one(typing.db())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.authors, format!("[\"{}\"]", typing.user));
    assert_eq!(heads::from_bytes(&row.heads), typing.head.heads);
}

#[tokio::test]
async fn a_session_that_goes_on_becomes_versions_too() {
    let (mut typing, pace) = (Typing::new().await, Pace::default());
    typing.types(5).await;
    edited(&typing, MINUTE, 59 * MINUTE).await;
    assert!(!makes(&typing, &pace).await);
    edited(&typing, MINUTE, 61 * MINUTE).await;
    assert!(makes(&typing, &pace).await);
    assert!(!makes(&typing, &pace).await, "the next one counts from now");
    // What is typed after that is noted already.
    typing.types(2).await;
    document_head::Entity::update_many()
        .col_expr(document_head::Column::UpdatedAt, Expr::value(before(clock::now(), 20 * MINUTE)))
        .exec(typing.db())
        .await
        .unwrap();
    assert!(makes(&typing, &pace).await);
    assert_eq!(versions(&typing).await, autos(&[1, 6, 8]));
}

#[tokio::test]
async fn two_workers_make_one_version() {
    let mut typing = Typing::new().await;
    let pace = Pace {
        quiet: Duration::ZERO,
        ..Pace::default()
    };
    typing.types(5).await;
    edited(&typing, MINUTE, MINUTE).await;
    let one = || {
        write(typing.db(), async |tx: &DatabaseTransaction| {
            make_due(tx, typing.document, &pace).await
        })
    };
    let (a, b) = tokio::join!(one(), one());
    assert!(a.unwrap() != b.unwrap(), "one of them made it");
    assert_eq!(versions(&typing).await, autos(&[1, 6]));
}
