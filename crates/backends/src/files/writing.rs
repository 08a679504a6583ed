//! A file on its way into the store. Nobody sees it before `finish`, and nothing is left of it after `abort`.

use super::{Files, FilesError, Key};
use bytes::{Bytes, BytesMut};
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256};

/// What was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of them, in hexadecimal.
    pub sha256: String,
}

/// A file that is being written. Dropping it leaves nothing in a directory; a store that speaks S3 may keep unfinished
/// parts until its own rules remove them, so that [`Writing::abort`] is better.
pub struct Writing {
    store: Files,
    key: Key,
    limit: u64,
    size: u64,
    hash: Sha256,
    /// What is not sent yet: less than a part.
    waiting: BytesMut,
    parts: Option<Box<dyn MultipartUpload>>,
}

fn digits(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Writing {
    pub(super) fn new(store: Files, key: Key, limit: u64) -> Self {
        Self {
            store,
            key,
            limit,
            size: 0,
            hash: Sha256::new(),
            waiting: BytesMut::new(),
            parts: None,
        }
    }

    /// Bytes written so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What would be kept if this were the end.
    pub fn so_far(&self) -> Stored {
        Stored {
            size: self.size,
            sha256: digits(self.hash.clone()),
        }
    }

    /// Takes some more bytes; waits while the store is slower than who writes.
    ///
    /// # Errors
    /// [`FilesError::TooLarge`] from the first byte above the limit on, and the store's. What was written is of no use
    /// then: `abort`.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        let size = self.size.saturating_add(bytes.len() as u64);
        if size > self.limit {
            return Err(FilesError::TooLarge(self.limit));
        }
        self.size = size;
        self.hash.update(bytes);
        let part = self.store.part_bytes();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(part - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            rest = later;
            if self.waiting.len() == part && !rest.is_empty() {
                self.send().await?;
            }
        }
        Ok(())
    }

    /// Sends what waits as one more part.
    async fn send(&mut self) -> Result<(), FilesError> {
        let payload = PutPayload::from(self.take());
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => {
                let begun = match &self.store {
                    Files::Directory(store) => store.disk.put_multipart(self.key.path()).await,
                    Files::S3(store) => store.put_multipart(self.key.path()).await,
                };
                none.insert(begun.map_err(|error| FilesError::of_write(&error))?)
            }
        };
        parts.put_part(payload).await.map_err(|error| FilesError::of_write(&error))
    }

    fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.waiting).freeze()
    }

    /// Makes the file one that is there, whole and durable, or leaves none.
    ///
    /// # Errors
    /// The store's. Nobody can say whether the file is there when the answer was lost; what no row knows is removed later.
    pub async fn finish(mut self) -> Result<Stored, FilesError> {
        if let Err(error) = self.close().await {
            self.abort().await;
            return Err(error);
        }
        Ok(self.so_far())
    }

    async fn close(&mut self) -> Result<(), FilesError> {
        if self.parts.is_none() {
            let whole = PutPayload::from(self.take());
            let put = match &self.store {
                Files::Directory(store) => store.disk.put(self.key.path(), whole).await,
                Files::S3(store) => store.put(self.key.path(), whole).await,
            };
            return put.map(drop).map_err(|error| FilesError::of_write(&error));
        }
        self.send().await?;
        if let Some(parts) = &mut self.parts {
            parts.complete().await.map_err(|error| FilesError::of_write(&error))?;
        }
        Ok(())
    }

    /// Takes everything back.
    pub async fn abort(mut self) {
        if let Some(mut parts) = self.parts.take()
            && let Err(error) = parts.abort().await
        {
            tracing::warn!(%error, key = %self.key, "parts of an unfinished file may be left in the store");
        }
    }
}
