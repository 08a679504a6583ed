//! Files that are too large for rows: in a directory, or in a bucket of a store that speaks S3.
//!
//! A file is there whole and durable or not at all, is never changed, and goes by a name made of ids ([`Key`]). Who may
//! read one is none of this module's business.

mod bucket;
mod directory;
mod key;
#[cfg(test)]
mod tests;
mod writing;

pub use bucket::{Bucket, Style, Transport};
pub use directory::Directory;
pub use key::{Area, Key};
pub use writing::{Stored, Writing};

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream::BoxStream};
use kernel::{
    clock::Time,
    error::{Explain, Kind},
    id::ConnectionId,
};
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectStore, ObjectStoreExt, aws::AmazonS3};
use std::{fmt::Display, ops::Range, path::Path, pin::pin};

/// What is sent to a store at once. S3 wants 5 MiB and more, and takes 10 000 parts: files up to 80 GiB.
const S3_PART: usize = 8 << 20;
const DIRECTORY_PART: usize = 1 << 20;
/// What is read of a file at once.
const CHUNK: usize = 64 << 10;

/// Where files are kept; cheap to clone.
#[derive(Clone, Debug)]
pub enum Files {
    /// A directory of this machine, or one that several machines share.
    Directory(Directory),
    /// A bucket.
    S3(AmazonS3),
}

/// Why a file was not kept or found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// There is no such file.
    #[error("the file is not there")]
    NotFound,
    /// It has more bytes than it may.
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    /// Who sent it stopped before its end.
    #[error("the file did not come whole: {0}")]
    Interrupted(String),
    /// A setting that cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// The store cannot do it now.
    #[error("the store of files does not work: {0}")]
    Unavailable(String),
}

impl FilesError {
    /// Of a read: what is not there is one answer of many.
    fn of_read(error: &object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other => Self::Unavailable(other.to_string()),
        }
    }

    /// Of a write: what is not there is the bucket.
    fn of_write(error: &object_store::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl Explain for FilesError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::TooLarge(_) => Kind::TooLarge,
            Self::Interrupted(_) | Self::Invalid(_) => Kind::Invalid,
            Self::Unavailable(_) => Kind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "file_not_found",
            Self::TooLarge(_) => "file_too_large",
            Self::Interrupted(_) => "file_interrupted",
            Self::Invalid(_) => "file_invalid",
            Self::Unavailable(_) => "files_unavailable",
        }
    }
}

/// A file, or a part of one, as it is read.
pub struct Opened {
    /// Bytes of the whole file.
    pub size: u64,
    /// Which of them come.
    pub range: Range<u64>,
    /// They, read as fast as they are taken.
    pub bytes: BoxStream<'static, Result<Bytes, FilesError>>,
}

/// A file in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub key: Key,
    /// Bytes.
    pub size: u64,
    /// When it was written.
    pub modified_at: Time,
}

