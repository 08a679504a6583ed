//! The op log of every page: appended, never rewritten. It is the truth; snapshots and projections are shortcuts. Its
//! oldest rows are folded away in time, by [`crate::compaction`] and only below two verified snapshots.
//!
//! `server_seq` is dense per page: the number is taken by moving `document_heads` on, only from where the writer
//! believes it stands. Two nodes that write at once cannot both succeed; the later one reads on and tries again.

use crate::{error::Error, heads};
use automerge::{Change, ChangeHash};
use entity::{document_actor, document_change, document_head};
use kernel::{
    clock::{self, Time},
    id::*,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};

/// Which door a change came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A REST request.
    Rest,
    /// The JSON protocol.
    Json,
    /// A client that speaks Automerge.
    Automerge,
    /// The product itself.
    Server,
}

impl Source {
    /// The name that stands in the log and in echoes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Json => "json",
            Self::Automerge => "automerge",
            Self::Server => "server",
        }
    }
}

/// Where a page's log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The incarnation of the log.
    pub epoch: EpochId,
    /// The last number given.
    pub seq: i64,
    /// The heads after it.
    pub heads: Vec<ChangeHash>,
}

/// A change to be appended.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The change.
    pub change: Change,
    /// Who answers for it.
    pub user: Option<UserId>,
    /// The client's id of its message.
    pub message_id: Option<String>,
    /// Which door it came through.
    pub source: Source,
    /// Whether its actor has to be bound to the user: it was not seen on this page before.
    pub binds_actor: bool,
}

/// A batch that continues one page's log.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The page.
    pub document: DocumentId,
    /// Where its writer believes the log to stand.
    pub head: Head,
    /// What comes behind.
    pub entries: Vec<Entry>,
}

impl Batch {
    /// Where the log stands once the batch is in.
    pub fn head_after(&self) -> Head {
        let mut head = self.head.clone();
        for entry in &self.entries {
            heads::advance(&mut head.heads, entry.change.deps(), entry.change.hash());
            head.seq += 1;
        }
        head
    }
}

/// Starts a page's log with its first change.
///
/// # Errors
/// Only the database's.
pub async fn start(tx: &impl ConnectionTrait, document: DocumentId, entry: Entry) -> Result<Head, DbErr> {
    let head = Head {
        epoch: EpochId::new(),
        seq: 0,
        heads: Vec::new(),
    };
    let row = document_head::ActiveModel {
        document_id: Set(document),
        epoch: Set(head.epoch),
        server_seq: Set(0),
        heads: Set(Vec::new()),
        snapshot_seq: Set(0),
        floor_seq: Set(0),
        updated_at: Set(clock::now()),
    };
    document_head::Entity::insert(row).exec_without_returning(tx).await?;
    let batch = Batch {
        document,
        head,
        entries: vec![entry],
    };
    append(tx, &batch).await?;
    Ok(batch.head_after())
}

/// Appends a batch in the caller's transaction. `false` when the log stands elsewhere by now; then nothing was written.
///
/// # Errors
/// The database's; a hash or message id that is in the log already violates its unique index.
pub async fn append(tx: &impl ConnectionTrait, batch: &Batch) -> Result<bool, DbErr> {
    let now = clock::now();
    let after = batch.head_after();
    let moved = document_head::Entity::update_many()
        .col_expr(document_head::Column::ServerSeq, Expr::value(after.seq))
        .col_expr(document_head::Column::Heads, Expr::value(heads::to_bytes(&after.heads)))
        .col_expr(document_head::Column::UpdatedAt, Expr::value(now))
        .filter(document_head::Column::DocumentId.eq(batch.document))
        .filter(document_head::Column::Epoch.eq(batch.head.epoch))
        .filter(document_head::Column::ServerSeq.eq(batch.head.seq))
        .exec(tx)
        .await?;
    if moved.rows_affected == 0 {
        return Ok(false);
    }
    for rows in rows(batch, now).chunks(200) {
        document_change::Entity::insert_many(rows.to_vec())
            .exec_without_returning(tx)
            .await?;
    }
    bind_actors(tx, batch, now).await?;
    Ok(true)
}

fn rows(batch: &Batch, now: Time) -> Vec<document_change::ActiveModel> {
    let mut at = batch.head.clone();
    let row = |entry: &Entry| {
        heads::advance(&mut at.heads, entry.change.deps(), entry.change.hash());
        at.seq += 1;
        document_change::ActiveModel {
            document_id: Set(batch.document),
            epoch: Set(at.epoch),
            server_seq: Set(at.seq),
            change_hash: Set(entry.change.hash().0.to_vec()),
            actor: Set(entry.change.actor_id().to_bytes().to_vec()),
            user_id: Set(entry.user),
            message_id: Set(entry.message_id.clone()),
            source: Set(entry.source.name().to_owned()),
            heads_after: Set(heads::to_bytes(&at.heads)),
            bytes: Set(entry.change.raw_bytes().to_vec()),
            created_at: Set(now),
        }
    };
    batch.entries.iter().map(row).collect()
}

