//! A directory as a store: files are written beside their place, made durable, and moved into it.

use super::{CHUNK, FilesError};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use kernel::clock::Time;
use object_store::local::LocalFileSystem;
use std::{
    fs::{self, DirBuilder},
    io::{self, SeekFrom},
    ops::Range,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

/// A directory that files are kept in.
#[derive(Clone, Debug)]
pub struct Directory {
    pub(super) disk: LocalFileSystem,
    root: PathBuf,
}

fn failed(path: &Path, error: &io::Error) -> FilesError {
    FilesError::Unavailable(format!("{}: {error}", path.display()))
}

impl Directory {
    pub(super) fn open(dir: &Path) -> Result<Self, FilesError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|error| failed(dir, &error))?;
        let disk = LocalFileSystem::new_with_prefix(dir).map_err(|error| FilesError::Unavailable(error.to_string()))?;
        Ok(Self {
            disk: disk.with_fsync(true),
            root: dir.to_owned(),
        })
    }

    pub(super) async fn forget_unfinished(&self, before: Time) -> Result<u64, FilesError> {
        let root = self.root.clone();
        let swept = tokio::task::spawn_blocking(move || sweep(&root, before).map_err(|error| failed(&root, &error)));
        swept.await.map_err(|error| FilesError::Unavailable(error.to_string()))?
    }
}

/// Walks through the directory and removes old files that were being written. Gives how many.
fn sweep(dir: &Path, before: Time) -> io::Result<u64> {
    let mut removed = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            removed += sweep(&entry.path(), before)?;
        } else if kind.is_file() && is_unfinished(&entry.path()) && is_older(&entry, before)? {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether a name ends as those do that `object_store` writes beside a file's place: `#1`. None of ours does.
fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let number = name.rsplit_once('#').map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_older(entry: &fs::DirEntry, before: Time) -> io::Result<bool> {
    Ok(Time::from(entry.metadata()?.modified()?) < before)
}

/// A part of an open file, read as it is taken.
pub(super) async fn chunks(file: fs::File, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes, FilesError>>, FilesError> {
    let lost = |error: io::Error| FilesError::Unavailable(error.to_string());
    let mut file = tokio::fs::File::from_std(file);
    file.seek(SeekFrom::Start(range.start)).await.map_err(lost)?;
    let part = file.take(range.end - range.start);
    Ok(ReaderStream::with_capacity(part, CHUNK).map_err(lost).boxed())
}
