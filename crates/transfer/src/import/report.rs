//! What became of every file of an import: kept whole, kept with losses, or left out, and why.
//!
//! A report is bounded whatever comes in. Past [`MAX_ITEMS`] files it only counts, and says so.

use kernel::id::DocumentId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Files that are listed one by one; those that were left out or lost something come first.
pub const MAX_ITEMS: usize = 2_000;
/// The longest path or detail, in characters.
const MAX_WORDS: usize = 300;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All of it is there.
    Imported,
    /// It is there, but for what the reasons name.
    Degraded,
    /// It is not there.
    Skipped,
}

/// Why something was lost or left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Scripts, handlers of events, and addresses that run one.
    ScriptRemoved,
    /// An address that no page keeps: its scheme, or its length.
    UrlRemoved,
    /// A file that the page shows is not in the archive.
    FileMissing,
    /// A file that the page shows could not be kept.
    FileRefused,
    /// A link to a page that was not imported.
    LinkBroken,
    /// Bytes that are not of the encoding they say they are; they were read as another.
    EncodingGuessed,
    /// Characters that could not be read stand as U+FFFD.
    CharactersReplaced,
    /// Blocks nested deeper than a page allows stand on the deepest level.
    Flattened,
    /// The page is continued in pages under it.
    PageSplit,
    /// A text too long for one block stands in several.
    TextSplit,
    /// A table with too many columns stands in several.
    TableSplit,
    /// Cells that spanned others stand apart.
    CellsSeparated,
    /// Something a page has no block for.
    Unsupported,
    /// A value of a block that was not valid.
    ValueRemoved,
    /// The title was shortened.
    TitleShortened,
    /// The page hangs elsewhere, because the page above it was not imported.
    Moved,
    /// Files of the system, not of the person.
    SystemFile,
    /// Nothing shows it, and it is no page.
    Unused,
    /// The same content stands in another file of the archive.
    Superseded,
    /// A name that leads out of the archive, or that some system reads otherwise.
    UnsafePath,
    /// A link of the file system.
    Symlink,
    /// Encrypted, or packed in a way that is not read here.
    Unreadable,
    /// Cut off, or not what its checksum says.
    Damaged,
    /// A second file of the same name.
    DuplicateName,
    /// Parts of the archive lie over each other.
    Overlapping,
    /// Larger than what is taken.
    TooLarge,
    /// It inflates to many times its size.
    Bomb,
    /// More than is taken in one import.
    TooMany,
    /// An archive in an archive in an archive.
    NestedTooDeep,
    /// Markup that nests or branches beyond measure.
    TooComplex,
    /// What is wanted is not what the file is.
    WrongFormat,
    /// The workspace has no room.
    QuotaExceeded,
    /// Whoever imports may not make pages there any more.
    Forbidden,
    /// The page was refused; the detail says why.
    Refused,
    /// The import was stopped before.
    Cancelled,
}

/// One reason, with an example and how often it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Why.
    pub code: Reason,
    /// The first case of it.
    pub detail: String,
    /// How many there were.
    pub count: u64,
}

/// Reasons that gather while a file is read: each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(BTreeMap<Reason, (String, u64)>);

impl Notes {
    /// Takes account of a loss.
    pub fn add(&mut self, reason: Reason, detail: impl AsRef<str>) {
        let entry = self.0.entry(reason).or_insert_with(|| (short(detail.as_ref()), 0));
        entry.1 += 1;
    }

    /// Takes over those of a part.
    pub fn extend(&mut self, other: Self) {
        for (reason, (detail, count)) in other.0 {
            let entry = self.0.entry(reason).or_insert((detail, 0));
            entry.1 += count;
        }
    }

    /// Whether nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a loss of this kind was noted.
    pub fn has(&self, reason: Reason) -> bool {
        self.0.contains_key(&reason)
    }

    fn list(self) -> Vec<Note> {
        let note = |(code, (detail, count))| Note { code, detail, count };
        self.0.into_iter().map(note).collect()
    }
}

/// A file and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Where it stands in what was sent.
    pub path: String,
    /// What became of it.
    pub status: Status,
    /// The page it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_id: Option<DocumentId>,
    /// Why it is not all there.
    pub reasons: Vec<Note>,
}

