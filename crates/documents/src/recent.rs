//! Pages that somebody read last. A convenience: not every reading is noted, and a lost note is no harm.

use crate::favorite::seen;
use entity::{document, recent};
use kernel::{clock::Time, id::*, role::Level};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement};
use std::collections::BTreeSet;
use workspaces::access::Who;

/// Pages that are remembered for one person.
pub const MOST: u64 = 100;

/// Somebody read a page.
pub type Reading = (UserId, DocumentId, Time);

/// A person or a page may be gone by now.
const NOTE: &str = "INSERT INTO recents (user_id, document_id, viewed_at)
    SELECT u.id, d.id, $3 FROM users u, documents d WHERE u.id = $1 AND d.id = $2
    ON CONFLICT (user_id, document_id) DO UPDATE SET viewed_at = excluded.viewed_at";

/// What is too long ago.
const FORGET: &str = "DELETE FROM recents WHERE user_id = $1 AND document_id NOT IN (
    SELECT document_id FROM recents WHERE user_id = $1 ORDER BY viewed_at DESC, document_id LIMIT $2)";

/// Notes readings, and forgets those of the same people that are too many. No proof is asked for: whoever showed them the page
/// calls it.
///
/// # Errors
/// Only the database's.
pub async fn note(tx: &DatabaseTransaction, readings: &[Reading]) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    // In one order, so that two nodes never wait for each other crosswise.
    let mut readings = readings.to_vec();
    readings.sort_unstable();
    for (user, document, at) in &readings {
        let values = [(*user).into(), (*document).into(), (*at).into()];
        tx.execute_raw(Statement::from_sql_and_values(backend, NOTE, values)).await?;
    }
    let people: BTreeSet<UserId> = readings.iter().map(|(user, ..)| *user).collect();
    for user in people {
        let values = [user.into(), i64::try_from(MOST).unwrap_or(i64::MAX).into()];
        tx.execute_raw(Statement::from_sql_and_values(backend, FORGET, values)).await?;
    }
    Ok(())
}

/// The pages somebody read last and still may see, the latest first.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, who: Who) -> Result<Vec<(document::Model, Level)>, DbErr> {
    let ids: Vec<DocumentId> = recent::Entity::find()
        .select_only()
        .column(recent::Column::DocumentId)
        .filter(recent::Column::UserId.eq(who.user()))
        .order_by_desc(recent::Column::ViewedAt)
        .order_by_asc(recent::Column::DocumentId)
        .limit(MOST)
        .into_tuple()
        .all(db)
        .await?;
    seen(db, who, &ids).await
}

/// Forgets what somebody read and liked: their account is erased.
///
/// # Errors
/// Only the database's.
pub async fn forget(tx: &DatabaseTransaction, user: UserId) -> Result<(), DbErr> {
    recent::Entity::delete_many()
        .filter(recent::Column::UserId.eq(user))
        .exec(tx)
        .await?;
    entity::favorite::Entity::delete_many()
        .filter(entity::favorite::Column::UserId.eq(user))
        .exec(tx)
        .await
        .map(drop)
}
