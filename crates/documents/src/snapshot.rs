//! Loading a page from a verified save and the log behind it, and writing such saves.

use crate::{
    error::Error,
    gate::chunk,
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
use sha2::{Digest, Sha256};

/// Everything a page is loaded from.
pub struct Stored {
    /// Where the log stood when it was read.
    pub head: Head,
    /// Number and bytes of the verified save, if there is one.
    pub snapshot: Option<(i64, Vec<u8>)>,
    /// The rows behind the save.
    pub rows: Vec<document_change::Model>,
}

/// Snapshots that are kept of a page.
const KEPT: u64 = 2;
/// How often a page is read anew when its snapshots and rows are exchanged while it is read.
const TRIES: usize = 4;

/// Where a page can be loaded from, best first: its snapshots, and the start of the log while that is there.
#[derive(PartialEq, Eq)]
struct Starts {
    epoch: EpochId,
    at: Vec<i64>,
}

async fn starts(db: &impl ConnectionTrait, document: DocumentId) -> Result<Starts, Error> {
    let head = document_head::Entity::find_by_id(document).one(db).await?.ok_or(Error::NotFound)?;
    let mut at = kept(db, document, head.epoch).await?;
    if head.floor_seq == 0 {
        at.push(0);
    }
    Ok(Starts { epoch: head.epoch, at })
}

/// The numbers of a page's snapshots, the newest first.
pub(crate) async fn kept(db: &impl ConnectionTrait, document: DocumentId, epoch: EpochId) -> Result<Vec<i64>, DbErr> {
    document_snapshot::Entity::find()
        .select_only()
        .column(document_snapshot::Column::ServerSeq)
        .filter(document_snapshot::Column::DocumentId.eq(document))
        .filter(document_snapshot::Column::Epoch.eq(epoch))
        .order_by_desc(document_snapshot::Column::ServerSeq)
        .limit(KEPT)
        .into_tuple()
        .all(db)
        .await
}

/// Reads the snapshot at a number (0: none) and the rows behind it; `None` when they do not follow one another, because
/// they were exchanged meanwhile or something is missing.
async fn stored(db: &impl ConnectionTrait, document: DocumentId, epoch: EpochId, from: i64) -> Result<Option<Stored>, Error> {
    let save = match from {
        0 => None,
        _ => document_snapshot::Entity::find_by_id((document, epoch, from)).one(db).await?,
    };
    if save.is_none() && from > 0 {
        return Ok(None);
    }
    let before = log::head(db, document).await?;
    let rows = log::after(db, document, epoch, from).await?;
    // Where the log stands is told by what was read; it may have grown since anything else was looked at.
    let (seq, bytes) = match (rows.last(), &save) {
        (Some(last), _) => (last.server_seq, last.heads_after.clone()),
        (None, Some(save)) => (save.server_seq, save.heads.clone()),
        (None, None) => (0, Vec::new()),
    };
    let are_dense = rows.iter().zip(from + 1..).all(|(row, seq)| row.server_seq == seq);
    let is_whole = are_dense && before.epoch == epoch && before.seq <= seq;
    let head = Head {
        epoch,
        seq,
        heads: heads::from_bytes(&bytes),
    };
    let snapshot = save.map(|save| (save.server_seq, save.bytes));
    Ok(is_whole.then_some(Stored { head, snapshot, rows }))
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

/// Loads a page: from the newest save, from the one before it when that does not serve, or from the whole log when
/// nothing of it was folded yet.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Corrupt`] when none of them gives the page.
pub async fn load(db: &(impl ConnectionTrait + Send), document: DocumentId) -> Result<(Page, Stored), Error> {
    let mut starts_now = starts(db, document).await?;
    for _ in 0..TRIES {
        if let Some(loaded) = load_from(db, document, &starts_now).await? {
            return Ok(loaded);
        }
        let before = std::mem::replace(&mut starts_now, starts(db, document).await?);
        if before == starts_now {
            break;
        }
    }
    Err(Error::Corrupt("neither its snapshots nor its log give the page".to_owned()))
}

async fn load_from(db: &(impl ConnectionTrait + Send), document: DocumentId, starts: &Starts) -> Result<Option<(Page, Stored)>, Error> {
    for from in &starts.at {
        let Some(stored) = stored(db, document, starts.epoch, *from).await? else {
            continue;
        };
        match build_off_thread(stored).await {
            Err(Error::Corrupt(why)) => tracing::error!(%document, from, why, "a page does not load from here; trying what lies before"),
            other => return other.map(Some),
        }
    }
    Ok(None)
}

async fn build_off_thread(stored: Stored) -> Result<(Page, Stored), Error> {
    let built = tokio::task::spawn_blocking(move || build(&stored).map(|page| (page, stored)));
    built.await.map_err(|e| Error::Corrupt(e.to_string()))?
}

/// The head of a page, locked until the transaction ends: against edits, snapshots and folding.
pub(crate) async fn lock_head(tx: &impl ConnectionTrait, document: DocumentId) -> Result<Option<document_head::Model>, DbErr> {
    // SQLite locks nothing here: a transaction that writes has the whole database from its start.
    document_head::Entity::find_by_id(document).lock_exclusive().one(tx).await
}

/// Whether a save is byte by byte what was written: Automerge puts a checksum over it.
pub(crate) fn is_undamaged(bytes: &[u8]) -> bool {
    let checked = || {
        let (head, rest) = chunk::take(bytes, 9).ok()?;
        let (length, body) = chunk::leb128(rest, u64::MAX).ok()?;
        let digest = Sha256::digest(&bytes[8..]);
        (head[..4] == chunk::MAGIC && length == body.len() as u64).then(|| digest[..4] == head[4..8])
    };
    checked().unwrap_or(false)
}

/// Keeps a verified save, and of the older ones the newest: it never overwrites the last good one. A save that comes late,
/// behind two newer ones, is not kept.
///
/// # Errors
/// Only the database's.
pub async fn keep(tx: &impl ConnectionTrait, document: DocumentId, head: &Head, bytes: Vec<u8>) -> Result<(), DbErr> {
    let stands = lock_head(tx, document).await?.filter(|stands| stands.epoch == head.epoch);
    let Some(stands) = stands else { return Ok(()) };
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
    if stands.snapshot_seq < head.seq {
        document_head::Entity::update_many()
            .col_expr(document_head::Column::SnapshotSeq, Expr::value(head.seq))
            .filter(document_head::Column::DocumentId.eq(document))
            .exec(tx)
            .await?;
    }
    let oldest = kept(tx, document, head.epoch).await?.pop().unwrap_or(0);
    document_snapshot::Entity::delete_many()
        .filter(document_snapshot::Column::DocumentId.eq(document))
        .filter(document_snapshot::Column::Epoch.eq(head.epoch))
        .filter(document_snapshot::Column::ServerSeq.lt(oldest))
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
