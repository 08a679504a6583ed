//! Where two texts differ, word by word.

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};
use std::{
    ops::Range,
    time::{Duration, Instant},
};

/// How long one text may look for the best answer.
const PATIENCE: Duration = Duration::from_millis(200);

/// A part of a text that became another, in UTF-16 units of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hunk {
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
    /// What stands there now.
    pub(super) text: String,
}

/// The parts that differ, in order.
pub(super) fn hunks(old: &str, new: &str) -> Vec<Hunk> {
    let (old_words, new_words) = (words(old), words(new));
    let deadline = Some(Instant::now() + PATIENCE);
    let (old_starts, new_starts) = (starts(&old_words), starts(&new_words));
    let differing = capture_diff_slices_deadline(Algorithm::Myers, &old_words, &new_words, deadline)
        .into_iter()
        .filter(|op| !matches!(op, DiffOp::Equal { .. }));
    let (mut old_units, mut new_units) = (Units::of(old), Units::of(new));
    let hunk = |op: DiffOp| {
        let (old_range, new_range) = (op.old_range(), op.new_range());
        let mut was = old_starts[old_range.start]..old_starts[old_range.end];
        let mut is = new_starts[new_range.start]..new_starts[new_range.end];
        trim(old, &mut was, new, &mut is);
        Hunk {
            old: old_units.at(was.start)..old_units.at(was.end),
            new: new_units.at(is.start)..new_units.at(is.end),
            text: new[is].to_owned(),
        }
    };
    differing.map(hunk).collect()
}

/// Letters and digits that follow each other are a word, everything else stands alone.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first.is_alphanumeric() {
            true => rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
    words
}

/// Where each word begins, and where the last one ends.
fn starts(words: &[&str]) -> Vec<usize> {
    let ends = words.iter().scan(0, |at, word| {
        *at += word.len();
        Some(*at)
    });
    std::iter::once(0).chain(ends).collect()
}

/// Without what both ranges begin and end with.
fn trim(old: &str, was: &mut Range<usize>, new: &str, is: &mut Range<usize>) {
    let (a, b) = (&old[was.clone()], &new[is.clone()]);
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b);
    let begin: usize = same.map(|(c, _)| c.len_utf8()).sum();
    let (a, b) = (&a[begin..], &b[begin..]);
    let same = a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b);
    let end: usize = same.map(|(c, _)| c.len_utf8()).sum();
    *was = was.start + begin..was.end - end;
    *is = is.start + begin..is.end - end;
}

/// Counts UTF-16 units up to bytes that only grow.
struct Units<'t> {
    text: &'t str,
    byte: usize,
    unit: usize,
}

impl<'t> Units<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, byte: 0, unit: 0 }
    }

    fn at(&mut self, byte: usize) -> usize {
        self.unit += self.text[self.byte..byte].encode_utf16().count();
        self.byte = byte;
        self.unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let told = |old, new| hunks(old, new).into_iter().map(|hunk| (hunk.old, hunk.text)).collect::<Vec<_>>();
        assert_eq!(told("one two three", "one 2 three"), [(4..7, "2".to_owned())]);
        assert_eq!(
            told("😀 fast cat", "😀 faster cat!"),
            [(7..7, "er".to_owned()), (11..11, "!".to_owned())]
        );
        assert_eq!(told("a", "a"), []);
        assert_eq!(told("", "new"), [(0..0, "new".to_owned())]);
    }
}