impl Files {
    /// A directory, made with mode 0700 when it is not there; the mode of one that is stays as it is.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn directory(dir: &Path) -> Result<Self, FilesError> {
        Ok(Self::Directory(Directory::open(dir)?))
    }

    /// A bucket. It is not asked yet.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn s3(bucket: &Bucket) -> Result<Self, FilesError> {
        Ok(Self::S3(bucket.open()?))
    }

    fn store(&self) -> &dyn ObjectStore {
        match self {
            Self::Directory(directory) => &directory.disk,
            Self::S3(bucket) => bucket,
        }
    }

    fn part_bytes(&self) -> usize {
        match self {
            Self::Directory(_) => DIRECTORY_PART,
            Self::S3(_) => S3_PART,
        }
    }

    /// Writes a small file, reads it and removes it.
    ///
    /// # Errors
    /// Says which of the three does not work.
    pub async fn check(&self) -> Result<(), FilesError> {
        let key = Key::probe(ConnectionId::new());
        let said = |what: &str, error: FilesError| FilesError::Unavailable(format!("{what}: {error}"));
        let probe = Bytes::from_static(b"sheaf");
        self.put(&key, probe.clone()).await.map_err(|error| said("cannot write", error))?;
        let read = self.read(&key, probe.len() as u64).await;
        let removed = self.delete(&key).await;
        if read.map_err(|error| said("cannot read", error))? != probe {
            return Err(FilesError::Unavailable("it gives back something else than was written".to_owned()));
        }
        removed.map_err(|error| said("cannot remove", error))
    }

    /// Begins a file of at most so many bytes.
    pub fn begin(&self, key: Key, limit: u64) -> Writing {
        Writing::new(self.clone(), key, limit)
    }

    /// Keeps a file that is in memory.
    ///
    /// # Errors
    /// The store's.
    pub async fn put(&self, key: &Key, bytes: Bytes) -> Result<Stored, FilesError> {
        let mut writing = self.begin(key.clone(), u64::MAX);
        match writing.write(&bytes).await {
            Ok(()) => writing.finish().await,
            Err(error) => {
                writing.abort().await;
                Err(error)
            }
        }
    }

    /// Keeps what comes, as fast as it comes, up to so many bytes. When it returns `Ok` the file is durable; when it fails
    /// nothing is left.
    ///
    /// # Errors
    /// [`FilesError::TooLarge`], [`FilesError::Interrupted`] when the stream fails, and the store's.
    pub async fn put_stream<E: Display>(
        &self,
        key: &Key,
        limit: u64,
        bytes: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<Stored, FilesError> {
        let mut writing = self.begin(key.clone(), limit);
        let mut bytes = pin!(bytes);
        while let Some(some) = bytes.next().await {
            let written = match some {
                Ok(some) => writing.write(&some).await,
                Err(error) => Err(FilesError::Interrupted(error.to_string())),
            };
            if let Err(error) = written {
                writing.abort().await;
                return Err(error);
            }
        }
        writing.finish().await
    }

    /// Opens a file.
    ///
    /// # Errors
    /// [`FilesError::NotFound`], and the store's.
    pub async fn open(&self, key: &Key) -> Result<Opened, FilesError> {
        self.open_at(key, None).await
    }

    /// Opens a part of a file. A range that reaches beyond its end is cut.
    ///
    /// # Errors
    /// [`FilesError::NotFound`], a range that begins behind the end, and the store's.
    pub async fn open_range(&self, key: &Key, range: Range<u64>) -> Result<Opened, FilesError> {
        self.open_at(key, Some(GetRange::Bounded(range))).await
    }

    async fn open_at(&self, key: &Key, range: Option<GetRange>) -> Result<Opened, FilesError> {
        let options = GetOptions {
            range,
            ..GetOptions::default()
        };
        let got = self.store().get_opts(key.path(), options).await;
        let got = got.map_err(|error| FilesError::of_read(&error))?;
        Ok(Opened {
            size: got.meta.size,
            range: got.range.clone(),
            bytes: chunks(got).await?,
        })
    }

    /// Reads a whole file of at most so many bytes into memory.
    ///
    /// # Errors
    /// [`FilesError::TooLarge`], [`FilesError::NotFound`], and the store's.
    pub async fn read(&self, key: &Key, limit: u64) -> Result<Bytes, FilesError> {
        let opened = self.open(key).await?;
        if opened.size > limit {
            return Err(FilesError::TooLarge(limit));
        }
        let mut whole = Vec::with_capacity(usize::try_from(opened.size).unwrap_or_default());
        let mut bytes = opened.bytes;
        while let Some(some) = bytes.try_next().await? {
            whole.extend_from_slice(&some);
        }
        Ok(whole.into())
    }

    /// Bytes of a file; none when it is not there.
    ///
    /// # Errors
    /// The store's.
    pub async fn size_of(&self, key: &Key) -> Result<Option<u64>, FilesError> {
        match self.store().head(key.path()).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(FilesError::of_read(&error)),
        }
    }

    /// Another file with the same bytes, made by the store itself.
    ///
    /// # Errors
    /// [`FilesError::NotFound`], and the store's.
    pub async fn copy(&self, from: &Key, to: &Key) -> Result<(), FilesError> {
        let copied = self.store().copy(from.path(), to.path()).await;
        copied.map_err(|error| FilesError::of_read(&error))
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// The store's.
    pub async fn delete(&self, key: &Key) -> Result<(), FilesError> {
        match self.store().delete(key.path()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(FilesError::of_read(&error)),
        }
    }

    /// All files of an area, in no order that could be counted on.
    pub fn list(&self, area: Area) -> BoxStream<'static, Result<Listed, FilesError>> {
        let listed = self.store().list(Some(&object_store::path::Path::from(area.name())));
        let one = |meta: object_store::ObjectMeta| Listed {
            key: Key::from(meta.location),
            size: meta.size,
            modified_at: meta.last_modified,
        };
        listed.map_ok(one).map_err(|error| FilesError::of_read(&error)).boxed()
    }

    /// Removes what processes that were killed while they wrote have left, when it is older than `before`. A bucket removes
    /// unfinished parts by a rule of its own. Gives how many it were.
    ///
    /// # Errors
    /// The store's.
    pub async fn forget_unfinished(&self, before: Time) -> Result<u64, FilesError> {
        match self {
            Self::Directory(directory) => directory.forget_unfinished(before).await,
            Self::S3(_) => Ok(0),
        }
    }
}

async fn chunks(got: GetResult) -> Result<BoxStream<'static, Result<Bytes, FilesError>>, FilesError> {
    match got.payload {
        GetResultPayload::File(file, _) => directory::chunks(file, got.range).await,
        GetResultPayload::Stream(stream) => Ok(stream.map_err(|error| FilesError::of_read(&error)).boxed()),
    }
}
