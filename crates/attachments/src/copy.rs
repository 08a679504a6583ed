//! Files that come to a page by other ways than an upload: from an import, from a program.

use crate::{
    Error, Store,
    attachment::{self as files, NewAttachment},
    upload,
};
use bytes::Bytes;
use entity::attachment;
use futures::{Stream, stream};
use kernel::{error::Explain, error::Kind};
use sea_orm::DatabaseTransaction;
use std::{convert::Infallible, fmt::Display};
use workspaces::access::{self, DocumentAccess, EditDocument};

/// Adds a file in one step: announced, taken in and there, or nothing of it.
///
/// # Errors
/// As [`files::create`], [`upload::receive`] and [`upload::complete`], and what the door says when the right is gone by the
/// end.
pub async fn store_stream<E: Display>(
    store: &Store,
    access: &DocumentAccess<EditDocument>,
    new: NewAttachment,
    body: impl Stream<Item = Result<Bytes, E>>,
) -> Result<attachment::Model, Error> {
    let row = access::write(&store.db, access, async |tx: &DatabaseTransaction| {
        files::create(tx, access, new, &store.limits).await
    })
    .await?;
    match store_announced(store, access, &row, body).await {
        Ok(row) => Ok(row),
        Err(error) => {
            let forgotten = backends::db::write(&store.db, async |tx: &DatabaseTransaction| files::forget(tx, access, row.id).await);
            if let Err(why) = forgotten.await {
                tracing::warn!(error = %why, "a file that did not come stays announced for a day");
            }
            Err(error)
        }
    }
}

/// Takes in the bytes of a file that was announced, and says that they are there.
///
/// # Errors
/// As [`upload::receive`] and [`upload::complete`], and what the door says when the right is gone by the end.
pub async fn store_announced<E: Display>(
    store: &Store,
    access: &DocumentAccess<EditDocument>,
    row: &attachment::Model,
    body: impl Stream<Item = Result<Bytes, E>>,
) -> Result<attachment::Model, Error> {
    let received = upload::receive(store, access, row, body).await?;
    let completed = access::write(&store.db, access, async |tx: &DatabaseTransaction| {
        upload::complete(tx, access, row.id, &received, &store.limits.quotas).await
    })
    .await;
    if let Err(error) = &completed
        && !matches!(error.kind(), Kind::Unavailable | Kind::Internal)
    {
        // Of other failures nobody can say that the commit did not happen.
        upload::discard(store, row.workspace_id, &received).await;
    }
    completed
}

/// Adds a file that is in memory.
///
/// # Errors
/// As [`store_stream`].
pub async fn store_bytes(
    store: &Store,
    access: &DocumentAccess<EditDocument>,
    name: &str,
    bytes: Bytes,
) -> Result<attachment::Model, Error> {
    let new = NewAttachment {
        id: None,
        name: name.to_owned(),
        size: Some(bytes.len() as u64),
        sha256: None,
    };
    store_stream(store, access, new, stream::iter([Ok::<_, Infallible>(bytes)])).await
}
