//! Folding the old part of a page's log away. What the changes did lies in the snapshots; who made each of them, and when,
//! goes into archives of a few bytes a change.
//!
//! A row is folded when it is old by age and by count ([`Retention`]) and stands at or below the older one of two sound
//! snapshots: should the newest ever prove bad, the other one and the rows behind it still give the page. Everything
//! happens under the lock of the page's head, the same one under which edits are committed and snapshots kept.

pub mod archive;
mod authors;
mod measure;

pub(crate) use authors::archived;
pub use authors::authors;
pub use measure::{Sizes, measure};

use crate::{error::Error, heads, log, snapshot};
use entity::{document_archive, document_change, document_head, document_snapshot};
use kernel::{
    clock::{self, Time},
    id::*,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Statement, sea_query::Expr,
};
use std::time::Duration;

/// Foldable rows from which a page is due. The index `document_heads_foldable` holds such pages alone.
const WORTHWHILE: i64 = 500;
/// Rows that are read at once: their contents are in memory together.
const AT_ONCE: u64 = 500;

/// What of a log is kept row by row, whichever is more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The changes of so long.
    pub age: Duration,
    /// So many newest ones.
    pub rows: i64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            age: Duration::from_secs(7 * 24 * 60 * 60),
            rows: 5_000,
        }
    }
}

impl Retention {
    /// Rows from before this are old.
    fn cutoff(&self) -> Time {
        let age = i64::try_from(self.age.as_millis()).unwrap_or(i64::MAX);
        let at = clock::now_ms().saturating_sub(age).max(0);
        Time::from_timestamp_millis(at).unwrap_or(Time::UNIX_EPOCH)
    }
}

/// Who made one change, by which door and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authored {
    /// Its number in the log.
    pub seq: i64,
    /// SHA-256 of the change.
    pub hash: [u8; 32],
    /// The Automerge actor that made it.
    pub actor: Vec<u8>,
    /// The actor's own number of it.
    pub actor_seq: u64,
    /// The user who answers for it; none for the product itself.
    pub user: Option<UserId>,
    /// Which door it came through.
    pub source: String,
    /// When it was appended, in milliseconds.
    pub at_ms: i64,
    /// The id of its message, as it stood in the log.
    pub message_id: Option<String>,
}

impl Authored {
    /// What a row says, once its content is seen to be what the row claims.
    fn of(row: document_change::Model) -> Result<Self, Error> {
        let change = log::change_of(&row)?;
        let hash = change.hash().0;
        if hash[..] != row.change_hash[..] || change.actor_id().to_bytes() != row.actor.as_slice() {
            return Err(Error::Corrupt(format!(
                "row {} of {} holds another change",
                row.server_seq, row.document_id
            )));
        }
        Ok(Self {
            seq: row.server_seq,
            hash,
            actor: row.actor,
            actor_seq: change.seq(),
            user: row.user_id,
            source: row.source,
            at_ms: row.created_at.timestamp_millis(),
            message_id: row.message_id,
        })
    }
}

/// What one call folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// Rows that are gone from the log.
    pub rows: u64,
    /// What they held, in bytes.
    pub bytes_before: u64,
    /// What their archive holds.
    pub bytes_after: u64,
    /// Whether nothing is left to fold by now.
    pub is_done: bool,
}

/// Pages with a worthwhile number of foldable rows, those with the most first.
///
/// # Errors
/// Only the database's.
pub async fn due(db: &impl ConnectionTrait, retention: &Retention, limit: u64) -> Result<Vec<DocumentId>, DbErr> {
    let rows = db.query_all_raw(due_statement(db, retention, limit)).await?;
    rows.iter().map(|row| row.try_get("", "document_id")).collect()
}

