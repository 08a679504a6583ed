//! The audit log: everything that happened in a workspace, for its admins and owners.

use crate::{
    access::{Access, ReadAudit},
    activity::{Listed, Wanted, clamp},
};
use entity::event;
use events::{
    Change,
    checkpoint::Seals,
    read,
    verify::{self, Verdict},
};
use sea_orm::{ConnectionTrait, DbErr};

/// The most entries that an export reads at once.
const MAX_EXPORTED: u64 = 1000;

/// Entries of the log, newest first.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, access: &Access<ReadAudit>, wanted: &Wanted) -> Result<Listed, DbErr> {
    let limit = clamp(wanted.limit);
    let found = read::before(db, access.workspace(), &wanted.of_log(Vec::new()), wanted.before, limit + 1).await?;
    Ok(Listed::cut(found, limit))
}

/// For exports: up to `limit` entries behind a number, oldest first, at most a thousand at once. The page of results that
/// `wanted` names does not matter here.
///
/// # Errors
/// Only the database's.
pub async fn after(
    db: &impl ConnectionTrait,
    access: &Access<ReadAudit>,
    wanted: &Wanted,
    seq: i64,
    limit: u64,
) -> Result<Vec<event::Model>, DbErr> {
    let limit = limit.clamp(1, MAX_EXPORTED);
    read::after(db, access.workspace(), &wanted.of_log(Vec::new()), seq, limit).await
}

/// Whether the workspace's log is what was written. Reads all of it.
///
/// # Errors
/// Only the database's.
pub async fn verify(db: &impl ConnectionTrait, access: &Access<ReadAudit>, seals: &Seals) -> Result<Verdict, DbErr> {
    verify::chain(db, seals, access.workspace()).await
}

/// Writes down that the caller took the log out.
///
/// # Errors
/// Only the database's.
pub async fn exported(tx: &impl ConnectionTrait, access: &Access<ReadAudit>) -> Result<(), DbErr> {
    let workspace = access.workspace();
    events::append(tx, access.by(), Change::AuditLogExported { workspace })
        .await
        .map(drop)
}
