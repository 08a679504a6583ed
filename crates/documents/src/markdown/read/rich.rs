//! Text with formats as it is being read, and as it will be written again.

use crate::{
    kinds::is_link,
    markdown::{
        escape::bare_urls,
        inline::{Piece, pieces},
        span::{self, Format, Span},
    },
    view::{Block, Mark},
};
use std::{mem, ops::Range};

/// The longest text of one block, in bytes.
pub(super) const MAX_TEXT: usize = 256 << 10;

/// Text with marks, in the one way that is read back from what would be written for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rich {
    pub(super) text: String,
    pub(super) marks: Vec<Mark>,
}

impl Rich {
    pub(super) fn into_block(self, kind: &str) -> Block {
        self.put_into(Block::of(kind))
    }

    /// Makes it the text of a block.
    pub(super) fn put_into(self, mut block: Block) -> Block {
        block.text = self.text;
        block.marks = self.marks;
        block
    }
}

/// Text with formats over ranges of its bytes.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) spans: Vec<Span>,
}

impl Draft {
    /// Notes that a format covers everything from there to the end.
    pub(super) fn close(&mut self, format: Format, start: usize) {
        let range = start..self.text.len();
        self.spans.push(Span { format, range });
    }

    /// Ends the text: in pieces no longer than a block may be, without those that say nothing.
    pub(super) fn finish(&mut self) -> Vec<Rich> {
        let Self { text, mut spans } = mem::take(self);
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let end = if text.len() - start > MAX_TEXT {
                text.floor_char_boundary(start + MAX_TEXT)
            } else {
                text.len()
            };
            let rich = tidy(&text[start..end], spans.iter().filter_map(|span| within(span, start..end)));
            pieces.extend(Some(rich).filter(|rich| !rich.text.is_empty()));
            spans.retain(|span| span.range.end > end);
            start = end;
        }
        pieces
    }
}

fn within(span: &Span, piece: Range<usize>) -> Option<Span> {
    let range = span.range.start.max(piece.start)..span.range.end.min(piece.end);
    (range.start < range.end).then(|| Span {
        format: span.format.clone(),
        range: range.start - piece.start..range.end - piece.start,
    })
}

/// Without the blanks that mean nothing: at the ends of lines, and empty lines around the text.
fn tidy(text: &str, spans: impl Iterator<Item = Span>) -> Rich {
    let spans: Vec<Span> = spans.collect();
    // First of all: what becomes a blank may end a line.
    let text = plain_code(text.to_owned(), &spans);
    let mut kept: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let ink = line.trim_end_matches(['\n', ' ', '\t', '\r']).len();
        if ink > 0 || !kept.is_empty() {
            kept.push(at..at + ink);
            if line.ends_with('\n') {
                kept.push(at + line.len() - 1..at + line.len());
            }
        }
        at += line.len();
    }
    let mut tidy: String = kept.iter().map(|range| &text[range.clone()]).collect();
    tidy.truncate(tidy.trim_end().len());
    let moved = Moved::new(&kept);
    let spans = spans.into_iter().map(|span| Span {
        range: moved.to(span.range.start).min(tidy.len())..moved.to(span.range.end).min(tidy.len()),
        ..span
    });
    let spans: Vec<Span> = spans.flat_map(|span| span::by_line(&tidy, span)).collect();
    let mut spans = as_written(&tidy, span::merged(&tidy, spans.into_iter()));
    // A link parts a text, and what stands before it may be a URL then.
    loop {
        let links = bare_links(&tidy, &spans);
        if links.is_empty() {
            break;
        }
        spans = span::merged(&tidy, spans.into_iter().chain(links));
    }
    Rich {
        marks: span::marks(&tidy, spans),
        text: tidy,
    }
}

/// Formats as they are when they were written: nested, and so without some of the blanks in them.
fn as_written(text: &str, spans: Vec<Span>) -> Vec<Span> {
    let mut written = Vec::new();
    let mut open: Vec<(Format, Option<usize>)> = Vec::new();
    let mut end = 0;
    for piece in pieces(text, spans) {
        match piece {
            Piece::Open(format) => open.push((format, None)),
            Piece::Close(_) => {
                if let Some((format, Some(start))) = open.pop() {
                    written.push(Span { format, range: start..end });
                }
            }
            Piece::Text(run) | Piece::Code(run) => {
                let start = offset(text, run);
                open.iter_mut().for_each(|(_, from)| *from = from.or(Some(start)));
                end = start + run.len();
                if matches!(piece, Piece::Code(_)) {
                    let format = Format::Code;
                    written.push(Span { format, range: start..end });
                }
            }
            Piece::Break => {}
        }
    }
    span::merged(text, written.into_iter())
}

/// Where a part of a text begins in it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

/// Code has blanks where there are control characters.
fn plain_code(mut text: String, spans: &[Span]) -> String {
    for Span { format, range } in spans {
        let code = &text[range.clone()];
        if *format == Format::Code && code.contains(|c| c < ' ' && c != '\n') {
            let plain = code.replace(|c| c < ' ' && c != '\n', " ");
            text.replace_range(range.clone(), &plain);
        }
    }
    text
}

/// Links for the URLs that stand in a text as they are: where they would be written as links.
fn bare_links(text: &str, spans: &[Span]) -> Vec<Span> {
    let mut links = Vec::new();
    if !text.contains("http") {
        return links;
    }
    let mut in_link = false;
    for piece in pieces(text, spans.to_vec()) {
        match piece {
            Piece::Open(format) | Piece::Close(format) if format.is_whole() => in_link = !in_link,
            Piece::Text(run) if !in_link => {
                let offset = offset(text, run);
                let urls = bare_urls(run).into_iter().filter(|url| is_link(&run[url.clone()]));
                links.extend(urls.map(|url| Span {
                    format: Format::Link(run[url.clone()].to_owned()),
                    range: offset + url.start..offset + url.end,
                }));
            }
            Piece::Open(_) | Piece::Close(_) | Piece::Text(_) | Piece::Code(_) | Piece::Break => {}
        }
    }
    links
}

/// Where bytes went when only some ranges were kept.
struct Moved<'k> {
    kept: &'k [Range<usize>],
    /// For each kept range, how many bytes were kept before it.
    before: Vec<usize>,
}

impl<'k> Moved<'k> {
    fn new(kept: &'k [Range<usize>]) -> Self {
        let sums = kept.iter().scan(0, |sum, range| {
            *sum += range.len();
            Some(*sum - range.len())
        });
        let before = sums.collect();
        Self { kept, before }
    }

    fn to(&self, byte: usize) -> usize {
        let index = self.kept.partition_point(|range| range.start <= byte);
        let Some(index) = index.checked_sub(1) else { return 0 };
        self.before[index] + (byte - self.kept[index].start).min(self.kept[index].len())
    }
}

/// A text in pieces no longer than a block may be; at least one.
pub(super) fn lengths(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let end = if text.len() > MAX_TEXT {
            text.floor_char_boundary(MAX_TEXT)
        } else {
            text.len()
        };
        rest = Some(&text[end..]).filter(|rest| !rest.is_empty());
        Some(&text[..end])
    })
}
