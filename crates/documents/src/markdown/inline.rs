//! Text with marks as a stream of pieces: formats that open and close in pairs, properly nested.
//!
//! Marks overlap freely; here a format that cannot be nested in another is closed and opened again. A link is never
//! split: what ends inside it is closed before it and opened again in it. Positions are UTF-16 units; one inside a
//! surrogate pair takes the whole character.

use crate::{
    kinds::{Mention, is_color, is_link, read_mention},
    view::{Block, Mark},
};
use serde_json::Value;
use std::{iter, ops::Range};

/// What a mark does to text, as far as Markdown and HTML can say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Bold,
    Italic,
    Strike,
    Underline,
    Highlight(Option<String>),
    Color(String),
    Link(String),
    /// Only while reading marks: as a piece it is [`Piece::Code`].
    Code,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Open(Format),
    Close(Format),
    Text(&'t str),
    Code(&'t str),
    Break,
}

impl<'t> Piece<'t> {
    /// The text of a block.
    pub(super) fn of(block: &'t Block) -> Vec<Self> {
        pieces(&block.text, &block.marks)
    }
}

/// Text without marks.
pub(super) fn plain(text: &str) -> Vec<Piece<'_>> {
    pieces(text, &[])
}

#[derive(Clone, Debug)]
struct Span {
    format: Format,
    range: Range<usize>,
}

/// Text with marks. Blanks at the ends of lines, and empty lines around the text, mean nothing in Markdown and go.
pub(super) fn pieces<'t>(text: &'t str, marks: &[Mark]) -> Vec<Piece<'t>> {
    let text = text.trim_end();
    let mut spans = spans(text, marks).into_iter().peekable();
    let mut active: Vec<Span> = Vec::new();
    let mut nest = Nest::default();
    for (number, line) in lines(text).enumerate() {
        if number > 0 && !nest.pieces.is_empty() {
            nest.pieces.push(Piece::Break);
        }
        let mut at = line.start;
        while at < line.end {
            active.extend(iter::from_fn(|| spans.next_if(|span| span.range.start <= at)));
            active.retain(|span| span.range.end > at);
            let ends = active.iter().map(|span| span.range.end);
            let next = ends.chain(spans.peek().map(|span| span.range.start)).fold(line.end, usize::min);
            nest.text(&active, &text[at..next]);
            at = next;
        }
    }
    nest.keep(0);
    nest.pieces
}

/// The lines of a text, without what ends them.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split('\n').map(move |line| {
        let range = start..start + line.trim_end_matches([' ', '\t', '\r']).len();
        start += line.len() + 1;
        range
    })
}

#[derive(Default)]
struct Nest<'t> {
    pieces: Vec<Piece<'t>>,
    /// What is open, outermost first.
    open: Vec<Span>,
}

impl<'t> Nest<'t> {
    fn text(&mut self, active: &[Span], text: &'t str) {
        let wanted = |span: &Span| active.iter().any(|other| other.format == span.format);
        let kept = self.open.iter().take_while(|span| wanted(span)).count();
        self.keep(kept);
        let is_code = |span: &&Span| span.format == Format::Code;
        let mut fresh: Vec<_> = active
            .iter()
            .filter(|span| !is_code(span) && !self.has(&span.format))
            .cloned()
            .collect();
        if let Some(link) = fresh.iter().find(|span| matches!(span.format, Format::Link(_))) {
            let end = link.range.end;
            let kept = self.open.iter().take_while(|span| span.range.end >= end).count();
            fresh.extend(self.open[kept..].iter().cloned());
            self.keep(kept);
        }
        let in_code = active.iter().any(|span| is_code(&span));
        let blank = if fresh.is_empty() || in_code {
            0
        } else {
            text.len() - text.trim_start().len()
        };
        let (blank, text) = text.split_at(blank);
        self.push(Piece::Text(blank));
        if text.is_empty() {
            return;
        }
        fresh.sort_by_key(|span| (usize::MAX - span.range.end, rank(&span.format)));
        for span in fresh {
            self.pieces.push(Piece::Open(span.format.clone()));
            self.open.push(span);
        }
        self.push(if in_code { Piece::Code(text) } else { Piece::Text(text) });
    }

    fn push(&mut self, piece: Piece<'t>) {
        if piece != Piece::Text("") {
            self.pieces.push(piece);
        }
    }

