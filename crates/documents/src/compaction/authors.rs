//! Who made every change of a page, folded or not, as one list.

use super::{Authored, archive, page_of_rows};
use crate::{error::Error, log};
use entity::document_archive;
use kernel::id::*;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

/// How often the list is read anew when rows are folded while it is read.
const TRIES: usize = 5;

/// Who made every change of a page, in the order of its log, from the first to the last.
///
/// # Errors
/// [`Error::NotFound`] when there is no such page; [`Error::Corrupt`] when a part of the list does not read or is missing.
pub async fn authors(db: &impl ConnectionTrait, document: DocumentId) -> Result<Vec<Authored>, Error> {
    for _ in 0..TRIES {
        let log = (document, log::head(db, document).await?.epoch);
        // Rows first: what is folded meanwhile is in an archive by the time the archives are read.
        let live = live(db, log).await?;
        let first = live.first().map_or(i64::MAX, |change| change.seq);
        let mut all = archived(db, log, first).await?;
        all.extend(live);
        if all.iter().zip(1..).all(|(change, seq)| change.seq == seq) {
            return Ok(all);
        }
    }
    Err(Error::Corrupt(format!("some of the authors of {document} are missing")))
}

async fn live(db: &impl ConnectionTrait, log: (DocumentId, EpochId)) -> Result<Vec<Authored>, Error> {
    let mut out: Vec<Authored> = Vec::new();
    loop {
        let from = out.last().map_or(0, |change| change.seq);
        let rows = page_of_rows(db, log, from, i64::MAX).await?;
        if rows.is_empty() {
            return Ok(out);
        }
        for row in rows {
            out.push(Authored::of(row)?);
        }
    }
}

/// What the archives hold below a number.
pub(crate) async fn archived(db: &impl ConnectionTrait, log: (DocumentId, EpochId), below: i64) -> Result<Vec<Authored>, Error> {
    let rows = document_archive::Entity::find()
        .filter(document_archive::Column::DocumentId.eq(log.0))
        .filter(document_archive::Column::Epoch.eq(log.1))
        .order_by_asc(document_archive::Column::FromSeq)
        .all(db)
        .await?;
    let mut out = Vec::new();
    for row in rows {
        let count = row.to_seq.saturating_sub(row.from_seq).saturating_add(1);
        let count = usize::try_from(count).ok().filter(|_| count == row.changes);
        let Some(count) = count else {
            return Err(Error::Corrupt(format!("the archive from {} says two lengths", row.from_seq)));
        };
        let changes = archive::decode(&row.bytes, row.from_seq, count)?;
        out.extend(changes.into_iter().filter(|change| change.seq < below));
    }
    Ok(out)
}
