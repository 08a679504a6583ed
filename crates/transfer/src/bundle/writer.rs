//! Writing a bundle, one page or file at a time: what was written is on its way to the disk, not in memory.

use super::{AttachmentEntry, MANIFEST, Manifest, PageContent, PageEntry, READABLE, attachment_path, content_path};
use kernel::id::DocumentId;
use sha2::{Digest, Sha256};
use std::io::{self, Seek, Write};
use uuid::Uuid;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// From as many bytes on, a file in a zip needs the wide form of its header.
const WIDE: u64 = u32::MAX as u64;

/// A bundle being written. Without [`Writer::finish`] it has no manifest, and is none.
pub struct Writer<W: Write + Seek> {
    zip: ZipWriter<W>,
    manifest: Manifest,
    open: Option<Open>,
}

/// A file that is being written.
struct Open {
    entry: AttachmentEntry,
    hash: Sha256,
}

/// A file to be written.
#[derive(Clone, Debug)]
pub struct File {
    /// Its id.
    pub id: Uuid,
    /// The page it belongs to.
    pub document: DocumentId,
    /// Its name as people see it.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// How many bytes it is said to have.
    pub size: u64,
}

impl<W: Write + Seek> Writer<W> {
    /// A bundle whose manifest begins with this one.
    pub fn new(into: W, manifest: Manifest) -> Self {
        Self {
            zip: ZipWriter::new(into),
            manifest,
            open: None,
        }
    }

    /// What was written so far.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What stands in the manifest, to be completed.
    pub fn manifest_mut(&mut self) -> &mut Manifest {
        &mut self.manifest
    }

    /// Writes the content of a page and notes its row. The entry's `path` is filled in here.
    ///
    /// # Errors
    /// Of writing.
    pub fn page(&mut self, mut entry: PageEntry, content: &PageContent) -> io::Result<()> {
        entry.path = content_path(entry.id);
        self.zip.start_file(entry.path.as_str(), packed()).map_err(io::Error::other)?;
        serde_json::to_writer(&mut self.zip, content).map_err(io::Error::other)?;
        self.manifest.pages.push(entry);
        Ok(())
    }

    /// Writes what is for people, under [`READABLE`].
    ///
    /// # Errors
    /// Of writing.
    pub fn readable(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.zip
            .start_file(format!("{READABLE}/{path}"), packed())
            .map_err(io::Error::other)?;
        self.zip.write_all(bytes)
    }

    /// Begins a file and says where it will stand. What comes next is its [`Writer::bytes`], then [`Writer::end`].
    ///
    /// # Errors
    /// Of writing.
    pub fn begin(&mut self, file: File) -> io::Result<String> {
        let path = attachment_path(file.id, &file.name);
        // Pictures, films and archives are packed already; a store of them is faster and no larger.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(file.size >= WIDE);
        self.zip.start_file(path.as_str(), options).map_err(io::Error::other)?;
        self.open = Some(Open {
            entry: AttachmentEntry {
                id: file.id,
                document_id: file.document,
                name: file.name,
                media_type: file.media_type,
                size: 0,
                sha256: String::new(),
                path: path.clone(),
            },
            hash: Sha256::new(),
        });
        Ok(path)
    }

    /// Some more of the file that was begun.
    ///
    /// # Errors
    /// Of writing, and when none was begun.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let open = self.open.as_mut().ok_or(io::ErrorKind::InvalidInput)?;
        open.hash.update(bytes);
        open.entry.size += bytes.len() as u64;
        self.zip.write_all(bytes)
    }

    /// Ends the file that was begun and notes its row: size and hash are those of what was written.
    pub fn end(&mut self) {
        if let Some(Open { mut entry, hash }) = self.open.take() {
            entry.sha256 = hex::encode(hash.finalize());
            self.manifest.attachments.push(entry);
        }
    }

    /// Takes back the file that was begun, as if it had never been.
    ///
    /// # Errors
    /// Of writing.
    pub fn forget(&mut self) -> io::Result<()> {
        match self.open.take() {
            Some(_) => self.zip.abort_file().map_err(io::Error::other),
            None => Ok(()),
        }
    }

    /// Writes the manifest and ends the zip. Gives what it was written into.
    ///
    /// # Errors
    /// Of writing.
    pub fn finish(mut self) -> io::Result<(W, Manifest)> {
        self.zip.start_file(MANIFEST, packed()).map_err(io::Error::other)?;
        serde_json::to_writer_pretty(&mut self.zip, &self.manifest).map_err(io::Error::other)?;
        let into = self.zip.finish().map_err(io::Error::other)?;
        Ok((into, self.manifest))
    }
}

fn packed() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}
