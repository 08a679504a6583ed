//! Text with marks as runs that look alike, in order, without overlaps. Positions of marks are UTF-16 units; one inside a
//! surrogate pair takes the whole character. What a mark may not be (a link into a script) is left out, because a page may
//! hold changes that no check has seen.

use super::palette;
use documents::{
    kinds::{Mention, is_color, is_link, read_mention},
    view::{Block, Mark},
};
use serde_json::Value;
use std::iter;

/// How a run looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// **Bold**.
    pub bold: bool,
    /// *Italic*.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Struck through.
    pub strike: bool,
    /// As code.
    pub code: bool,
    /// `#rrggbb`.
    pub color: Option<String>,
    /// `#rrggbb` behind it.
    pub highlight: Option<String>,
    /// Where it leads: a link that we would store.
    pub link: Option<String>,
    /// Whom or what it names.
    pub mention: Option<Mention>,
}

/// A piece of text that looks alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run<'t> {
    /// The text; it may hold line breaks.
    pub text: &'t str,
    /// How it looks.
    pub style: Style,
}

/// The text of a block as runs.
pub fn of(block: &Block) -> Vec<Run<'_>> {
    split(block.text.trim_end(), &block.marks)
}

fn split<'t>(text: &'t str, marks: &[Mark]) -> Vec<Run<'t>> {
    if text.is_empty() {
        return Vec::new();
    }
    let bytes: Vec<usize> = text
        .char_indices()
        .flat_map(|(at, c)| iter::repeat_n(at, c.len_utf16()))
        .chain(iter::once(text.len()))
        .collect();
    let byte = |unit: usize| bytes.get(unit).copied().unwrap_or(text.len());
    // The end of a mark inside a surrogate pair is that of the character.
    let end = |unit: usize| {
        if unit > 0 && byte(unit) < text.len() && byte(unit) == byte(unit - 1) {
            byte(unit + 1)
        } else {
            byte(unit)
        }
    };
    let mut spans: Vec<(usize, usize, &Mark)> = marks
        .iter()
        .map(|mark| (byte(mark.start), end(mark.end), mark))
        .filter(|(from, to, _)| from < to)
        .collect();
    spans.sort_by_key(|(from, _, _)| *from);
    let mut edges: Vec<usize> = spans.iter().flat_map(|(from, to, _)| [*from, *to]).chain([0, text.len()]).collect();
    edges.sort_unstable();
    edges.dedup();
    let (mut waiting, mut active) = (spans.into_iter().peekable(), Vec::new());
    let mut runs: Vec<Run<'t>> = Vec::new();
    for pair in edges.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        active.retain(|(_, until, _)| *until > from);
        while let Some(span) = waiting.next_if(|span| span.0 <= from) {
            active.push(span);
        }
        let style = active.iter().fold(Style::default(), |style, (_, _, mark)| dressed(style, mark));
        match runs.last_mut() {
            // A run goes on where only marks changed that we do not show.
            Some(last) if last.style == style => last.text = &text[from - last.text.len()..to],
            _ => runs.push(Run {
                text: &text[from..to],
                style,
            }),
        }
    }
    runs
}

fn dressed(mut style: Style, mark: &Mark) -> Style {
    let is_on = mark.value == Value::Bool(true);
    let text = mark.value.as_str();
    let color = || text.filter(|color| is_color(color));
    match mark.name.as_str() {
        "bold" => style.bold |= is_on,
        "italic" => style.italic |= is_on,
        "underline" => style.underline |= is_on,
        "strike" => style.strike |= is_on,
        "code" => style.code |= is_on,
        "highlight" if is_on => style.highlight = Some(palette::HIGHLIGHT.to_owned()),
        "highlight" => style.highlight = color().and_then(palette::behind).or(style.highlight),
        "color" => style.color = color().and_then(palette::text).or(style.color),
        "link" => style.link = text.filter(|link| is_link(link)).map(str::to_owned).or(style.link),
        "mention" => style.mention = text.and_then(read_mention).or(style.mention),
        _ => {}
    }
    style
}

/// A text without marks.
pub fn plain(text: &str) -> Vec<Run<'_>> {
    split(text, &[])
}

/// Whether a text runs from right to left: by its first letter (Unicode's rule P2, for the scripts that do).
pub fn is_rtl(text: &str) -> bool {
    let is_rtl =
        |c: char| matches!(u32::from(c), 0x0590..=0x08FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFF | 0x10800..=0x10FFF | 0x1E800..=0x1EFFF);
    text.chars().find(|c| c.is_alphabetic()).is_some_and(is_rtl)
}
