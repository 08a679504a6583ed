//! A block that says something else: its type, its props, its text and formats, each only where they differ.

use super::{row, words::hunks};
use crate::{
    op::{Expand, Op, Pos},
    view::{Block, Mark},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A block on the page, what it read as, and what it reads as now.
pub(super) type Versions<'b> = (&'b Block, &'b Block, &'b Block);

/// Props whose words stand for a block that has no text of its own.
const LABELS: &[&str] = &["title", "name", "caption", "alt"];

/// Adds the edits that make a block say what is new.
pub(super) fn edit((page, old, new): Versions<'_>, ops: &mut Vec<Op>) {
    if page.kind == "table_row" {
        return row::edit((page, old, new), ops);
    }
    if old.kind != new.kind {
        ops.push(set(page, "type", json!(new.kind)));
    }
    let is_reference = matches!(new.kind.as_str(), "child_page" | "link_to_page");
    let names: BTreeSet<&String> = old.props.keys().chain(new.props.keys()).collect();
    for name in names.into_iter().filter(|name| !(is_reference && *name == "title")) {
        let (was, is) = (old.props.get(name), new.props.get(name));
        if was != is {
            ops.push(set(page, &format!("props.{name}"), is.cloned().unwrap_or(Value::Null)));
        }
    }
    if old.text != new.text || old.marks != new.marks {
        text((page, old, new), ops);
    }
}

fn set(block: &Block, key: &str, value: Value) -> Op {
    Op::BlockSet {
        id: block.id.clone(),
        key: key.to_owned(),
        value,
    }
}

/// Makes the text of a block say what is new, and look so.
pub(super) fn text((page, old, new): Versions<'_>, ops: &mut Vec<Op>) {
    if page.text.trim().is_empty()
        && let Some(label) = label(page, &old.text)
    {
        return ops.push(set(page, &format!("props.{label}"), json!(new.text)));
    }
    if page.text.starts_with(&old.text) {
        return rewrite(&page.id, (&old.text, &old.marks), (&new.text, &new.marks), ops);
    }
    // An icon stands before the text of a callout.
    let own = page.text.trim_end();
    if let Some(before) = old.text.strip_suffix(own).filter(|_| !own.is_empty())
        && let Some(text) = new.text.strip_prefix(before)
    {
        let units = before.encode_utf16().count();
        let (old_marks, new_marks) = (shifted(&old.marks, units), shifted(&new.marks, units));
        return rewrite(&page.id, (own, &old_marks), (text, &new_marks), ops);
    }
    ops.push(set(page, "text", json!(new.text)));
    if !page.marks.is_empty() || !new.marks.is_empty() {
        ops.push(set(page, "marks", json!(new.marks)));
    }
}

/// The prop whose words a block without a text was written with.
fn label(page: &Block, text: &str) -> Option<&'static str> {
    let says = |name: &&&str| {
        page.props
            .get(**name)
            .and_then(Value::as_str)
            .is_some_and(|words| words.trim() == text.trim())
    };
    LABELS.iter().find(says).copied().filter(|_| !text.is_empty())
}

fn shifted(marks: &[Mark], units: usize) -> Vec<Mark> {
    let shift = |mark: &Mark| {
        (mark.end > units).then(|| Mark {
            start: mark.start.saturating_sub(units),
            end: mark.end - units,
            ..mark.clone()
        })
    };
    marks.iter().filter_map(shift).collect()
}

/// Replaces the words that differ, from the last to the first, and then formats what looks different.
fn rewrite(id: &str, (old, old_marks): (&str, &[Mark]), (new, new_marks): (&str, &[Mark]), ops: &mut Vec<Op>) {
    let hunks = hunks(old, new);
    for hunk in hunks.iter().rev() {
        if !hunk.old.is_empty() {
            ops.push(Op::Delete {
                block: Some(id.to_owned()),
                pos: Pos::At(hunk.old.start),
                len: hunk.old.len(),
            });
        }
        if !hunk.text.is_empty() {
            ops.push(Op::Insert {
                block: Some(id.to_owned()),
                pos: Pos::At(hunk.old.start),
                text: hunk.text.clone(),
                marks: None,
            });
        }
    }
    let len = new.encode_utf16().count();
    let names: BTreeSet<&str> = old_marks.iter().chain(new_marks).map(|mark| mark.name.as_str()).collect();
    for name in names {
        let wanted = values(new_marks, name, len);
        let was = values(old_marks, name, old.encode_utf16().count());
        // What each unit has now; what was put in may have what stands beside it, or not.
        let mut has: Vec<Option<Option<&Value>>> = Vec::with_capacity(len);
        let mut at = 0;
        for hunk in &hunks {
            has.extend(was[at..hunk.old.start].iter().map(|value| Some(*value)));
            has.extend(hunk.new.clone().map(|_| None));
            at = hunk.old.end;
        }
        has.extend(was[at..].iter().map(|value| Some(*value)));
        formats(id, name, (&has, &wanted), ops);
    }
}

/// The value of a mark at every unit of a text.
fn values<'m>(marks: &'m [Mark], name: &str, len: usize) -> Vec<Option<&'m Value>> {
    let mut values = vec![None; len];
    for mark in marks.iter().filter(|mark| mark.name == name) {
        let range = mark.start.min(len)..mark.end.min(len);
        values[range].fill(Some(&mark.value));
    }
    values
}

type Has<'v> = Vec<Option<Option<&'v Value>>>;

/// One edit for every stretch that shall look different.
fn formats(id: &str, name: &str, (has, wanted): (&Has<'_>, &[Option<&Value>]), ops: &mut Vec<Op>) {
    let differs = |at: usize| has.get(at).copied().flatten() != Some(wanted[at]);
    let mut at = 0;
    while at < wanted.len() {
        let start = at;
        at += 1;
        if !differs(start) {
            continue;
        }
        while at < wanted.len() && differs(at) && wanted[at] == wanted[start] {
            at += 1;
        }
        let is_whole = matches!(name, "link" | "mention" | "code");
        ops.push(Op::Format {
            block: Some(id.to_owned()),
            pos: Pos::At(start),
            len: at - start,
            name: name.to_owned(),
            value: wanted[start].cloned().unwrap_or(Value::Null),
            expand: if is_whole { Expand::None } else { Expand::After },
        });
    }
}
