//! What somebody has seen of a page, so that they can be told what has changed since.

use crate::{error::Error, heads, log::Head};
use entity::document_visit;
use kernel::{clock, id::UserId};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, sea_query::OnConflict};
use std::time::Duration;
use workspaces::access::{DocumentAccess, ViewDocument};

/// Looking at the same state again is written down no more often than this.
const EVERY: Duration = Duration::from_secs(60);

/// When the caller last looked, and at what; none when they never did.
///
/// # Errors
/// Only the database's.
pub async fn last(db: &impl ConnectionTrait, access: &DocumentAccess<ViewDocument>) -> Result<Option<document_visit::Model>, DbErr> {
    document_visit::Entity::find_by_id((access.id(), access.user())).one(db).await
}

/// Whether a visit has to be written down, given the last one.
pub fn is_news(last: Option<&document_visit::Model>, seen: &Head) -> bool {
    let is_same = |last: &&document_visit::Model| last.epoch == seen.epoch && last.heads == heads::to_bytes(&seen.heads);
    let is_recent = |last: &&document_visit::Model| {
        let ago = clock::now().signed_duration_since(last.seen_at).to_std();
        ago.is_ok_and(|ago| ago < EVERY)
    };
    last.filter(is_same).filter(is_recent).is_none()
}

/// Writes down that the caller has seen a state of the page.
///
/// # Errors
/// Only the database's.
pub async fn record(tx: &DatabaseTransaction, access: &DocumentAccess<ViewDocument>, seen: &Head) -> Result<document_visit::Model, Error> {
    let row = document_visit::Model {
        document_id: access.id(),
        user_id: access.user(),
        epoch: seen.epoch,
        heads: heads::to_bytes(&seen.heads),
        seen_at: clock::now(),
    };
    let replace = OnConflict::columns([document_visit::Column::DocumentId, document_visit::Column::UserId])
        .update_columns([
            document_visit::Column::Epoch,
            document_visit::Column::Heads,
            document_visit::Column::SeenAt,
        ])
        .to_owned();
    document_visit::Entity::insert(row.clone().into_active_model())
        .on_conflict(replace)
        .exec_without_returning(tx)
        .await?;
    Ok(row)
}

/// Forgets what somebody has seen, who is going for good.
///
/// # Errors
/// Only the database's.
pub async fn forget(tx: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    document_visit::Entity::delete_many()
        .filter(document_visit::Column::UserId.eq(user))
        .exec(tx)
        .await
        .map(drop)
}
