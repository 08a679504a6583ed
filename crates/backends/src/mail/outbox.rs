//! The directory that letters are put into when there is no mail server.

use super::{
    Letter, MailError,
    message::{self, Sender},
};
use parking_lot::Mutex;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// A directory with one file for each letter.
pub struct Outbox {
    dir: PathBuf,
    from: Sender,
    /// Held while a file is written: the temporary name of a letter is always the same, so that a crash leaves one at most.
    writing: Arc<Mutex<()>>,
}

impl Outbox {
    pub(super) fn new(dir: PathBuf, from: Sender) -> Result<Self, MailError> {
        make(&dir).map_err(|error| unavailable(&dir, &error))?;
        Ok(Self {
            dir,
            from,
            writing: Arc::default(),
        })
    }

    /// Writes the letter, unless it is there.
    pub(super) async fn keep(&self, letter: &Letter) -> Result<(), MailError> {
        let bytes = message::compose(&self.from, letter)?.formatted();
        let file = self.dir.join(format!("{}.eml", letter.id));
        let (writing, target) = (Arc::clone(&self.writing), file.clone());
        let wrote = tokio::task::spawn_blocking(move || {
            let _one_at_a_time = writing.lock();
            write(&target, &bytes)
        });
        let wrote = wrote.await.map_err(|error| MailError::Unavailable(error.to_string()))?;
        if wrote.map_err(|error| unavailable(&file, &error))? {
            tracing::info!(file = %file.display(), subject = ?letter.subject, "a letter was put into the outbox");
        }
        Ok(())
    }
}

/// Writes beside and moves into place, so that a crash leaves a whole letter or none. `false` when it was there.
fn write(file: &Path, bytes: &[u8]) -> io::Result<bool> {
    if file.try_exists()? {
        return Ok(false);
    }
    let dir = file.parent().unwrap_or(Path::new("."));
    make(dir)?;
    let beside = file.with_extension("new");
    // One that a crash left may have any mode.
    fs::remove_file(&beside).or_else(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            Ok(())
        } else {
            Err(error)
        }
    })?;
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    fs::rename(&beside, file)?;
    // The name is only kept when the directory is.
    File::open(dir)?.sync_all()?;
    Ok(true)
}

fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn unavailable(path: &Path, error: &io::Error) -> MailError {
    MailError::Unavailable(format!("{}: {error}", path.display()))
}
