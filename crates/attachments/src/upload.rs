//! Bytes on their way in: counted, hashed, looked at and limited while they come. They lie in the store under a name of
//! their own before a row says so, and a row says so only once they are durable.

use crate::{
    Error, Store,
    attachment::{self as files, signed},
    kind, turn,
};
use backends::{
    db,
    files::{FilesError, Key, Stored, Writing},
};
use bytes::Bytes;
use entity::attachment::{self, State};
use events::Change;
use futures::{Stream, StreamExt};
use kernel::{clock, id::*};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::Expr};
use std::{fmt::Display, pin::pin, time::Duration};
use tokio::time::{Instant, timeout};
use workspaces::{
    Quotas,
    access::{DocumentAccess, EditDocument},
    quota,
};

/// Bytes that are put by at once for an upload of unknown size.
const STEP: u64 = 4 << 20;
/// Bytes a second that an upload has to bring on average, after a while.
const LEAST_PER_SEC: u64 = 1 << 10;
/// The longest that an upload takes: bytes that no row knows are removed some time after that.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);

/// Bytes that have come.
#[derive(Clone, Debug)]
pub struct Received {
    /// Their name in the store.
    pub file: FileId,
    /// How many, and their hash.
    pub stored: Stored,
    /// What they are.
    pub media_type: String,
}

/// Takes the bytes of a file that was announced. When it fails nothing is left of them; what was put by for them is given
/// back by [`attachment::forget`](files::forget), or used by another try.
///
/// # Errors
/// [`FilesError::TooLarge`], [`FilesError::Interrupted`], [`Error::TooSlow`], [`Error::SizeMismatch`],
/// [`Error::HashMismatch`], [`Error::AlreadyUploaded`], [`Error::Busy`], [`workspaces::Error::QuotaExceeded`], and the
/// store's.
pub async fn receive<E: Display>(
    store: &Store,
    access: &DocumentAccess<EditDocument>,
    row: &attachment::Model,
    body: impl Stream<Item = Result<Bytes, E>>,
) -> Result<Received, Error> {
    if row.state != State::Pending {
        return Err(Error::AlreadyUploaded);
    }
    let _turn = turn::take(access.user())?;
    let file = FileId::new();
    let mut coming = Coming {
        store,
        access,
        row,
        reserved: u64::try_from(row.reserved).unwrap_or_default(),
        head: Vec::new(),
        writing: store.files.begin(Key::attachment(row.workspace_id, file), store.limits.file_bytes),
    };
    let came = match coming.all(body).await {
        Ok(()) => coming.check(),
        Err(error) => Err(error),
    };
    if let Err(error) = came {
        coming.writing.abort().await;
        return Err(error);
    }
    Ok(Received {
        file,
        media_type: kind::of(&coming.head).to_owned(),
        stored: coming.writing.finish().await?,
    })
}

/// An upload that runs.
struct Coming<'a> {
    store: &'a Store,
    access: &'a DocumentAccess<EditDocument>,
    row: &'a attachment::Model,
    /// Bytes that are put by in the workspace's quota.
    reserved: u64,
    /// The beginning.
    head: Vec<u8>,
    writing: Writing,
}

