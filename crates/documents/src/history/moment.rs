//! Which state of a page is meant: heads, a number of its log, a version, or a time.

use super::ledger;
use crate::{
    error::Error,
    heads,
    log::{self, Head},
    past::Past,
    version,
};
use automerge::ChangeHash;
use entity::{document_change, document_head};
use kernel::{clock::Time, id::*};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use std::{str::FromStr, sync::Arc};

/// A state of a page, as somebody may name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The state with these changes and all that they build on.
    Heads(Vec<ChangeHash>),
    /// The state after this number of the log.
    Seq(i64),
    /// The state of a version.
    Version(VersionId),
    /// The state after the last change at or before a time.
    Time(Time),
}

/// More heads than a page ever has at once.
const MAX_HEADS: usize = 1_000;

impl FromStr for Moment {
    type Err = &'static str;

    /// Reads what stands in a query: hashes with commas or points between them, a number, a version's id, or a time as in
    /// RFC 3339.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split([',', '.']).collect();
        if parts.iter().all(|part| part.len() == 64) && parts.len() <= MAX_HEADS {
            let heads: Option<Vec<ChangeHash>> = parts.iter().map(|part| part.parse().ok()).collect();
            return heads.map(Self::Heads).ok_or("is no list of heads");
        }
        if let Ok(seq) = text.parse() {
            return Ok(Self::Seq(seq));
        }
        if let Ok(id) = text.parse() {
            return Ok(Self::Version(id));
        }
        // In a query a plus sign stands for a space.
        let time = text.replace(' ', "+").parse();
        time.map(Self::Time)
            .map_err(|_| "is heads, a version's number or id, or a time such as 2026-11-20T19:22:00Z")
    }
}

/// Whether a state can be told without the page's past in memory, and which it is then.
///
/// # Errors
/// [`Error::VersionNotFound`], [`Error::StateNotFound`], or the database's.
pub async fn find(db: &impl ConnectionTrait, document: DocumentId, moment: &Moment) -> Result<Found, Error> {
    match moment {
        Moment::Heads(wanted) => Ok(Found::Heads(wanted.clone())),
        Moment::Version(id) => {
            let row = version::find(db, document, *id).await?;
            let stands = log::head(db, document).await?;
            // What was of another incarnation is not in this one.
            if row.epoch == stands.epoch {
                Ok(Found::Heads(heads::from_bytes(&row.heads)))
            } else {
                Err(Error::StateNotFound)
            }
        }
        Moment::Seq(seq) => at_seq(db, document, *seq).await,
        Moment::Time(time) => at_time(db, document, *time).await,
    }
}

/// What is known of a state without the page's past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its heads.
    Heads(Vec<ChangeHash>),
    /// That it holds these changes, which were folded.
    Changes(Vec<ChangeHash>),
}

impl Found {
    /// The heads of the state, which has to be one of the page.
    ///
    /// # Errors
    /// [`Error::StateNotFound`].
    pub fn heads(&self, past: &Arc<Past>) -> Result<Vec<ChangeHash>, Error> {
        match self {
            Self::Heads(heads) => {
                past.require(heads)?;
                let mut heads = heads.clone();
                heads.sort();
                heads.dedup();
                Ok(heads)
            }
            Self::Changes(changes) => past.heads_with(changes),
        }
    }
}

async fn at_seq(db: &impl ConnectionTrait, document: DocumentId, seq: i64) -> Result<Found, Error> {
    let head = log::head(db, document).await?;
    if seq < 0 || seq > head.seq {
        return Err(Error::StateNotFound);
    }
    if let Some(heads) = log::heads_at(db, document, head.epoch, seq).await? {
        return Ok(Found::Heads(heads));
    }
    let folded = ledger::read(db, document).await?.hashes_to(seq);
    Ok(Found::Changes(folded))
}

async fn at_time(db: &impl ConnectionTrait, document: DocumentId, time: Time) -> Result<Found, Error> {
    let head = document_head::Entity::find_by_id(document).one(db).await?.ok_or(Error::NotFound)?;
    if let Some(row) = last_row(db, (document, head.epoch), time).await? {
        return Ok(Found::Heads(heads::from_bytes(&row)));
    }
    if head.floor_seq == 0 {
        return Err(Error::StateNotFound);
    }
    let ledger = ledger::read(db, document).await?;
    let last = ledger.lines().iter().rev().find(|line| line.at_ms <= time.timestamp_millis());
    let last = last.ok_or(Error::StateNotFound)?;
    Ok(Found::Changes(ledger.hashes_to(last.seq)))
}

/// The heads after the last row at or before a time.
async fn last_row(db: &impl ConnectionTrait, log: (DocumentId, EpochId), time: Time) -> Result<Option<Vec<u8>>, DbErr> {
    use sea_orm::QuerySelect;
    document_change::Entity::find()
        .select_only()
        .column(document_change::Column::HeadsAfter)
        .filter(document_change::Column::DocumentId.eq(log.0))
        .filter(document_change::Column::Epoch.eq(log.1))
        .filter(document_change::Column::CreatedAt.lte(time))
        .order_by_desc(document_change::Column::ServerSeq)
        .into_tuple()
        .one(db)
        .await
}

/// Where the log stood in a state of these heads: the number of its last change.
///
/// # Errors
/// Only the database's, or what [`ledger::read`] finds.
pub async fn standing(db: &impl ConnectionTrait, document: DocumentId, heads_then: &[ChangeHash]) -> Result<Standing, Error> {
    let head = log::head(db, document).await?;
    let mut same = head.heads.clone();
    same.sort();
    if same == heads_then {
        let at = document_head::Entity::find_by_id(document).one(db).await?.ok_or(Error::NotFound)?;
        return Ok(Standing {
            head,
            edited_at: at.updated_at,
        });
    }
    let row = by_heads(db, (document, head.epoch), heads_then).await?;
    let (seq, edited_at) = match row {
        Some(found) => found,
        None => {
            // Folded, or a state that the log never stood at: the last of its changes tells where it belongs.
            let ledger = ledger::read(db, document).await?;
            let last = heads_then.iter().filter_map(|hash| ledger.line(hash)).max_by_key(|line| line.seq);
            last.map_or((0, Time::UNIX_EPOCH), |line| {
                (line.seq, Time::from_timestamp_millis(line.at_ms).unwrap_or(Time::UNIX_EPOCH))
            })
        }
    };
    Ok(Standing {
        head: Head {
            epoch: head.epoch,
            seq,
            heads: heads_then.to_vec(),
        },
        edited_at,
    })
}

/// A state of a page and when its last change was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Epoch, number and heads.
    pub head: Head,
    /// When its last change was made.
    pub edited_at: Time,
}

async fn by_heads(db: &impl ConnectionTrait, log: (DocumentId, EpochId), heads: &[ChangeHash]) -> Result<Option<(i64, Time)>, DbErr> {
    use sea_orm::QuerySelect;
    // The change that made a state is one of its heads, and hashes are indexed.
    let hashes = heads.iter().map(|hash| hash.0.to_vec());
    document_change::Entity::find()
        .select_only()
        .columns([document_change::Column::ServerSeq, document_change::Column::CreatedAt])
        .filter(document_change::Column::DocumentId.eq(log.0))
        .filter(document_change::Column::Epoch.eq(log.1))
        .filter(document_change::Column::ChangeHash.is_in(hashes))
        .filter(document_change::Column::HeadsAfter.eq(crate::heads::to_bytes(heads)))
        .order_by_desc(document_change::Column::ServerSeq)
        .into_tuple()
        .one(db)
        .await
}
