//! Loading a page from its newest verified save and the log behind it, and writing such saves.

use crate::{
    error::Error,
    heads,
    log::{self, Head},
    page::Page,
};
use entity::{document_change, document_head, document_snapshot};
use kernel::{clock, id::*};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict},
};

/// Everything a page is loaded from.
pub struct Stored {
    /// Where the log stood when it was read.
    pub head: Head,
    /// Number and bytes of the newest verified save.
    pub snapshot: Option<(i64, Vec<u8>)>,
    /// The rows behind the save.
    pub rows: Vec<document_change::Model>,
}

/// Reads what a page is loaded from.
///
/// # Errors
/// [`Error::NotFound`] when there is no such page.
pub async fn read(db: &impl ConnectionTrait, document: DocumentId) -> Result<Stored, Error> {
    let head = log::head(db, document).await?;
    let snapshot = newest(db, document, head.epoch).await?;
    stored(db, document, head, snapshot).await
}

/// The same without any save: the whole log.
///
/// # Errors
/// [`Error::NotFound`] when there is no such page.
pub async fn read_log(db: &impl ConnectionTrait, document: DocumentId) -> Result<Stored, Error> {
    let head = log::head(db, document).await?;
    stored(db, document, head, None).await
}

async fn stored(db: &impl ConnectionTrait, document: DocumentId, head: Head, snapshot: Option<(i64, Vec<u8>)>) -> Result<Stored, Error> {
    let from = snapshot.as_ref().map_or(0, |(seq, _)| *seq);
    let rows = log::after(db, document, head.epoch, from).await?;
    // Rows may have come behind the head since it was read; they are part of the page like the others.
    let head = match rows.last() {
        Some(last) => Head {
            epoch: head.epoch,
            seq: last.server_seq,
            heads: heads::from_bytes(&last.heads_after),
        },
        None => head,
    };
    Ok(Stored { head, snapshot, rows })
}

async fn newest(db: &impl ConnectionTrait, document: DocumentId, epoch: EpochId) -> Result<Option<(i64, Vec<u8>)>, DbErr> {
    document_snapshot::Entity::find()
        .select_only()
        .columns([document_snapshot::Column::ServerSeq, document_snapshot::Column::Bytes])
        .filter(document_snapshot::Column::DocumentId.eq(document))
        .filter(document_snapshot::Column::Epoch.eq(epoch))
        .order_by_desc(document_snapshot::Column::ServerSeq)
        .into_tuple()
        .one(db)
        .await
}

/// Builds the page. Takes milliseconds to seconds of CPU: never on an async thread.
///
/// # Errors
/// [`Error::Corrupt`] when save and log do not give the heads that the log promises.
pub fn build(stored: &Stored) -> Result<Page, Error> {
    let changes = stored.rows.iter().map(log::change_of).collect::<Result<Vec<_>, _>>()?;
    let page = Page::load(stored.snapshot.as_ref().map(|(_, bytes)| bytes.as_slice()), changes)?;
    let mut promised = stored.head.heads.clone();
    promised.sort();
    if page.heads() == promised {
        Ok(page)
    } else {
        Err(Error::Corrupt("the heads are not what the log says".to_owned()))
    }
}

/// Loads a page: from the newest save, or from the whole log when the save does not serve.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Corrupt`] when not even the log gives the page.
pub async fn load(db: &(impl ConnectionTrait + Send), document: DocumentId) -> Result<(Page, Stored), Error> {
    let stored = read(db, document).await?;
    let had_snapshot = stored.snapshot.is_some();
    match build_off_thread(stored).await {
        Err(Error::Corrupt(why)) if had_snapshot => {
            tracing::error!(%document, why, "a snapshot does not serve; loading the whole log");
            build_off_thread(read_log(db, document).await?).await
        }
        other => other,
    }
}

async fn build_off_thread(stored: Stored) -> Result<(Page, Stored), Error> {
    let built = tokio::task::spawn_blocking(move || build(&stored).map(|page| (page, stored)));
    built.await.map_err(|e| Error::Corrupt(e.to_string()))?
}

/// Keeps a verified save. Older ones but the last are removed: it never overwrites the last good one.
///
/// # Errors
/// Only the database's.
pub async fn keep(tx: &impl ConnectionTrait, document: DocumentId, head: &Head, bytes: Vec<u8>) -> Result<(), DbErr> {
    let row = document_snapshot::ActiveModel {
        document_id: Set(document),
        epoch: Set(head.epoch),
        server_seq: Set(head.seq),
        heads: Set(heads::to_bytes(&head.heads)),
        bytes: Set(bytes),
        created_at: Set(clock::now()),
    };
    let same = OnConflict::columns([
        document_snapshot::Column::DocumentId,
        document_snapshot::Column::Epoch,
        document_snapshot::Column::ServerSeq,
    ])
    .do_nothing()
    .to_owned();
    document_snapshot::Entity::insert(row)
        .on_conflict(same)
        .exec_without_returning(tx)
        .await?;
    let before: Option<i64> = document_head::Entity::find_by_id(document)
        .one(tx)
        .await?
        .map(|row| row.snapshot_seq);
    document_head::Entity::update_many()
        .col_expr(document_head::Column::SnapshotSeq, Expr::value(head.seq))
        .filter(document_head::Column::DocumentId.eq(document))
        .filter(document_head::Column::Epoch.eq(head.epoch))
        .filter(document_head::Column::SnapshotSeq.lt(head.seq))
        .exec(tx)
        .await?;
    document_snapshot::Entity::delete_many()
        .filter(document_snapshot::Column::DocumentId.eq(document))
        .filter(document_snapshot::Column::ServerSeq.lt(before.unwrap_or(0)))
        .exec(tx)
        .await
        .map(drop)
}

/// Pages whose log has grown by at least `rows` since their last save, the most grown first.
///
/// # Errors
/// Only the database's.
pub async fn due(db: &impl ConnectionTrait, rows: i64, limit: u64) -> Result<Vec<DocumentId>, DbErr> {
    let grown = || Expr::col(document_head::Column::ServerSeq).sub(Expr::col(document_head::Column::SnapshotSeq));
    document_head::Entity::find()
        .select_only()
        .column(document_head::Column::DocumentId)
        .filter(grown().gte(rows))
        .order_by_desc(grown())
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}