/// The index holds what is worthwhile; of those pages only the older snapshot and one row are looked at.
fn due_statement(db: &impl ConnectionTrait, retention: &Retention, limit: u64) -> Statement {
    let sql = format!(
        "SELECT h.document_id FROM document_heads h
          WHERE h.snapshot_seq - h.floor_seq >= {WORTHWHILE}
            AND h.server_seq - h.floor_seq >= $1
            AND EXISTS (SELECT 1 FROM document_snapshots s
                         WHERE s.document_id = h.document_id AND s.epoch = h.epoch
                           AND s.server_seq >= h.floor_seq + {WORTHWHILE} AND s.server_seq < h.snapshot_seq)
            AND EXISTS (SELECT 1 FROM document_changes c
                         WHERE c.document_id = h.document_id AND c.epoch = h.epoch
                           AND c.server_seq = h.floor_seq + {WORTHWHILE} AND c.created_at < $2)
          ORDER BY h.snapshot_seq - h.floor_seq DESC LIMIT $3"
    );
    let grown = retention.rows.max(0).saturating_add(WORTHWHILE);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [grown.into(), retention.cutoff().into(), limit.into()];
    Statement::from_sql_and_values(db.get_database_backend(), sql, values)
}

/// Folds the oldest rows of a page, at most one archive full of them, in the caller's transaction. To be called again
/// until it is done.
///
/// # Errors
/// [`Error::NotFound`] when there is no such page; [`Error::Corrupt`] when its log is not what it should be. Then nothing
/// may be committed.
pub async fn fold(tx: &DatabaseTransaction, document: DocumentId, retention: &Retention) -> Result<Folded, Error> {
    let head = snapshot::lock_head(tx, document).await?.ok_or(Error::NotFound)?;
    let done = Folded {
        is_done: true,
        ..Folded::default()
    };
    let Some(to) = fold_to(tx, &head, retention).await? else {
        return Ok(done);
    };
    let (changes, bytes_before, is_done) = gather(tx, &head, to, retention.cutoff()).await?;
    let Some(last) = changes.last().map(|change| change.seq) else {
        return Ok(done);
    };
    let (rows, bytes) = tokio::task::spawn_blocking(move || written(&changes).map(|bytes| (changes.len(), bytes)))
        .await
        .map_err(|e| Error::Broken(e.to_string()))??;
    let bytes_after = bytes.len() as u64;
    put_away(tx, &head, (last, rows, bytes)).await?;
    Ok(Folded {
        rows: rows as u64,
        bytes_before,
        bytes_after,
        is_done,
    })
}

/// The last number that snapshots and the number of newest rows allow to fold; `None` for nothing at all.
async fn fold_to(tx: &DatabaseTransaction, head: &document_head::Model, retention: &Retention) -> Result<Option<i64>, Error> {
    let kept: Vec<i64> = snapshot::kept(tx, head.document_id, head.epoch).await?;
    let [_, older, ..] = kept[..] else { return Ok(None) };
    let to = older.min(head.server_seq.saturating_sub(retention.rows.max(0)));
    if to <= head.floor_seq {
        return Ok(None);
    }
    for seq in kept {
        if !is_sound(tx, head, seq).await? {
            tracing::error!(document = %head.document_id, seq, "a snapshot is damaged; nothing is folded until there are two good ones");
            return Ok(None);
        }
    }
    Ok(Some(to))
}

/// Whether a snapshot is as it was written, of the place in the log that it stands for.
async fn is_sound(tx: &DatabaseTransaction, head: &document_head::Model, seq: i64) -> Result<bool, Error> {
    let key = (head.document_id, head.epoch, seq);
    let Some(row) = document_snapshot::Entity::find_by_id(key).one(tx).await? else {
        return Ok(false);
    };
    // The row at the floor itself is gone, and was compared when it went.
    let promised = log::heads_at(tx, head.document_id, head.epoch, seq).await?;
    let is_of_here = promised.map_or(seq == head.floor_seq, |promised| heads::to_bytes(&promised) == row.heads);
    Ok(is_of_here && snapshot::is_undamaged(&row.bytes))
}

