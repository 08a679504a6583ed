//! Giving a text the marks it had: only where they differ.

use super::broken;
use crate::{edit::scalar, error::Error, still::Source, view::Mark};
use automerge::{
    ObjId, ScalarValue,
    marks::{ExpandMark, Mark as TheirMark},
    transaction::{Transactable, Transaction},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Ranges of one name and their values, in order and without overlaps.
type Ranges<'m> = Vec<(usize, usize, &'m Value)>;

fn by_name(marks: &[Mark]) -> BTreeMap<&str, Ranges<'_>> {
    let mut names: BTreeMap<&str, Ranges<'_>> = BTreeMap::new();
    for mark in marks.iter().filter(|mark| mark.start < mark.end) {
        names.entry(&mark.name).or_default().push((mark.start, mark.end, &mark.value));
    }
    names
        .values_mut()
        .for_each(|ranges| ranges.sort_by_key(|(start, end, _)| (*start, *end)));
    names
}

/// The value at a position. Of ranges that overlap, which a text has for a moment alone, the last one counts.
fn value_at<'m>(ranges: &[(usize, usize, &'m Value)], at: usize) -> Option<&'m Value> {
    let upto = ranges.partition_point(|(start, ..)| *start <= at);
    ranges[..upto].iter().rev().find(|(_, end, _)| *end > at).map(|(.., value)| *value)
}

/// The stretches of a text whose value has to change, and to what; none takes it away.
fn differences<'m>(have: &Ranges<'_>, want: &Ranges<'m>) -> Vec<(usize, usize, Option<&'m Value>)> {
    let ends: BTreeSet<usize> = have.iter().chain(want).flat_map(|(start, end, _)| [*start, *end]).collect();
    let ends: Vec<usize> = ends.into_iter().collect();
    let mut out: Vec<(usize, usize, Option<&'m Value>)> = Vec::new();
    for pair in ends.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        let wanted = value_at(want, start);
        if value_at(have, start) == wanted {
            continue;
        }
        match out.last_mut() {
            Some((_, last, value)) if *last == start && *value == wanted => *last = end,
            _ => out.push((start, end, wanted)),
        }
    }
    out
}

/// Makes a text's marks these.
pub(super) fn write(tx: &mut Transaction<'_>, text: &ObjId, want: &[Mark]) -> Result<(), Error> {
    let have = tx.marks_of(text);
    let (have, want) = (by_name(&have), by_name(want));
    let names: BTreeSet<&str> = have.keys().chain(want.keys()).copied().collect();
    let none = Vec::new();
    for name in names {
        let (have, want) = (have.get(name).unwrap_or(&none), want.get(name).unwrap_or(&none));
        for (start, end, value) in differences(have, want) {
            let written = match value.and_then(scalar) {
                None | Some(ScalarValue::Null) => tx.unmark(text, name, start, end, ExpandMark::None),
                Some(value) => tx.mark(text, TheirMark::new(name.to_owned(), value, start, end), ExpandMark::After),
            };
            written.map_err(broken)?;
        }
    }
    Ok(())
}
