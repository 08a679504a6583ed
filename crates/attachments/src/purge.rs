//! What is removed for good: files that were announced and never came, files that were deleted and not taken back, and bytes
//! in the store that no row knows (of pages that were destroyed, and of uploads that were cut off).
//!
//! A file that no block of its page names any more stays: a version of the page may name it, and so may whoever takes an
//! edit back. Only a person, or the end of its page, removes a file.

use crate::Error;
use backends::files::{Area, Files, Listed};
use entity::attachment::{self, State};
use futures::{StreamExt, TryStreamExt};
use kernel::{clock::Time, id::*};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::{collections::HashSet, time::Duration};

/// Bytes that no row knows are left alone for as long: their upload may be about to say so. No upload takes half of it.
pub const GRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// Files that are asked about at once.
const AT_ONCE: usize = 500;

/// Removes rows of files that never came, and of those that were deleted before `deleted_before`. Their bytes are unknown
/// from then on. Gives how many.
///
/// # Errors
/// Only the database's.
pub async fn rows(tx: &impl ConnectionTrait, now: Time, deleted_before: Time) -> Result<u64, DbErr> {
    let never_came = Condition::all()
        .add(attachment::Column::State.eq(State::Pending))
        .add(attachment::Column::CreatedAt.lt(now - GRACE));
    let over = Condition::any()
        .add(never_came)
        .add(attachment::Column::DeletedAt.lt(deleted_before));
    Ok(attachment::Entity::delete_many().filter(over).exec(tx).await?.rows_affected)
}

/// Removes bytes that no row knows and that are older than [`GRACE`]. Gives how many files.
///
/// # Errors
/// The store's and the database's.
pub async fn files(db: &impl ConnectionTrait, files: &Files, now: Time) -> Result<u64, Error> {
    let old = |one: &Listed| one.modified_at < now - GRACE;
    let mut listed = files
        .list(Area::Attachments)
        .try_filter(|one| std::future::ready(old(one)))
        .chunks(AT_ONCE);
    let mut removed = 0;
    while let Some(some) = listed.next().await {
        let some: Vec<Listed> = some.into_iter().collect::<Result<_, _>>()?;
        let known = known(db, &some).await?;
        for one in some {
            // What has another name was not put there by us.
            if one.key.file_id().is_some_and(|id| !known.contains(&id)) {
                files.delete(&one.key).await?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

async fn known(db: &impl ConnectionTrait, listed: &[Listed]) -> Result<HashSet<FileId>, DbErr> {
    let found: Vec<Option<FileId>> = attachment::Entity::find()
        .select_only()
        .column(attachment::Column::FileId)
        .filter(attachment::Column::FileId.is_in(listed.iter().filter_map(|one| one.key.file_id())))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().flatten().collect())
}