/// The oldest rows, up to `to` and as long as they are old enough: what is to be written, how many bytes the rows take, and
/// whether these are all.
async fn gather(tx: &DatabaseTransaction, head: &document_head::Model, to: i64, cutoff: Time) -> Result<(Vec<Authored>, u64, bool), Error> {
    let (mut changes, mut bytes) = (Vec::new(), 0);
    while changes.len() < archive::MAX_CHANGES {
        let from = head.floor_seq + changes.len() as i64;
        let rows = page_of_rows(
            tx,
            (head.document_id, head.epoch),
            from,
            to.min(head.floor_seq + archive::MAX_CHANGES as i64),
        )
        .await?;
        if rows.is_empty() {
            break;
        }
        for (row, seq) in rows.into_iter().zip(from + 1..) {
            if row.created_at >= cutoff {
                return Ok((changes, bytes, true));
            }
            if row.server_seq != seq {
                return Err(Error::Corrupt(format!("row {seq} of {} is not there", head.document_id)));
            }
            bytes += measure::size_of(&row);
            changes.push(Authored::of(row)?);
        }
    }
    let is_done = head.floor_seq + changes.len() as i64 >= to;
    if changes.len() < archive::MAX_CHANGES && !is_done {
        return Err(Error::Corrupt(format!("the log of {} ends before its snapshot", head.document_id)));
    }
    Ok((changes, bytes, is_done))
}

/// Some rows behind `from`, up to `to`, in order.
async fn page_of_rows(
    db: &impl ConnectionTrait,
    log: (DocumentId, EpochId),
    from: i64,
    to: i64,
) -> Result<Vec<document_change::Model>, DbErr> {
    document_change::Entity::find()
        .filter(document_change::Column::DocumentId.eq(log.0))
        .filter(document_change::Column::Epoch.eq(log.1))
        .filter(document_change::Column::ServerSeq.gt(from))
        .filter(document_change::Column::ServerSeq.lte(to))
        .order_by_asc(document_change::Column::ServerSeq)
        .limit(AT_ONCE)
        .all(db)
        .await
}

/// The archive of these changes, once it was seen to give them back.
fn written(changes: &[Authored]) -> Result<Vec<u8>, Error> {
    let bytes = archive::encode(changes)?;
    let from = changes.first().map_or(0, |change| change.seq);
    if archive::decode(&bytes, from, changes.len())? == changes {
        Ok(bytes)
    } else {
        Err(Error::Corrupt("an archive does not give back what was put in".to_owned()))
    }
}

/// The archive comes, its rows go, the floor rises.
async fn put_away(tx: &DatabaseTransaction, head: &document_head::Model, archive: (i64, usize, Vec<u8>)) -> Result<(), Error> {
    let (last, rows, bytes) = archive;
    let row = document_archive::ActiveModel {
        document_id: Set(head.document_id),
        epoch: Set(head.epoch),
        from_seq: Set(head.floor_seq + 1),
        to_seq: Set(last),
        changes: Set(rows as i64),
        bytes: Set(bytes),
        created_at: Set(clock::now()),
    };
    document_archive::Entity::insert(row).exec_without_returning(tx).await?;
    let gone = document_change::Entity::delete_many()
        .filter(document_change::Column::DocumentId.eq(head.document_id))
        .filter(document_change::Column::Epoch.eq(head.epoch))
        .filter(document_change::Column::ServerSeq.lte(last))
        .exec(tx)
        .await?;
    if gone.rows_affected != rows as u64 {
        return Err(Error::Corrupt(format!(
            "the log of {} has other rows than were read",
            head.document_id
        )));
    }
    document_head::Entity::update_many()
        .col_expr(document_head::Column::FloorSeq, Expr::value(last))
        .filter(document_head::Column::DocumentId.eq(head.document_id))
        .exec(tx)
        .await?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
