//! Markdown as a page: the way back of [`to_markdown`](super::to_markdown).
//!
//! What that writes is read as the blocks it was written for, as far as Markdown can carry them; what other people and
//! programs write is read as CommonMark with GitHub's tables, task lists, strikethrough, alerts and `$$` formulas. HTML is understood as far as [`html`] goes and is kept as a block of code beyond that: no word of a text is
//! lost without a [`Note`].
//!
//! Whatever the text, it neither panics nor recurses, and takes time and memory in proportion to its length, up to bounds.

mod html;
mod inline;
mod markup;
mod media;
mod note;
mod rich;
mod table;
#[cfg(test)]
mod tests;
mod walk;

pub use note::{Loss, Note};

use super::MAX_BYTES;
use crate::{error::Error, view::Block};
use comrak::{Arena, Options, ParseCancelled, nodes::Node, try_parse_document};
use std::{
    borrow::Cow,
    cell::Cell,
    time::{Duration, Instant},
};

/// The most blocks a text may have: as many as a page.
pub const MAX_BLOCKS: usize = 50_000;
/// The most lines, words with a format and other parts of a text. Each costs a few hundred bytes while it is read.
const MAX_PARTS: usize = 4_000_000;
/// How often the parser asks whether to go on: once in so many parts.
const STEP: usize = 256;
/// The longest a text may take, so that an input we have not thought of costs no more than that.
const MAX_TIME: Duration = Duration::from_secs(20);
/// The deepest that quotes stand in each other; the parser has a bound for lists of its own.
const MAX_QUOTES: usize = 64;

/// What a text says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// The heading of level 1 it begins with, if it does.
    pub title: Option<String>,
    /// Its blocks, with empty ids.
    pub blocks: Vec<Block>,
    /// What could not be kept as it was, in the order of the lines; the first [`note::MAX_NOTES`] of it.
    pub notes: Vec<Note>,
}

/// Why a text is not read at all. Nothing is ever cut off: who saves a text would lose the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It has more bytes than [`MAX_BYTES`].
    #[error("a text has at most {MAX_BYTES} bytes")]
    TooLong,
    /// It has more blocks than [`MAX_BLOCKS`].
    #[error("a text has at most {MAX_BLOCKS} blocks")]
    TooManyBlocks,
    /// It has more formats, links and lines than we keep in memory, or takes too long.
    #[error("the text is too complicated")]
    TooComplex,
    /// It says that it is only the beginning of a page.
    #[error("the text was cut when it was written, so it is not the whole page")]
    Cut,
}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::TooLarge(unreadable.to_string())
    }
}

/// Reads Markdown.
///
/// Degraded is what Markdown has no word for. Of blocks: colours, sizes, alignments and whatever else stands in props
/// that no syntax above carries; children of paragraphs, headings and other blocks that hold none in Markdown, which
/// follow their parent; paragraphs and formulas without text, which are not written; types nobody knows, which come back
/// as paragraphs where they have a text; callouts without a tone, which come back as quotes. Of text: blanks at the ends
/// of lines and around formats, marks of other programs, and formats that overlap where only one can stand. A bare URL
/// becomes a link. [`Note`]s tell of what a text has and a page has not.
///
/// # Errors
/// [`Unreadable`] when the text is beyond a bound.
pub fn read(text: &str) -> Result<Read, Unreadable> {
    read_with(text, &|_| None)
}

/// The same, with a say in where links and images lead: `links` gives another URL for one that stands in the text.
/// URLs that we would not keep ([`is_link`](crate::kinds::is_link)) have to become others here, or they are dropped.
///
/// # Errors
/// [`Unreadable`] when the text is beyond a bound.
pub fn read_with(text: &str, links: &dyn Fn(&str) -> Option<String>) -> Result<Read, Unreadable> {
    if text.len() > MAX_BYTES {
        return Err(Unreadable::TooLong);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = shallow(&plain(text)).into_owned();
    let arena = Arena::new();
    let root = parse(&arena, &text).map_err(|_| Unreadable::TooComplex)?;
    walk::Walk::new(&text, links).read(root)
}

/// The blocks that a tree of the writer's own will be read as. Their ids are those that `origin` gives their nodes; their
/// texts are escaped and not to be looked at.
pub(super) fn outline<'a>(root: Node<'a>, origin: &dyn Fn(Node<'a>) -> Option<String>) -> Result<Vec<Block>, Unreadable> {
    Ok(walk::Walk::new("", &|_| None).with_origins(origin).read(root)?.blocks)
}

fn parse<'a>(arena: &'a Arena<'a>, text: &str) -> Result<Node<'a>, ParseCancelled> {
    let begun = Instant::now();
    let steps = Cell::new(0);
    let stop = || {
        steps.set(steps.get() + 1);
        steps.get() > MAX_PARTS / STEP || begun.elapsed() > MAX_TIME
    };
    try_parse_document(arena, text, &github(), &stop)
}

/// As GitHub reads it, but for footnotes, because those that nothing refers to would be gone, and for bare links, which are
/// found where the writer finds them.
fn github() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.table = true;
    extension.tasklist = true;
    extension.strikethrough = true;
    extension.math_dollars = true;
    extension.alerts = true;
    options
}

/// The text with line ends of one kind and without NUL, as CommonMark says (2.1 and 2.3).
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}")
}

/// The text without the `>` that would nest quotes too deep: the parser makes a node for each.
fn shallow(text: &str) -> Cow<'_, str> {
    let in_marker = |c: &char| matches!(c, ' ' | '\t' | '>' | '-' | '*' | '+' | '.' | ')') || c.is_ascii_digit();
    let marker = |line: &str| line.chars().take_while(in_marker).count();
    let quotes = |line: &str| line[..marker(line)].matches('>').count();
    if text.split('\n').all(|line| quotes(line) <= MAX_QUOTES) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (marker, rest) = line.split_at(marker(line));
        let mut left = MAX_QUOTES;
        out.extend(marker.chars().filter(|c| {
            let is_kept = *c != '>' || left > 0;
            left -= usize::from(*c == '>' && left > 0);
            is_kept
        }));
        out.push_str(rest);
    }
    Cow::Owned(out)
}