impl Coming<'_> {
    async fn all<E: Display>(&mut self, body: impl Stream<Item = Result<Bytes, E>>) -> Result<(), Error> {
        let (mut body, since, idle) = (pin!(body), Instant::now(), self.store.limits.idle);
        loop {
            let next = timeout(idle, body.next()).await.map_err(|_| Error::TooSlow)?;
            let Some(some) = next else { return Ok(()) };
            self.some(&some.map_err(|error| FilesError::Interrupted(error.to_string()))?)
                .await?;
            let by_now = idle + Duration::from_secs(self.writing.size() / LEAST_PER_SEC);
            if since.elapsed() > by_now.min(LONGEST) {
                return Err(Error::TooSlow);
            }
        }
    }

    async fn some(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let size = self.writing.size() + bytes.len() as u64;
        if let Some(promised) = self.promised().filter(|promised| size > *promised) {
            return Err(Error::SizeMismatch { promised, came: size });
        }
        if size > self.store.limits.file_bytes {
            return Err(FilesError::TooLarge(self.store.limits.file_bytes).into());
        }
        self.reserve(size).await?;
        let looked_at = kind::HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..looked_at]);
        Ok(self.writing.write(bytes).await?)
    }

    fn promised(&self) -> Option<u64> {
        self.row.size.and_then(|size| u64::try_from(size).ok())
    }

    /// Puts by what has come and some more, or at least what has come.
    async fn reserve(&mut self, size: u64) -> Result<(), Error> {
        if size <= self.reserved || self.store.limits.quotas.storage_bytes.is_none() {
            return Ok(());
        }
        let ample = size.saturating_add(STEP).min(self.store.limits.file_bytes);
        match self.put_by(ample).await {
            Err(Error::Workspace(workspaces::Error::QuotaExceeded(_))) => self.put_by(size).await,
            done => done,
        }
    }

    async fn put_by(&mut self, bytes: u64) -> Result<(), Error> {
        let (id, more) = (self.row.id, bytes - self.reserved);
        db::write(&self.store.db, async |tx: &DatabaseTransaction| {
            quota::check_storage(tx, self.access, more, &self.store.limits.quotas).await?;
            let pending = pending(id).col_expr(attachment::Column::Reserved, Expr::value(signed(bytes)));
            match pending.exec(tx).await?.rows_affected {
                0 => Err(Error::NotFound),
                _ => Ok(()),
            }
        })
        .await?;
        self.reserved = bytes;
        Ok(())
    }

    /// Compares what came with what was promised.
    fn check(&self) -> Result<(), Error> {
        let Stored { size, sha256 } = self.writing.so_far();
        if let Some(promised) = self.promised().filter(|promised| *promised != size) {
            return Err(Error::SizeMismatch { promised, came: size });
        }
        match &self.row.sha256 {
            Some(promised) if *promised != sha256 => Err(Error::HashMismatch { came: sha256 }),
            _ => Ok(()),
        }
    }
}

fn pending(id: AttachmentId) -> sea_orm::UpdateMany<attachment::Entity> {
    attachment::Entity::update_many()
        .filter(attachment::Column::Id.eq(id))
        .filter(attachment::Column::State.eq(State::Pending))
}

/// Says that the bytes of a file are there. Of two uploads of one file the second is refused.
///
/// # Errors
/// [`Error::AlreadyUploaded`], [`Error::NotFound`], and [`workspaces::Error::QuotaExceeded`].
pub async fn complete(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<EditDocument>,
    id: AttachmentId,
    received: &Received,
    quotas: &Quotas,
) -> Result<attachment::Model, Error> {
    let (row, size) = (files::find(tx, access, id).await?, received.stored.size);
    let reserved = u64::try_from(row.reserved).unwrap_or_default();
    quota::check_storage(tx, access, size.saturating_sub(reserved), quotas).await?;
    let set = pending(id)
        .col_expr(attachment::Column::State, Expr::value("ready"))
        .col_expr(attachment::Column::FileId, Expr::value(received.file))
        .col_expr(attachment::Column::MediaType, Expr::value(received.media_type.as_str()))
        .col_expr(attachment::Column::Size, Expr::value(signed(size)))
        .col_expr(attachment::Column::Reserved, Expr::value(signed(size)))
        .col_expr(attachment::Column::Sha256, Expr::value(received.stored.sha256.clone()))
        .col_expr(attachment::Column::UploadedAt, Expr::value(clock::now()));
    if set.exec(tx).await?.rows_affected == 0 {
        return Err(Error::AlreadyUploaded);
    }
    let change = Change::AttachmentCreated {
        document: access.id(),
        attachment: id,
        media_type: received.media_type.clone(),
    };
    events::append(tx, access.by(), change).await?;
    files::find(tx, access, id).await
}

/// Removes bytes that no row will say anything of. What cannot be removed now is removed later.
pub async fn discard(store: &Store, workspace: WorkspaceId, received: &Received) {
    let key = Key::attachment(workspace, received.file);
    if let Err(error) = store.files.delete(&key).await {
        tracing::warn!(%error, %key, "bytes that belong to nothing stay for a while");
    }
}