async fn bind_actors(tx: &impl ConnectionTrait, batch: &Batch, now: Time) -> Result<(), DbErr> {
    let new: Vec<document_actor::ActiveModel> = batch
        .entries
        .iter()
        .filter(|entry| entry.binds_actor)
        .map(|entry| document_actor::ActiveModel {
            document_id: Set(batch.document),
            actor: Set(entry.change.actor_id().to_bytes().to_vec()),
            // The product's own actors carry many users' edits; the row says whose each is.
            user_id: Set(entry.user.filter(|_| entry.source == Source::Automerge)),
            created_at: Set(now),
        })
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let once = OnConflict::columns([document_actor::Column::DocumentId, document_actor::Column::Actor])
        .do_nothing()
        .to_owned();
    document_actor::Entity::insert_many(new)
        .on_conflict(once)
        .exec_without_returning(tx)
        .await
        .map(drop)
}

/// Where a page's log stands.
///
/// # Errors
/// [`Error::NotFound`] when there is no such page.
pub async fn head(db: &impl ConnectionTrait, document: DocumentId) -> Result<Head, Error> {
    let row = document_head::Entity::find_by_id(document).one(db).await?.ok_or(Error::NotFound)?;
    Ok(Head {
        epoch: row.epoch,
        seq: row.server_seq,
        heads: heads::from_bytes(&row.heads),
    })
}

/// Where the logs of many pages stand, in one query.
///
/// # Errors
/// Only the database's.
pub async fn positions(db: &impl ConnectionTrait, documents: &[DocumentId]) -> Result<Vec<(DocumentId, EpochId, i64)>, DbErr> {
    let mut out = Vec::with_capacity(documents.len());
    for some in documents.chunks(500) {
        let rows: Vec<(DocumentId, EpochId, i64)> = document_head::Entity::find()
            .select_only()
            .columns([
                document_head::Column::DocumentId,
                document_head::Column::Epoch,
                document_head::Column::ServerSeq,
            ])
            .filter(document_head::Column::DocumentId.is_in(some.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        out.extend(rows);
    }
    Ok(out)
}

/// The rows behind a position, in order.
///
/// # Errors
/// Only the database's.
pub async fn after(
    db: &impl ConnectionTrait,
    document: DocumentId,
    epoch: EpochId,
    seq: i64,
) -> Result<Vec<document_change::Model>, DbErr> {
    document_change::Entity::find()
        .filter(document_change::Column::DocumentId.eq(document))
        .filter(document_change::Column::Epoch.eq(epoch))
        .filter(document_change::Column::ServerSeq.gt(seq))
        .order_by_asc(document_change::Column::ServerSeq)
        .all(db)
        .await
}

/// The heads that stood at a position of the log; `None` when it has no such row, or not any more.
///
/// # Errors
/// Only the database's.
pub async fn heads_at(db: &impl ConnectionTrait, document: DocumentId, epoch: EpochId, seq: i64) -> Result<Option<Vec<ChangeHash>>, DbErr> {
    if seq == 0 {
        return Ok(Some(Vec::new()));
    }
    let row = document_change::Entity::find_by_id((document, epoch, seq)).one(db).await?;
    Ok(row.map(|row| heads::from_bytes(&row.heads_after)))
}

/// The number under which a message of that id stands in the log. An id is forgotten when its row is folded.
///
/// # Errors
/// Only the database's.
pub async fn seq_of_message(db: &impl ConnectionTrait, document: DocumentId, message_id: &str) -> Result<Option<i64>, DbErr> {
    let row = document_change::Entity::find()
        .filter(document_change::Column::DocumentId.eq(document))
        .filter(document_change::Column::MessageId.eq(message_id))
        .one(db)
        .await?;
    Ok(row.map(|row| row.server_seq))
}

/// The users that a page's actors are bound to; the product's own stand as `None`.
///
/// # Errors
/// Only the database's.
pub async fn actors(db: &impl ConnectionTrait, document: DocumentId) -> Result<Vec<(Vec<u8>, Option<UserId>)>, DbErr> {
    let rows = document_actor::Entity::find()
        .filter(document_actor::Column::DocumentId.eq(document))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.actor, row.user_id)).collect())
}

/// A row's change.
///
/// # Errors
/// [`Error::Corrupt`] when its bytes are no change.
pub fn change_of(row: &document_change::Model) -> Result<Change, Error> {
    Change::try_from(row.bytes.as_slice()).map_err(|e| Error::Corrupt(format!("row {} of {}: {e}", row.server_seq, row.document_id)))
}
