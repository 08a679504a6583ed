//! A file's bytes on their way out.

use crate::{Error, picture::Edge};
use backends::files::{Files, FilesError, Key, Opened};
use entity::attachment;
use std::ops::Range;

/// Which of a file's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Its own.
    Original,
    /// Those of a small picture of it.
    Thumbnail(Edge),
}

fn key(row: &attachment::Model, which: Which) -> Result<Key, Error> {
    let file = row.file_id.ok_or(Error::NotReady)?;
    match which {
        Which::Original => Ok(Key::attachment(row.workspace_id, file)),
        Which::Thumbnail(_) if row.thumbnail.is_none() => Err(Error::NoThumbnail),
        Which::Thumbnail(edge) => Ok(Key::thumbnail(row.workspace_id, file, edge.pixels())),
    }
}

/// Opens a file, or a part of it. Whoever calls this has asked the door for its page.
///
/// # Errors
/// [`Error::NotReady`], [`Error::NoThumbnail`], and the store's. A file that a row knows and the store does not is the
/// store's failure.
pub async fn open(files: &Files, row: &attachment::Model, which: Which, range: Option<Range<u64>>) -> Result<Opened, Error> {
    let key = key(row, which)?;
    let opened = match range {
        Some(range) => files.open_range(&key, range).await,
        None => files.open(&key).await,
    };
    opened.map_err(|error| {
        if error == FilesError::NotFound {
            tracing::error!(%key, "a file is not in the store");
        }
        error.into()
    })
}

/// Bytes of a file, or of a small picture of it.
///
/// # Errors
/// As [`open`].
pub async fn size(files: &Files, row: &attachment::Model, which: Which) -> Result<u64, Error> {
    if let (Which::Original, Some(size)) = (which, row.size) {
        key(row, which)?;
        return Ok(u64::try_from(size).unwrap_or_default());
    }
    let size = files.size_of(&key(row, which)?).await?;
    Ok(size.ok_or(FilesError::NotFound)?)
}
