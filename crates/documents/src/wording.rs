//! How two texts differ. Two long texts without anything in common take for ever to compare exactly, so every comparison
//! ends at a deadline; what was not compared by then counts as replaced.

use serde::Serialize;
use similar::{Algorithm, DiffOp, DiffTag, TextDiff, capture_diff_slices_deadline};
use std::time::{Duration, Instant};

/// How long one answer's comparisons may take together.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1_000);
/// Lines around a change in a unified diff.
const CONTEXT: usize = 3;

/// What became of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is in both.
    Kept,
    /// It is new.
    Inserted,
    /// It is gone.
    Deleted,
}

/// A piece of text and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What became of it.
    pub fate: Fate,
    /// What it says.
    pub text: String,
}

/// A change of a text at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Splice<'a> {
    /// UTF-16 units from the start of the text as it was.
    pub at: usize,
    /// UTF-16 units that go.
    pub delete: usize,
    /// What comes in their place.
    pub insert: &'a str,
}

/// Words as they are, and every other character for itself.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        if c.is_alphanumeric() {
            start.get_or_insert(at);
            continue;
        }
        words.extend(start.take().map(|from: usize| &text[from..at]));
        words.push(&text[at..at + c.len_utf8()]);
    }
    words.extend(start.map(|from| &text[from..]));
    words
}

/// The way from one text to another, word by word.
pub fn pieces(from: &str, to: &str, until: Instant) -> Vec<Piece> {
    let (old, new) = (words(from), words(to));
    let mut pieces: Vec<Piece> = Vec::new();
    let mut push = |fate, words: &[&str]| {
        let text = words.concat();
        if !text.is_empty() {
            pieces.push(Piece { fate, text });
        }
    };
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(until)) {
        match op.tag() {
            DiffTag::Equal => push(Fate::Kept, &new[op.new_range()]),
            DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => {
                push(Fate::Deleted, &old[op.old_range()]);
                push(Fate::Inserted, &new[op.new_range()]);
            }
        }
    }
    pieces
}

/// What has to be done to one text so that it says what another does, from its start; each position counts in the text as it
/// was. A word that differs is changed where its beginning and its end do not agree, and not letter by letter: what somebody
/// typed beside it at the same time would end up within it.
pub(crate) fn splices<'t>(from: &str, to: &'t str, until: Instant) -> Vec<Splice<'t>> {
    let (old, new) = (words(from), words(to));
    let starts: Vec<usize> = new
        .iter()
        .scan(0, |at, word| Some(std::mem::replace(at, *at + word.len())))
        .chain([to.len()])
        .collect();
    let mut at = 0;
    let mut out = Vec::new();
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(until)) {
        let gone = old[op.old_range()].concat();
        if op.tag() != DiffTag::Equal {
            let range = op.new_range();
            let come = &to[starts[range.start]..starts[range.end]];
            let (before, after) = agreement(&gone, come);
            out.push(Splice {
                at: at + units(&gone[..before]),
                delete: units(&gone[before..gone.len() - after]),
                insert: &come[before..come.len() - after],
            });
        }
        at += units(&gone);
    }
    out
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// How many bytes two texts have in common at their beginnings and, behind those, at their ends.
fn agreement(one: &str, other: &str) -> (usize, usize) {
    let same = |(a, b): &(char, char)| a == b;
    let length = |(c, _): (char, char)| c.len_utf8();
    let before: usize = one.chars().zip(other.chars()).take_while(same).map(length).sum();
    let (one, other) = (&one[before..], &other[before..]);
    let after = one.chars().rev().zip(other.chars().rev()).take_while(same).map(length).sum();
    (before, after)
}

/// What stands in both of two lists in the same order, and what does not.
pub(crate) fn alignment<T: std::hash::Hash + Eq + Ord>(from: &[T], to: &[T], until: Instant) -> Vec<DiffOp> {
    capture_diff_slices_deadline(Algorithm::Myers, from, to, Some(until))
}

/// Two texts as a unified diff, as `diff -u` and git write it.
pub fn unified(from: (&str, &str), to: (&str, &str), until: Instant) -> String {
    let diff = TextDiff::configure().deadline(until).diff_lines(from.1, to.1);
    diff.unified_diff().context_radius(CONTEXT).header(from.0, to.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn soon() -> Instant {
        Instant::now() + PATIENCE
    }

    fn applied(from: &str, splices: &[Splice<'_>]) -> String {
        let mut units: Vec<u16> = from.encode_utf16().collect();
        for splice in splices.iter().rev() {
            units.splice(splice.at..splice.at + splice.delete, splice.insert.encode_utf16());
        }
        String::from_utf16(&units).expect("whole characters")
    }

    #[test]
    fn a_word_is_replaced_as_a_word() {
        let told: Vec<(Fate, String)> = pieces("Buy brass gears.", "Buy steel gears!", soon())
            .into_iter()
            .map(|piece| (piece.fate, piece.text))
            .collect();
        let told: Vec<(Fate, &str)> = told.iter().map(|(fate, text)| (*fate, text.as_str())).collect();
        assert_eq!(
            told,
            [
                (Fate::Kept, "Buy "),
                (Fate::Deleted, "brass"),
                (Fate::Inserted, "steel"),
                (Fate::Kept, " gears"),
                (Fate::Deleted, "."),
                (Fate::Inserted, "!"),
            ]
        );
    }

    #[test]
    fn a_text_that_has_nothing_in_common_ends_at_the_deadline() {
        let (from, to) = ("a b ".repeat(50_000), "c-d-".repeat(50_000));
        let began = Instant::now();
        let splices = splices(&from, &to, began + Duration::from_millis(50));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert_eq!(applied(&from, &splices), to);
    }

    #[test]
    fn a_word_is_changed_where_it_differs_and_as_one() {
        let told = |from, to| -> Vec<(usize, usize, &str)> {
            let splices = splices(from, to, soon());
            splices.iter().map(|splice| (splice.at, splice.delete, splice.insert)).collect()
        };
        assert_eq!(told("say Alphxa", "say Alpha"), [(8, 1, "")]);
        assert_eq!(told("Goodbye you", "Hello you"), [(0, 7, "Hello")]);
        assert_eq!(told("aa", "aaa"), [(2, 0, "a")]);
    }

    #[test]
    fn a_unified_diff_names_both_and_shows_the_lines_around() {
        let diff = unified(("old", "a\nb\nc\n"), ("new", "a\nB\nc\n"), soon());
        assert_eq!(diff, "--- old\n+++ new\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
    }

    proptest! {
        #[test]
        fn splices_make_one_text_the_other(from in "[a-c😀é ]{0,40}", to in "[a-c😀é ]{0,40}") {
            prop_assert_eq!(applied(&from, &splices(&from, &to, soon())), to);
        }

        #[test]
        fn pieces_hold_both_texts(from in "[a-c😀é ]{0,40}", to in "[a-c😀é ]{0,40}") {
            let pieces = pieces(&from, &to, soon());
            let without = |gone: Fate| pieces.iter().filter(|p| p.fate != gone).map(|p| p.text.as_str()).collect::<String>();
            prop_assert_eq!(without(Fate::Inserted), from);
            prop_assert_eq!(without(Fate::Deleted), to);
        }
    }
}