/// How many files came to what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Whole.
    pub imported: u64,
    /// With losses.
    pub degraded: u64,
    /// Not at all.
    pub skipped: u64,
    /// Pages that were made; a file may be several.
    pub pages: u64,
    /// Files that were kept beside pages.
    pub attachments: u64,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What it was taken for.
    pub format: String,
    /// The pages at the top of what was imported.
    pub roots: Vec<DocumentId>,
    /// In the order of the archive; at most [`MAX_ITEMS`].
    pub items: Vec<Item>,
    /// All of them, listed or not.
    pub counts: Counts,
    /// How many are counted and not listed.
    pub unlisted: u64,
}

impl Report {
    /// A file that became a page.
    pub fn kept(&mut self, path: &str, document: DocumentId, notes: Notes) {
        let status = if notes.is_empty() { Status::Imported } else { Status::Degraded };
        self.push(path, status, Some(document), notes);
    }

    /// A file that did not.
    pub fn skipped(&mut self, path: &str, reason: Reason, detail: impl AsRef<str>) {
        let mut notes = Notes::default();
        notes.add(reason, detail);
        self.push(path, Status::Skipped, None, notes);
    }

    fn push(&mut self, path: &str, status: Status, document_id: Option<DocumentId>, notes: Notes) {
        match status {
            Status::Imported => self.counts.imported += 1,
            Status::Degraded => self.counts.degraded += 1,
            Status::Skipped => self.counts.skipped += 1,
        }
        let is_full = self.items.len() >= MAX_ITEMS;
        // What went well gives way to what did not.
        let place = match is_full && status > Status::Imported {
            true => self.items.iter().rposition(|item| item.status == Status::Imported),
            false => None,
        };
        if let Some(place) = place {
            self.items.remove(place);
        }
        if is_full {
            self.unlisted += 1;
        }
        if !is_full || place.is_some() {
            self.items.push(Item {
                path: short(path),
                status,
                document_id,
                reasons: notes.list(),
            });
        }
    }

    /// Says of a page, afterwards, that something it leads to is not there.
    pub fn degrade(&mut self, document: DocumentId, reason: Reason, detail: &str) {
        let Some(item) = self.items.iter_mut().find(|item| item.document_id == Some(document)) else {
            return;
        };
        if item.status == Status::Imported {
            item.status = Status::Degraded;
            self.counts.imported -= 1;
            self.counts.degraded += 1;
        }
        match item.reasons.iter_mut().find(|note| note.code == reason) {
            Some(note) => note.count += 1,
            None => item.reasons.push(Note {
                code: reason,
                detail: short(detail),
                count: 1,
            }),
        }
    }
}

/// Words of a stranger for a report: one line, not too long.
fn short(words: &str) -> String {
    let line = words.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = line.take(MAX_WORDS).collect();
    if words.chars().nth(MAX_WORDS).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_bounded_and_keeps_what_went_wrong() {
        let mut report = Report::default();
        (0..MAX_ITEMS + 500).for_each(|i| report.kept(&format!("{i}.md"), DocumentId::new(), Notes::default()));
        report.skipped("../evil", Reason::UnsafePath, "x".repeat(10_000));
        assert_eq!(report.items.len(), MAX_ITEMS);
        assert_eq!(report.unlisted, 501);
        assert_eq!((report.counts.imported, report.counts.skipped), (2_500, 1));
        let last = report.items.last().expect("an item");
        assert_eq!(last.reasons[0].code, Reason::UnsafePath);
        assert!(last.reasons[0].detail.chars().count() <= MAX_WORDS + 1);
    }

    #[test]
    fn the_same_reason_is_told_once() {
        let mut notes = Notes::default();
        (0..9).for_each(|i| notes.add(Reason::ScriptRemoved, format!("script {i}")));
        let mut report = Report::default();
        let page = DocumentId::new();
        report.kept("a.html", page, notes);
        report.degrade(page, Reason::LinkBroken, "b.html");
        let item = &report.items[0];
        assert_eq!(item.status, Status::Degraded);
        assert_eq!((item.reasons[0].detail.as_str(), item.reasons[0].count), ("script 0", 9));
        assert_eq!(item.reasons[1].code, Reason::LinkBroken);
    }
}
