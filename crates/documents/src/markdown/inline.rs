//! Text with marks as a stream of pieces: formats that open and close in pairs, properly nested.
//!
//! Marks overlap freely; here a format that cannot be nested in another is closed and opened again. A link or a mention
//! is never split: what ends inside it is closed before it and opened again in it. Positions are UTF-16 units; one inside a
//! surrogate pair takes the whole character.

use super::span::{Format, Span, rank, spans};
use crate::view::Block;
use std::{iter, ops::Range};

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
        pieces(&block.text, spans(&block.text, &block.marks))
    }
}

/// Text without marks.
pub(super) fn plain(text: &str) -> Vec<Piece<'_>> {
    pieces(text, Vec::new())
}

/// Text with marks. Blanks at the ends of lines, and empty lines around the text, mean nothing in Markdown and go.
/// The spans are [`merged`](super::span::merged).
pub(super) fn pieces(text: &str, spans: Vec<Span>) -> Vec<Piece<'_>> {
    let text = text.trim_end();
    let mut spans = spans.into_iter().peekable();
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
        if let Some(link) = fresh.iter().find(|span| span.format.is_whole()) {
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