    fn has(&self, format: &Format) -> bool {
        self.open.iter().any(|span| span.format == *format)
    }

    /// Closes all but the outermost `kept`, before the blanks that end the text so far.
    fn keep(&mut self, kept: usize) {
        if kept >= self.open.len() {
            return;
        }
        let mut blank = "";
        if let Some(Piece::Text(text)) = self.pieces.last_mut()
            && !text.trim_end().is_empty()
        {
            (*text, blank) = text.split_at(text.trim_end().len());
        }
        let closed = self.open.drain(kept..).rev();
        self.pieces.extend(closed.map(|span| Piece::Close(span.format)));
        self.push(Piece::Text(blank));
    }
}

/// Where formats end together, the first stands outside.
fn rank(format: &Format) -> u8 {
    match format {
        Format::Link(_) => 0,
        Format::Color(_) => 1,
        Format::Highlight(_) => 2,
        Format::Underline => 3,
        Format::Strike => 4,
        Format::Bold => 5,
        Format::Italic => 6,
        Format::Code => 7,
    }
}

/// The marks we can write, as ranges of bytes in order, at most one of each rank at a place.
fn spans(text: &str, marks: &[Mark]) -> Vec<Span> {
    if marks.is_empty() {
        return Vec::new();
    }
    let bytes = bytes_by_unit(text);
    let read = |mark: &Mark| {
        Some(Span {
            format: read_format(mark)?,
            range: trimmed(text, byte_range(&bytes, mark)),
        })
    };
    let mut spans: Vec<_> = marks.iter().filter(|mark| mark.start < mark.end).filter_map(read).collect();
    spans.sort_by_key(|span| span.range.start);
    let mut last: [Option<usize>; 8] = [None; 8];
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for mut span in spans {
        let slot = &mut last[usize::from(rank(&span.format))];
        if let Some(previous) = slot.and_then(|index| merged.get_mut(index)) {
            if previous.format == span.format && span.range.start <= previous.range.end {
                previous.range.end = previous.range.end.max(span.range.end);
                continue;
            }
            span.range.start = span.range.start.max(previous.range.end);
        }
        if span.range.start < span.range.end {
            *slot = Some(merged.len());
            merged.push(span);
        }
    }
    merged.sort_by_key(|span| span.range.start);
    merged
}

/// For each UTF-16 unit, and for the end, where its character starts in bytes.
fn bytes_by_unit(text: &str) -> Vec<usize> {
    let units = text.char_indices().flat_map(|(at, c)| iter::repeat_n(at, c.len_utf16()));
    units.chain(iter::once(text.len())).collect()
}

fn byte_range(bytes: &[usize], mark: &Mark) -> Range<usize> {
    let last = bytes.len().saturating_sub(1);
    let byte = |unit: usize| bytes.get(unit.min(last)).copied().unwrap_or_default();
    let is_inside = mark.end > 0 && mark.end < last && byte(mark.end) == byte(mark.end - 1);
    byte(mark.start)..byte(mark.end.saturating_add(usize::from(is_inside)))
}

/// Without blanks at its ends, which no delimiter may touch.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let covered = text.get(range.clone()).unwrap_or_default();
    let start = range.start + (covered.len() - covered.trim_start().len());
    start..start + covered.trim().len()
}

fn read_format(mark: &Mark) -> Option<Format> {
    let is_on = mark.value == Value::Bool(true);
    let text = mark.value.as_str();
    let color = || text.filter(|color| is_color(color) && *color != "default").map(str::to_owned);
    match mark.name.as_str() {
        "bold" => is_on.then_some(Format::Bold),
        "italic" => is_on.then_some(Format::Italic),
        "underline" => is_on.then_some(Format::Underline),
        "strike" => is_on.then_some(Format::Strike),
        "code" => is_on.then_some(Format::Code),
        "highlight" if is_on => Some(Format::Highlight(None)),
        "highlight" => color().map(|color| Format::Highlight(Some(color))),
        "color" => color().map(Format::Color),
        "link" => text.filter(|link| is_link(link)).map(|link| Format::Link(link.to_owned())),
        "mention" => match read_mention(text?)? {
            Mention::Page(id) => Some(Format::Link(format!("/documents/{id}"))),
            Mention::User(id) => Some(Format::Link(format!("/users/{id}"))),
            Mention::Date(_) => None,
        },
        _ => None,
    }
}
