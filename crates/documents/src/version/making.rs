//! Versions that are made by themselves: when an editing session ends, when one goes on for long, and around a restore.

use super::{Kind, keep, of_state, version_before};
use crate::{error::Error, heads, history::moment::Standing, log::Head, snapshot};
use entity::{document_change, document_editing, document_head, document_version};
use events::Change;
use kernel::{
    clock::{self, Time},
    id::*,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, Statement,
    sea_query::OnConflict,
};
use std::time::Duration;
use workspaces::access::{DocumentAccess, EditDocument};

/// A page that is being edited is noted at least this often, so a note outlives the editing by more than that.
const NOTED_EVERY: Duration = Duration::from_secs(6 * 60);

/// When a version is made by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Once nobody has edited for so long.
    pub quiet: Duration,
    /// Once somebody has edited for so long without such a pause.
    pub long: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            quiet: Duration::from_secs(10 * 60),
            long: Duration::from_secs(60 * 60),
        }
    }
}

/// An instant so long before another.
pub(super) fn before(now: Time, by: Duration) -> Time {
    let by = chrono::TimeDelta::from_std(by).ok();
    by.and_then(|by| now.checked_sub_signed(by)).unwrap_or(Time::UNIX_EPOCH)
}

/// Notes that a page is being edited, so that a version will be made of it. Costs nothing when that is known.
///
/// # Errors
/// Only the database's.
pub async fn note_editing(tx: &impl ConnectionTrait, document: DocumentId) -> Result<(), DbErr> {
    let row = document_editing::Model {
        document_id: document,
        began_at: clock::now(),
    };
    document_editing::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::column(document_editing::Column::DocumentId).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await
        .map(drop)
}

/// Pages of which a version is due. Only pages that are being worked on are looked at.
///
/// # Errors
/// Only the database's.
pub async fn due(db: &impl ConnectionTrait, pace: &Pace, limit: u64) -> Result<Vec<DocumentId>, DbErr> {
    let now = clock::now();
    let sql = "SELECT e.document_id FROM document_editings e JOIN document_heads h ON h.document_id = e.document_id
                WHERE h.updated_at <= $1 OR e.began_at <= $2 ORDER BY e.began_at LIMIT $3";
    let values = [
        before(now, pace.quiet).into(),
        before(now, pace.long).into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let rows = db
        .query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values))
        .await?;
    rows.iter().map(|row| row.try_get("", "document_id")).collect()
}

/// Makes the version that is due of a page, if one still is: of its present state, and the first time of its first state
/// too. Says whether it made one. Can be repeated.
///
/// # Errors
/// Only the database's.
pub async fn make_due(tx: &DatabaseTransaction, document: DocumentId, pace: &Pace) -> Result<bool, DbErr> {
    let now = clock::now();
    let Some(head) = snapshot::lock_head(tx, document).await? else {
        return Ok(false);
    };
    let Some(editing) = document_editing::Entity::find_by_id(document).one(tx).await? else {
        return Ok(false);
    };
    let is_over = head.updated_at <= before(now, pace.quiet.max(NOTED_EVERY));
    let last = version_before(tx, document, head.epoch, head.server_seq.saturating_add(1)).await?;
    let is_due = last.is_none_or(|last| last < head.server_seq)
        && (head.updated_at <= before(now, pace.quiet) || editing.began_at <= before(now, pace.long));
    if is_due {
        if last.is_none() {
            keep_first(tx, &head).await?;
        }
        keep(tx, document, &standing(&head), (Kind::Auto, None)).await?;
    }
    if is_over {
        document_editing::Entity::delete_by_id(document).exec(tx).await?;
    } else if is_due {
        let mut row = editing.into_active_model();
        row.began_at = Set(now);
        row.update(tx).await?;
    }
    Ok(is_due)
}

/// Where a page stands now.
fn standing(head: &document_head::Model) -> Standing {
    Standing {
        head: Head {
            epoch: head.epoch,
            seq: head.server_seq,
            heads: heads::from_bytes(&head.heads),
        },
        edited_at: head.updated_at,
    }
}

/// A version of how the page began, when it has been edited since.
async fn keep_first(tx: &DatabaseTransaction, head: &document_head::Model) -> Result<(), DbErr> {
    let first = document_change::Entity::find_by_id((head.document_id, head.epoch, 1))
        .one(tx)
        .await?;
    let Some(first) = first.filter(|_| head.server_seq > 1) else {
        return Ok(());
    };
    let state = Standing {
        head: Head {
            epoch: head.epoch,
            seq: 1,
            heads: heads::from_bytes(&first.heads_after),
        },
        edited_at: first.created_at,
    };
    keep(tx, head.document_id, &state, (Kind::Auto, None)).await.map(drop)
}

/// Writes down that a page was brought back to a version: the version of what came of it, and the fact.
///
/// # Errors
/// Only the database's.
pub async fn note_restored(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<EditDocument>,
    state: &Standing,
    to: VersionId,
) -> Result<document_version::Model, Error> {
    snapshot::lock_head(tx, access.id()).await?.ok_or(Error::NotFound)?;
    let before = of_state(tx, access.id(), &state.head).await?;
    let is_known = before.iter().any(|row| row.kind == Kind::Restore.name());
    let row = keep(tx, access.id(), state, (Kind::Restore, Some(access.user()))).await?;
    if !is_known {
        let fact = Change::DocumentVersionRestored {
            document: access.id(),
            version: to,
        };
        events::append(tx, access.by(), fact).await?;
    }
    Ok(row)
}

/// Keeps a version of how a page stands before it is brought back to another one, unless there is one.
///
/// # Errors
/// Only the database's.
pub async fn keep_present(tx: &DatabaseTransaction, access: &DocumentAccess<EditDocument>) -> Result<(), Error> {
    let head = snapshot::lock_head(tx, access.id()).await?.ok_or(Error::NotFound)?;
    let last = version_before(tx, access.id(), head.epoch, head.server_seq.saturating_add(1)).await?;
    if last.is_none_or(|last| last < head.server_seq) {
        keep(tx, access.id(), &standing(&head), (Kind::Auto, None)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
