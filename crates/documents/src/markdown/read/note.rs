//! What a page has no place for, told with the line it stood on.

/// The most notes of one text.
pub const MAX_NOTES: usize = 1_000;

/// Something that could not be kept as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The line of the text, from 1.
    pub line: usize,
    /// What was lost.
    pub loss: Loss,
}

/// What was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// HTML that is no block of ours; it is kept as code.
    Html,
    /// A tag; what it stood around is kept.
    Tag,
    /// A comment.
    Comment,
    /// Where a link or an image led; its words are kept.
    Link,
    /// How deep a block stood; it is kept less deep.
    Nesting,
    /// The level of a heading below the fourth.
    Level,
    /// The title of a link, the alignment of a table's columns, what a fence said behind the language.
    Detail,
    /// That a text was one; it is kept as several, each as long as a block may be.
    Length,
}

impl Loss {
    /// A stable word for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Tag => "tag",
            Self::Comment => "comment",
            Self::Link => "link",
            Self::Nesting => "nesting",
            Self::Level => "level",
            Self::Detail => "detail",
            Self::Length => "length",
        }
    }

    /// A sentence for people.
    pub fn detail(self) -> &'static str {
        match self {
            Self::Html => "HTML is kept as a block of code",
            Self::Tag => "a tag was dropped, what it stood around is kept",
            Self::Comment => "a comment was dropped",
            Self::Link => "where a link or an image led was dropped, its words are kept",
            Self::Nesting => "a block stands less deep than it did",
            Self::Level => "a heading below the fourth level is one of the fourth",
            Self::Detail => "the title of a link, the alignment of a table or what follows a language was dropped",
            Self::Length => "a text that is too long for one block was parted",
        }
    }
}

/// Collects notes.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// The line that is being read.
    pub(super) line: usize,
    pub(super) all: Vec<Note>,
}

impl Notes {
    pub(super) fn lost(&mut self, loss: Loss) {
        let note = Note { line: self.line, loss };
        if self.all.len() < MAX_NOTES && self.all.last() != Some(&note) {
            self.all.push(note);
        }
    }
}
