//! What people typed, so that Markdown reads it as that and nothing else, with as few backslashes as is safe.
//!
//! The rules are those of CommonMark 0.31 and of GitHub's extensions (tables, strikethrough, autolinks, `$` formulas).
//! Each character that could begin something is escaped where it could; the property tests parse the result back.

use super::rich::Place;
use crate::kinds::MAX_URL_LEN;
use std::{fmt::Write, ops::Range};

/// Where a run of text stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) place: Place,
    /// Nothing but formats stand before it on its line.
    pub(super) starts_line: bool,
    /// Inside a link, where there are no autolinks.
    pub(super) in_link: bool,
}

/// Escapes a run of text without line breaks.
pub(super) fn escape(text: &str, spot: Spot) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut previous = None;
    let mut rest = text;
    if spot.starts_line {
        rest = escape_line_start(rest, spot.place, &mut out);
        previous = text[..text.len() - rest.len()].chars().next_back();
    }
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let starts_word = !previous.is_some_and(char::is_alphanumeric);
        if let Some(url) = bare_url(rest).filter(|_| starts_word && !spot.in_link) {
            let _ = write!(out, "<{url}>");
            previous = url.chars().next_back();
            rest = &rest[url.len()..];
            continue;
        }
        if starts_word && !spot.in_link && rest.starts_with("www.") {
            out.push_str("www\\.");
            previous = Some('.');
            rest = &rest["www.".len()..];
            continue;
        }
        escape_char(c, Around { previous, after, spot }, &mut out);
        previous = Some(c);
        rest = after;
    }
    out
}

#[derive(Clone, Copy)]
struct Around<'t> {
    previous: Option<char>,
    after: &'t str,
    spot: Spot,
}

fn escape_char(c: char, around: Around<'_>, out: &mut String) {
    match c {
        '\0' => out.push('\u{fffd}'),
        '\t' => out.push(c),
        // A byte order mark at the very start would be dropped.
        '\u{feff}' => entity(c, out),
        c if c < ' ' => entity(c, out),
        c => {
            if needs_backslash(c, around) {
                out.push('\\');
            }
            out.push(c);
        }
    }
}

fn needs_backslash(c: char, Around { previous, after, spot }: Around<'_>) -> bool {
    let next = after.chars().next();
    match c {
        '`' | '*' | '[' | ']' | '~' | '$' => true,
        '_' => !(previous.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric)),
        '\\' => !next.is_some_and(|next| next == ' ' || next.is_alphanumeric()) || after.starts_with("http"),
        '<' => next != Some(' '),
        '&' => is_entity(after),
        '^' => spot.in_link && previous.is_none(),
        ':' => !spot.in_link && after.starts_with("//"),
        '#' => spot.place == Place::Heading && previous.is_none_or(char::is_whitespace),
        _ => false,
    }
}

/// Writes what only means something at the start of a line, and gives the rest.
fn escape_line_start<'t>(text: &'t str, place: Place, out: &mut String) -> &'t str {
    let Some(first) = text.chars().next() else { return text };
    let after = &text[first.len_utf8()..];
    let next = after.chars().next();
    if matches!(first, ' ' | '\t') {
        entity(first, out);
        return after;
    }
    if place != Place::Paragraph {
        return text;
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if (1..=9).contains(&digits) && text[digits..].starts_with(['.', ')']) {
        let (number, rest) = text.split_at(digits);
        let marks_item = rest[1..].chars().next().is_none_or(char::is_whitespace);
        let _ = write!(out, "{number}{}{}", if marks_item { "\\" } else { "" }, &rest[..1]);
        return &rest[1..];
    }
    let starts_block = match first {
        '#' | '>' | '=' | '|' => true,
        '-' | '+' => !next.is_some_and(char::is_alphanumeric),
        ':' => next.is_none_or(|next| matches!(next, '-' | '|')),
        _ => false,
    };
    if !starts_block {
        return text;
    }
    out.push('\\');
    out.push(first);
    after
}

/// A URL that GitHub would link as it stands. Written as `<url>` it needs no escapes and every reader links it.
fn bare_url(text: &str) -> Option<&str> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let text = &text[..text.floor_char_boundary(MAX_URL_LEN + 1)];
    let end = text.find(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '`' | '|' | '\\' | '\u{feff}'));
    let url = &text[..end.unwrap_or(text.len())];
    let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '*', '_', '~']);
    let reads_back = (scheme.len() + 1..=MAX_URL_LEN).contains(&url.len()) && !url.contains('&');
    reads_back.then_some(url)
}

/// Where [`escape`] writes `<url>`.
pub(super) fn bare_urls(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices("http") {
        let starts_word = !text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let is_behind = found.last().is_none_or(|last| last.end <= at);
        if let Some(url) = bare_url(&text[at..]).filter(|_| starts_word && is_behind) {
            found.push(at..at + url.len());
        }
    }
    found
}

/// Whether `&` and this would be read as one character.
fn is_entity(after: &str) -> bool {
    let name = after.strip_prefix('#').unwrap_or(after);
    let rest = name.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    rest.len() < name.len() && rest.starts_with(';')
}

fn entity(c: char, out: &mut String) {
    let _ = write!(out, "&#{};", u32::from(c));
}
