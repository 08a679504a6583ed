//! Marks as what Markdown and HTML can say, and back. A [`Span`] is one of them over a range of bytes.

use crate::{
    kinds::{Mention, is_color, is_link, read_mention},
    view::Mark,
};
use serde_json::{Value, json};
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
    Mention(Mention),
    /// Only while reading marks: as a piece it is [`Piece::Code`](super::inline::Piece).
    Code,
}

/// A format over a range of bytes.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) format: Format,
    pub(super) range: Range<usize>,
}

impl Format {
    /// Whether it may not be closed and opened again: two halves of a link are two links.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self, Self::Link(_) | Self::Mention(_))
    }

    /// Where it leads, if it is written as a link.
    pub(super) fn url(&self) -> Option<String> {
        match self {
            Self::Link(url) => Some(url.clone()),
            Self::Mention(Mention::Page(id)) => Some(format!("/documents/{id}")),
            Self::Mention(Mention::User(id)) => Some(format!("/users/{id}")),
            Self::Mention(Mention::Date(_)) => None,
            Self::Bold | Self::Italic | Self::Strike | Self::Underline | Self::Highlight(_) | Self::Color(_) | Self::Code => None,
        }
    }

    fn of(mark: &Mark) -> Option<Self> {
        let is_on = mark.value == Value::Bool(true);
        let text = mark.value.as_str();
        let color = || text.filter(|color| is_color(color) && *color != "default").map(str::to_owned);
        match mark.name.as_str() {
            "bold" => is_on.then_some(Self::Bold),
            "italic" => is_on.then_some(Self::Italic),
            "underline" => is_on.then_some(Self::Underline),
            "strike" => is_on.then_some(Self::Strike),
            "code" => is_on.then_some(Self::Code),
            "highlight" if is_on => Some(Self::Highlight(None)),
            "highlight" => color().map(|color| Self::Highlight(Some(color))),
            "color" => color().map(Self::Color),
            "link" => text.filter(|link| is_link(link)).map(|link| Self::Link(link.to_owned())),
            "mention" => read_mention(text?).map(Self::Mention),
            _ => None,
        }
    }

    /// The name and value of the mark.
    fn into_mark(self) -> (&'static str, Value) {
        let mention = |kind: &str, id: String| ("mention", json!(json!({"kind": kind, "id": id}).to_string()));
        match self {
            Self::Bold => ("bold", json!(true)),
            Self::Italic => ("italic", json!(true)),
            Self::Strike => ("strike", json!(true)),
            Self::Underline => ("underline", json!(true)),
            Self::Highlight(color) => ("highlight", color.map_or(json!(true), |color| json!(color))),
            Self::Color(color) => ("color", json!(color)),
            Self::Link(url) => ("link", json!(url)),
            Self::Mention(Mention::User(id)) => mention("user", id),
            Self::Mention(Mention::Page(id)) => mention("page", id),
            Self::Mention(Mention::Date(id)) => mention("date", id),
            Self::Code => ("code", json!(true)),
        }
    }
}

/// Where formats end together, the first stands outside.
pub(super) fn rank(format: &Format) -> u8 {
    match format {
        Format::Link(_) | Format::Mention(_) => 0,
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
pub(super) fn spans(text: &str, marks: &[Mark]) -> Vec<Span> {
    if marks.is_empty() {
        return Vec::new();
    }
    let bytes = bytes_by_unit(text);
    let read = |mark: &Mark| {
        Some(Span {
            format: Format::of(mark)?,
            range: byte_range(&bytes, mark),
        })
    };
    merged(text, marks.iter().filter(|mark| mark.start < mark.end).filter_map(read))
}

/// Formats of a text as marks.
pub(super) fn marks(text: &str, spans: Vec<Span>) -> Vec<Mark> {
    let mut units = Units { text, byte: 0, unit: 0 };
    let spans = merged(text, spans.into_iter());
    let mut marks: Vec<Mark> = Vec::with_capacity(spans.len());
    for Span { format, range } in spans {
        let (name, value) = format.into_mark();
        let start = units.at(range.start);
        let end = start + text[range].encode_utf16().count();
        marks.push(Mark {
            name: name.to_owned(),
            value,
            start,
            end,
        });
    }
    marks
}

/// Code ends with its line, everything else may go on.
pub(super) fn by_line(text: &str, span: Span) -> Vec<Span> {
    if span.format != Format::Code {
        return vec![span];
    }
    let mut start = span.range.start;
    let lines = text[span.range].split_inclusive('\n').map(move |line| {
        let range = start..start + line.len();
        start = range.end;
        Span {
            format: Format::Code,
            range,
        }
    });
    lines.collect()
}

/// Counts UTF-16 units up to bytes that only grow.
struct Units<'t> {
    text: &'t str,
    byte: usize,
    unit: usize,
}

impl Units<'_> {
    fn at(&mut self, byte: usize) -> usize {
        self.unit += self.text[self.byte..byte].encode_utf16().count();
        self.byte = byte;
        self.unit
    }
}

/// Formats in order, at most one of each rank at a place, without blanks at their ends: as they can be written and read.
pub(super) fn merged(text: &str, spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut spans: Vec<Span> = spans
        .map(|span| Span {
            range: trimmed(text, span.range),
            ..span
        })
        .collect();
    spans.sort_by_key(|span| span.range.start);
    let mut last: [Option<usize>; 8] = [None; 8];
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for mut span in spans {
        let slot = &mut last[usize::from(rank(&span.format))];
        if let Some(previous) = slot.and_then(|index| merged.get_mut(index)) {
            if previous.format == span.format && continues(text, previous, &span) {
                previous.range.end = previous.range.end.max(span.range.end);
                continue;
            }
            span.range = trimmed(
                text,
                span.range.start.max(previous.range.end)..span.range.end.max(previous.range.end),
            );
        }
        if span.range.start < span.range.end {
            *slot = Some(merged.len());
            merged.push(span);
        }
    }
    merged.sort_by_key(|span| (span.range.start, rank(&span.format)));
    merged
}

/// Whether nothing stands between a format and the next of its kind: a line break alone ends none but code.
fn continues(text: &str, previous: &Span, next: &Span) -> bool {
    let between = text.get(previous.range.end..next.range.start).unwrap_or_default();
    next.range.start <= previous.range.end
        || next.format != Format::Code && between.ends_with('\n') && between.trim_matches(['\n', '\r', ' ', '\t']).is_empty()
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
