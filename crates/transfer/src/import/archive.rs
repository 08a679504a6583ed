//! Archives of strangers: listed and read within bounds, never unpacked to names of theirs.
//!
//! What an archive says of itself is believed nowhere: how many entries there are is known once they were counted, and how
//! large one is while it inflates. Archives inside (the parts of a large Notion export) are inflated into files without a
//! name, which are gone with the process.

pub mod name;
#[cfg(test)]
mod tests;

use super::{limits::Limits, report::Reason};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom, Write},
};
use zip::{
    CompressionMethod, ZipReadOptions,
    read::{Config, OwnedZipFileEntry, ZipFileEntry},
    unstable::read::ZipIterable,
};

/// Entries up to this size may be packed as tightly as they like.
const SMALL: u64 = 1 << 20;
/// The smallest size of an entry's header, before its name.
const HEADER_BYTES: u64 = 30;
/// Bytes of names and remarks that are kept in memory.
const DIRECTORY_BYTES: usize = 32 << 20;

/// Why an entry, or an archive, is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of reason.
    pub reason: Reason,
    /// In words.
    pub detail: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

/// An entry that may be read.
struct Entry {
    part: usize,
    of: OwnedZipFileEntry,
}

/// An archive and those inside it, as one tree of files.
pub struct Archive {
    parts: Vec<BufReader<File>>,
    entries: BTreeMap<String, Entry>,
    /// Paths in lower case, for links that do not mind.
    folded: BTreeMap<String, Option<String>>,
    refused: Vec<(String, Refusal)>,
    counted: usize,
    inflated: u64,
    limits: Limits,
}

impl Archive {
    /// Opens an archive and the parts inside it.
    ///
    /// # Errors
    /// When nothing of it can be used: it is none, it is damaged, or it is made to do harm.
    pub fn open(file: File, limits: &Limits) -> Result<Self, Refusal> {
        let mut archive = Self {
            parts: Vec::new(),
            entries: BTreeMap::new(),
            folded: BTreeMap::new(),
            refused: Vec::new(),
            counted: 0,
            inflated: 0,
            limits: limits.clone(),
        };
        archive.add(file, "", 1)?;
        for path in archive.entries.keys() {
            let folded = archive.folded.entry(path.to_lowercase()).or_insert_with(|| Some(path.clone()));
            if folded.as_ref() != Some(path) {
                *folded = None;
            }
        }
        Ok(archive)
    }

    /// The files, in the order of their paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The size a file says it has.
    pub fn size(&self, path: &str) -> Option<u64> {
        self.entries.get(path).map(|entry| entry.of.size())
    }

    /// The path that is meant: this one, or the only one that differs in nothing but case.
    pub fn find(&self, path: &str) -> Option<&str> {
        if let Some((path, _)) = self.entries.get_key_value(path) {
            return Some(path);
        }
        self.folded.get(&path.to_lowercase())?.as_deref()
    }

    /// What is left out, and why; taken once.
    pub fn take_refused(&mut self) -> Vec<(String, Refusal)> {
        std::mem::take(&mut self.refused)
    }

    /// Lists an archive under a folder, and those inside it.
    fn add(&mut self, file: File, folder: &str, depth: usize) -> Result<(), Refusal> {
        let part = self.parts.len();
        self.parts.push(BufReader::new(file.try_clone().map_err(|e| damaged(&e))?));
        let mut listed = ZipIterable::try_new(BufReader::new(file), Config::default()).map_err(|e| of_zip(&e))?;
        if self.counted + listed.len() > self.limits.entries {
            return Err(Refusal::new(
                Reason::TooMany,
                format!("an import takes {} files at most", self.limits.entries),
            ));
        }
        let entries = list(&mut listed)?;
        self.counted += entries.len();
        check_overlaps(&entries)?;
        self.check_sizes(&entries)?;
        let mut inside = Vec::new();
        for entry in entries.into_iter().filter(|entry| !entry.is_dir()) {
            if let Some(path) = self.take_in(entry, part, folder) {
                inside.push(path);
            }
        }
        inside.into_iter().for_each(|path| self.open_inside(&path, depth));
        Ok(())
    }

    /// Bombs say how large they are, mostly.
    fn check_sizes(&self, entries: &[ZipFileEntry<'static>]) -> Result<(), Refusal> {
        let total = entries.iter().fold(0_u64, |sum, entry| sum.saturating_add(entry.size()));
        if total > self.limits.inflated_bytes {
            return Err(too_large("the archive", self.limits.inflated_bytes));
        }
        Ok(())
    }

    /// Takes an entry into the tree. Gives its path when it is an archive that belongs to this one.
    fn take_in(&mut self, entry: ZipFileEntry<'static>, part: usize, folder: &str) -> Option<String> {
        let raw = entry
            .name()
            .map_or_else(|_| String::from_utf8_lossy(entry.name_raw()).into_owned(), |name| name.into_owned());
        let path = match name::clean(&raw) {
            Ok(path) if folder.is_empty() => path,
            Ok(path) => format!("{folder}/{path}"),
            Err(why) => {
                self.refused.push((raw, Refusal::new(Reason::UnsafePath, why)));
                return None;
            }
        };
        if let Some(refusal) = refusal_of(&entry, &path).or_else(|| self.duplicate(&path)) {
            self.refused.push((path, refusal));
            return None;
        }
        let is_archive = is_part(&path);
        self.entries.insert(path.clone(), Entry { part, of: entry.into() });
        is_archive.then_some(path)
    }

    fn duplicate(&self, path: &str) -> Option<Refusal> {
        let is_taken = self.entries.contains_key(path);
        is_taken.then(|| Refusal::new(Reason::DuplicateName, "there is another file of this name"))
    }

    /// Opens an archive that is an entry, in its own place.
    fn open_inside(&mut self, path: &str, depth: usize) {
        let opened = if depth >= self.limits.depth {
            Err(Refusal::new(
                Reason::NestedTooDeep,
                format!("archives are read {} deep", self.limits.depth),
            ))
        } else {
            self.spool(path, u64::MAX)
                .and_then(|file| self.add(file, name::folder(path), depth + 1))
        };
        self.entries.remove(path);
        if let Err(refusal) = opened {
            self.refused.push((path.to_owned(), refusal));
        }
    }

    /// A file in memory.
    ///
    /// # Errors
    /// When it is larger than `most`, damaged, or a bomb.
    pub fn read(&mut self, path: &str, most: u64) -> Result<Vec<u8>, Refusal> {
        let mut bytes = Vec::new();
        self.inflate(path, most, &mut bytes)?;
        Ok(bytes)
    }

    /// A file as one on disk that has no name.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn spool(&mut self, path: &str, most: u64) -> Result<File, Refusal> {
        let mut file = tempfile::tempfile().map_err(|e| Refusal::new(Reason::Unreadable, e.to_string()))?;
        self.inflate(path, most, &mut file)?;
        file.seek(SeekFrom::Start(0)).map_err(|e| damaged(&e))?;
        Ok(file)
    }

