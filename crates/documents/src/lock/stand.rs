//! The locks that stand on pages, and holding a page still while they are looked at.

use super::{Held, Pass, stop};
use crate::error::Error;
use entity::{document_head, document_lock};
use kernel::{
    clock::{self, Time},
    id::*,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};
use std::collections::HashMap;
use workspaces::access::DocumentAccess;

fn alive(now: Time) -> Condition {
    Condition::any()
        .add(document_lock::Column::ExpiresAt.is_null())
        .add(document_lock::Column::ExpiresAt.gt(now))
}

/// The locks that stand on a page.
///
/// # Errors
/// Only the database's.
pub async fn held(db: &impl ConnectionTrait, document: DocumentId) -> Result<Vec<Held>, DbErr> {
    Ok(held_on(db, &[document]).await?.remove(&document).unwrap_or_default())
}

/// The locks that stand on each of these pages; pages without any are left out.
///
/// # Errors
/// Only the database's.
pub async fn held_on(db: &impl ConnectionTrait, documents: &[DocumentId]) -> Result<HashMap<DocumentId, Vec<Held>>, DbErr> {
    let mut all: HashMap<DocumentId, Vec<Held>> = HashMap::new();
    for some in documents.chunks(500) {
        let rows = document_lock::Entity::find()
            .filter(document_lock::Column::DocumentId.is_in(some.iter().copied()))
            .filter(alive(clock::now()))
            .all(db)
            .await?;
        for row in rows {
            all.entry(row.document_id).or_default().push(Held::of(row));
        }
    }
    all.values_mut().for_each(|held| held.sort_by_key(|held| held.kind.name()));
    Ok(all)
}

/// Holds a page's log as an append does it. On SQLite there is one writer anyway.
pub(super) async fn hold(tx: &impl ConnectionTrait, document: DocumentId, how: LockType) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        document_head::Entity::find_by_id(document).lock(how).one(tx).await?;
    }
    Ok(())
}

/// Refuses a change of a page's row that a lock keeps out. To be asked before anything is written; what was answered
/// stands until the transaction ends.
///
/// # Errors
/// [`Error::Locked`], or the database's.
pub async fn check<P>(tx: &impl ConnectionTrait, access: &DocumentAccess<P>) -> Result<(), Error> {
    hold(tx, access.id(), LockType::Share).await?;
    let pass = Pass {
        user: access.user(),
        lease: None,
    };
    match stop(&held(tx, access.id()).await?, pass) {
        Some(stop) => Err(stop.into()),
        None => Ok(()),
    }
}
