//! Who made each change of a page and when, folded or not, without what the changes hold.

use crate::{
    compaction::{Authored, archived},
    error::Error,
    log,
};
use automerge::ChangeHash;
use entity::document_change;
use kernel::{clock::Time, id::*};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;

/// Rows that are read at once.
const AT_ONCE: u64 = 10_000;
/// How often the list is read anew when rows are folded while it is read.
const TRIES: usize = 5;

/// A change, as the log knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the log.
    pub seq: i64,
    /// SHA-256 of it.
    pub hash: ChangeHash,
    /// The user who answers for it; none for the product itself.
    pub user: Option<UserId>,
    /// When it was appended, in milliseconds since 1970.
    pub at_ms: i64,
}

impl From<Authored> for Line {
    fn from(change: Authored) -> Self {
        Self {
            seq: change.seq,
            hash: ChangeHash(change.hash),
            user: change.user,
            at_ms: change.at_ms,
        }
    }
}

/// Every change of a page in the order of its log.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    lines: Vec<Line>,
    by_hash: HashMap<ChangeHash, usize>,
}

impl Ledger {
    /// The ledger of these changes, in the order of their numbers.
    pub fn of(lines: Vec<Line>) -> Self {
        let by_hash = lines.iter().enumerate().map(|(i, line)| (line.hash, i)).collect();
        Self { lines, by_hash }
    }

    /// All of them, the oldest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What is known of one change.
    pub fn line(&self, hash: &ChangeHash) -> Option<&Line> {
        self.by_hash.get(hash).map(|i| &self.lines[*i])
    }

    /// The hashes of the changes up to a number.
    pub fn hashes_to(&self, seq: i64) -> Vec<ChangeHash> {
        self.lines.iter().take_while(|line| line.seq <= seq).map(|line| line.hash).collect()
    }
}

/// Reads who made every change of a page. Costs some 60 bytes a change.
///
/// # Errors
/// [`Error::NotFound`] when there is no such page; [`Error::Corrupt`] when a part of the list does not read or is missing.
pub async fn read(db: &impl ConnectionTrait, document: DocumentId) -> Result<Ledger, Error> {
    for _ in 0..TRIES {
        let log = (document, log::head(db, document).await?.epoch);
        // Rows first: what is folded meanwhile is in an archive by the time the archives are read.
        let live = live(db, log).await?;
        let first = live.first().map_or(i64::MAX, |line| line.seq);
        let mut all: Vec<Line> = archived(db, log, first).await?.into_iter().map(Line::from).collect();
        all.extend(live);
        if all.iter().zip(1..).all(|(line, seq)| line.seq == seq) {
            return Ok(Ledger::of(all));
        }
    }
    Err(Error::Corrupt(format!("some of the changes of {document} are missing")))
}

async fn live(db: &impl ConnectionTrait, log: (DocumentId, EpochId)) -> Result<Vec<Line>, DbErr> {
    let mut out: Vec<Line> = Vec::new();
    loop {
        let from = out.last().map_or(0, |line| line.seq);
        let rows: Vec<(i64, Vec<u8>, Option<UserId>, Time)> = document_change::Entity::find()
            .select_only()
            .columns([
                document_change::Column::ServerSeq,
                document_change::Column::ChangeHash,
                document_change::Column::UserId,
                document_change::Column::CreatedAt,
            ])
            .filter(document_change::Column::DocumentId.eq(log.0))
            .filter(document_change::Column::Epoch.eq(log.1))
            .filter(document_change::Column::ServerSeq.gt(from))
            .order_by_asc(document_change::Column::ServerSeq)
            .limit(AT_ONCE)
            .into_tuple()
            .all(db)
            .await?;
        let is_last = (rows.len() as u64) < AT_ONCE;
        out.extend(rows.into_iter().map(|(seq, hash, user, at)| Line {
            seq,
            hash: ChangeHash(hash.try_into().unwrap_or([0; 32])),
            user,
            at_ms: at.timestamp_millis(),
        }));
        if is_last {
            return Ok(out);
        }
    }
}