    fn inflate(&mut self, path: &str, most: u64, into: &mut impl Write) -> Result<(), Refusal> {
        let entry = self
            .entries
            .get(path)
            .ok_or_else(|| Refusal::new(Reason::FileMissing, "there is no such file"))?;
        let most = most.min(self.limits.inflated_bytes.saturating_sub(self.inflated));
        if entry.of.size() > most {
            return Err(too_large("the file", most));
        }
        let tightest = entry.of.compressed_size().saturating_mul(self.limits.ratio).max(SMALL);
        let declared = entry.of.size();
        let mut reader = entry
            .of
            .as_ref()
            .with_reader(&mut self.parts[entry.part], ZipReadOptions::new())
            .map_err(|e| of_zip(&e))?;
        let (mut buffer, mut seen) = (vec![0; 64 << 10], 0_u64);
        loop {
            let read = reader.read(&mut buffer).map_err(|e| damaged(&e))?;
            if read == 0 {
                break;
            }
            seen += read as u64;
            self.inflated += read as u64;
            if seen > declared {
                return Err(Refusal::new(Reason::Damaged, "it is larger than it says"));
            }
            if seen > tightest {
                return Err(Refusal::new(
                    Reason::Bomb,
                    format!("it inflates to more than {} times its size", self.limits.ratio),
                ));
            }
            into.write_all(&buffer[..read]).map_err(|e| damaged(&e))?;
        }
        if seen < declared {
            return Err(Refusal::new(Reason::Damaged, "it is smaller than it says"));
        }
        Ok(())
    }
}

/// The entries of an archive, as long as what is said of them fits into memory.
fn list(archive: &mut ZipIterable<BufReader<File>>) -> Result<Vec<ZipFileEntry<'static>>, Refusal> {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for entry in archive.files().map_err(|e| of_zip(&e))? {
        let entry = entry.map_err(|e| of_zip(&e))?;
        bytes += entry.name_raw().len() + entry.comment().len();
        if bytes > DIRECTORY_BYTES {
            return Err(Refusal::new(Reason::TooMany, "its list of files is too long"));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Whether a file is a part of an export that was too large for one archive.
fn is_part(path: &str) -> bool {
    let (stem, ending) = name::split(path);
    ending == "zip"
        && !name::is_of_the_system(path)
        && (stem.contains("Export") || stem.contains("-Part-") || name::folder(path).is_empty())
}

fn refusal_of(entry: &ZipFileEntry<'_>, path: &str) -> Option<Refusal> {
    if entry.is_symlink() {
        return Some(Refusal::new(Reason::Symlink, "links of the file system are not followed"));
    }
    if entry.encrypted() {
        return Some(Refusal::new(Reason::Unreadable, "it is encrypted"));
    }
    if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        return Some(Refusal::new(Reason::Unreadable, "it is packed in a way that is not read here"));
    }
    name::is_of_the_system(path).then(|| Refusal::new(Reason::SystemFile, "it belongs to a system, not to a person"))
}

/// Entries that share bytes: the cheapest way to inflate a little into very much.
fn check_overlaps(entries: &[ZipFileEntry<'_>]) -> Result<(), Refusal> {
    let end = |entry: &ZipFileEntry<'_>| {
        let header = HEADER_BYTES + entry.name_raw().len() as u64;
        entry.header_start().saturating_add(header).saturating_add(entry.compressed_size())
    };
    let mut places: Vec<(u64, u64)> = entries.iter().map(|entry| (entry.header_start(), end(entry))).collect();
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return Err(Refusal::new(Reason::Overlapping, "its files lie over each other"));
    }
    Ok(())
}

fn too_large(what: &str, most: u64) -> Refusal {
    Refusal::new(Reason::TooLarge, format!("{what} has more than {most} bytes"))
}

fn damaged(error: &std::io::Error) -> Refusal {
    Refusal::new(Reason::Damaged, error.to_string())
}

fn of_zip(error: &zip::result::ZipError) -> Refusal {
    use zip::result::ZipError;
    match error {
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) | ZipError::InvalidPassword => {
            Refusal::new(Reason::Unreadable, error.to_string())
        }
        _ => Refusal::new(Reason::Damaged, error.to_string()),
    }
}
