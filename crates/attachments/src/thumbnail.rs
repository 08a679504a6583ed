//! Making the small pictures of a file, after it has come. They are made once, lie beside it in the store, and go with it.

use crate::{
    Error, kind,
    picture::{self, Pictures},
};
use backends::files::{Files, Key};
use entity::attachment::{self, State};
use kernel::id::*;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, sea_query::Expr};
use std::sync::LazyLock;
use tokio::sync::Semaphore;

/// Bytes of a file from which on it is not looked at: it is read into memory.
const MOST_BYTES: u64 = 64 << 20;

/// Pictures that are decoded at the same time; the others wait.
static DECODING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// What is to be remembered of a file's small pictures.
pub struct Made {
    row: attachment::Model,
    pictures: Pictures,
}

/// Makes the small pictures of a file and keeps them; none where there is nothing to be made, or not any more. Doing it
/// again changes nothing.
///
/// # Errors
/// The store's and the database's, which may go better later.
pub async fn make(db: &impl ConnectionTrait, files: &Files, id: AttachmentId) -> Result<Option<Made>, Error> {
    let ready = attachment::Entity::find_by_id(id).filter(attachment::Column::State.eq(State::Ready));
    let Some(row) = ready.one(db).await? else { return Ok(None) };
    let (Some(file), true) = (row.file_id, is_wanted(&row)) else {
        return Ok(None);
    };
    let bytes = files.read(&Key::attachment(row.workspace_id, file), MOST_BYTES).await?;
    // Who closes it ends the process.
    let turn = DECODING.acquire().await.ok();
    let shrunk = tokio::task::spawn_blocking(move || picture::shrink(&bytes)).await;
    drop(turn);
    // A decoder that panics has met a broken picture.
    let Some(pictures) = shrunk.ok().flatten() else { return Ok(None) };
    for (edge, small) in &pictures.small {
        let key = Key::thumbnail(row.workspace_id, file, edge.pixels());
        files.put(&key, small.clone().into()).await?;
    }
    Ok(Some(Made { row, pictures }))
}

fn is_wanted(row: &attachment::Model) -> bool {
    let is_small = row
        .size
        .is_some_and(|size| u64::try_from(size).is_ok_and(|size| size <= MOST_BYTES));
    row.thumbnail.is_none() && is_small && kind::is_picture(&row.media_type)
}

/// Says in its row that a file has small pictures, and how large it is itself.
///
/// # Errors
/// Only the database's.
pub async fn remember(tx: &impl ConnectionTrait, made: Made) -> Result<(), DbErr> {
    let Made { row, pictures } = made;
    let pixels = |count: u32| i32::try_from(count).ok();
    let same = attachment::Entity::update_many()
        .filter(attachment::Column::Id.eq(row.id))
        .col_expr(attachment::Column::Width, Expr::value(pixels(pictures.width)))
        .col_expr(attachment::Column::Height, Expr::value(pixels(pictures.height)))
        .col_expr(attachment::Column::Thumbnail, Expr::value(pictures.media_type));
    same.exec(tx).await.map(drop)
}
