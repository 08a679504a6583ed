//! Where `**`, `*` and `~~` work, and where only a tag does.
//!
//! CommonMark reads a run of delimiters by its neighbours (left- and right-flanking, section 6.2), so `a**"b"**c` is
//! not bold. A pair that might not be read is written as HTML, which every reader of Markdown takes inline. The rules
//! here are a little stricter than CommonMark's, so that Unicode's categories need not be known.

use super::{inline::Piece, rich::Part, span::Format};

/// Stands for `~~`: neither a letter nor a blank nor punctuation.
const STRIKE: char = '\u{ffff}';

/// Decides for each format that could be delimiters whether it has to be tags, and notes it in the parts.
pub(super) fn decide(parts: &mut [Part<'_>]) {
    let mut open = Vec::new();
    for index in 0..parts.len() {
        match parts[index].piece {
            Piece::Open(_) => open.push(index),
            Piece::Close(_) => {
                // What is inside has been decided; what is around has not, and may still become tags, which never harms.
                let Some(opener) = open.pop() else { continue };
                let works = works(parts, opener, index) && !closes_more(parts, &open, opener);
                parts[opener].is_tag = !works;
                parts[index].is_tag = !works;
            }
            Piece::Text(_) | Piece::Code(_) | Piece::Break => {}
        }
    }
}

fn works(parts: &[Part<'_>], opener: usize, closer: usize) -> bool {
    let Some(delimiter) = delimiter(&parts[opener]) else { return false };
    let in_run = |part: &Part<'_>, is_open: bool| {
        matches!(part.piece, Piece::Open(_)) == is_open && !part.is_tag && self::delimiter(part) == Some(delimiter)
    };
    let before = parts[..opener]
        .iter()
        .rev()
        .find(|part| !in_run(part, true))
        .map_or('\n', last_char);
    let after = parts[closer + 1..]
        .iter()
        .find(|part| !in_run(part, false))
        .map_or('\n', first_char);
    let inside = &parts[opener + 1..closer];
    let first = inside.iter().find(|part| !in_run(part, true)).map_or('\n', first_char);
    let last = inside.iter().rev().find(|part| !in_run(part, false)).map_or('\n', last_char);
    // Beside another pair with the same delimiter, the two runs would be read as one.
    let is_beside = before == if delimiter == '~' { STRIKE } else { delimiter };
    !is_beside && flanks(first, before) && flanks(last, after)
}

/// Whether the opener would be read as the end of a pair around it: possible where it may close one, and where the
/// run that opened the other is so long that the rule of three does not forbid it.
fn closes_more(parts: &[Part<'_>], open: &[usize], opener: usize) -> bool {
    let own = delimiter(&parts[opener]);
    let is_same = |part: &Part<'_>| matches!(part.piece, Piece::Open(_)) && !part.is_tag && delimiter(part) == own;
    let Some(outer) = open.iter().rev().copied().find(|index| is_same(&parts[*index])) else {
        return false;
    };
    outer + 1 < opener && is_same(&parts[outer + 1]) && !last_char(&parts[opener - 1]).is_whitespace()
}

fn delimiter(part: &Part<'_>) -> Option<char> {
    match &part.piece {
        Piece::Open(format) | Piece::Close(format) => match format {
            Format::Bold | Format::Italic => Some('*'),
            Format::Strike => Some('~'),
            Format::Underline | Format::Highlight(_) | Format::Color(_) | Format::Link(_) | Format::Mention(_) | Format::Code => None,
        },
        Piece::Text(_) | Piece::Code(_) | Piece::Break => None,
    }
}

/// Whether a run between these is read as one that opens before (or closes after) what is inside.
fn flanks(inside: char, outside: char) -> bool {
    is_letter(inside) || !inside.is_whitespace() && (outside.is_ascii_punctuation() || matches!(outside, ' ' | '\t' | '\n'))
}

/// A letter or a digit, which no category of punctuation claims: letters in circles and squares are symbols.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && !matches!(c, '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f189}')
}

fn first_char(part: &Part<'_>) -> char {
    match &part.piece {
        Piece::Open(format) if format.url().is_some() => '[',
        Piece::Close(format) if format.url().is_some() => ']',
        Piece::Open(_) | Piece::Close(_) => delimiter_char(part).unwrap_or('<'),
        Piece::Text(_) => part.source.chars().next().unwrap_or('\n'),
        Piece::Code(_) => '`',
        Piece::Break => '\n',
    }
}

fn last_char(part: &Part<'_>) -> char {
    match &part.piece {
        Piece::Open(format) if format.url().is_some() => '[',
        Piece::Close(format) if format.url().is_some() => ')',
        Piece::Open(_) | Piece::Close(_) => delimiter_char(part).unwrap_or('>'),
        Piece::Text(_) => part.source.chars().next_back().unwrap_or('\n'),
        Piece::Code(_) => '`',
        Piece::Break => '\n',
    }
}

/// GitHub's reader looks through `~` at what is behind, others do not: it counts as the worse of both.
fn delimiter_char(part: &Part<'_>) -> Option<char> {
    let delimiter = delimiter(part).filter(|_| !part.is_tag)?;
    Some(if delimiter == '~' { STRIKE } else { delimiter })
}
