//! Edits of one block's text, or of the title.

use super::{Scope, value};
use crate::{
    error::Error,
    kinds, mirror,
    op::{Expand, Pos, TITLE},
};
use automerge::{
    Cursor, ObjId, ObjType, ROOT, ReadDoc,
    marks::{ExpandMark, Mark},
    transaction::Transactable,
};
use serde_json::{Map, Value};
use std::ops::Range;

/// The longest title.
const MAX_TITLE_BYTES: usize = 4_096;

/// A text to edit.
pub struct Target {
    /// The Text object.
    pub object: ObjId,
    /// Whether it is the title, which takes no marks.
    pub is_title: bool,
}

/// The text of a block, made when the block has none yet, or was given a plain string by a JavaScript assignment.
pub fn target(scope: &mut Scope<'_, '_>, id: &str) -> Result<Target, Error> {
    let is_title = id == TITLE;
    let (parent, key) = if is_title { (ROOT, "title") } else { (scope.block(id)?, "text") };
    if let Some(object) = mirror::object(scope.tx, &parent, key, ObjType::Text) {
        return Ok(Target { object, is_title });
    }
    let before = mirror::string(scope.tx, &parent, key).unwrap_or_default();
    let object = scope.tx.put_object(&parent, key, ObjType::Text).map_err(broken)?;
    scope.tx.splice_text(&object, 0, 0, &before).map_err(broken)?;
    Ok(Target { object, is_title })
}

/// A position as a number at the base of the edit.
pub fn position(scope: &Scope<'_, '_>, target: &Target, pos: &Pos) -> Result<usize, Error> {
    match pos {
        Pos::At(at) => Ok(*at),
        Pos::Cursor { cursor } => {
            let bad = || Error::invalid("/pos/cursor", "bad_cursor", "is no cursor of this text");
            let cursor = Cursor::try_from(cursor.as_str()).map_err(|_| bad())?;
            scope.tx.get_cursor_position(&target.object, &cursor, None).map_err(|_| bad())
        }
    }
}

fn check_range(scope: &Scope<'_, '_>, target: &Target, range: &Range<usize>) -> Result<(), Error> {
    let len = scope.tx.length(&target.object);
    match [range.start, range.end].into_iter().find(|pos| *pos > len) {
        Some(pos) => Err(Error::PositionOutOfRange { pos, len }),
        None => Ok(()),
    }
}

/// Puts text in, with marks on exactly it.
pub fn insert(scope: &mut Scope<'_, '_>, target: &Target, at: usize, what: (&str, Option<&Map<String, Value>>)) -> Result<(), Error> {
    let (text, marks) = what;
    check_range(scope, target, &(at..at))?;
    let limit = if target.is_title {
        MAX_TITLE_BYTES
    } else {
        scope.limits.block_text_bytes
    };
    // Counted in UTF-16 units of what is there and bytes of what comes: near enough for a bound, and cheap.
    if scope.tx.length(&target.object) + text.len() > limit {
        return Err(Error::TooLarge(format!("a text holds at most {limit} bytes")));
    }
    if text.is_empty() {
        return Ok(());
    }
    if target.is_title && text.contains(['\n', '\r']) {
        return Err(Error::invalid("/text", "line_break", "a title has one line"));
    }
    scope.tx.splice_text(&target.object, at, 0, text).map_err(broken)?;
    let end = at + text.encode_utf16().count();
    for (name, value) in marks.into_iter().flatten() {
        format(
            scope,
            target,
            at..end,
            Format {
                name,
                value,
                expand: Expand::After,
            },
        )?;
    }
    Ok(())
}

/// Takes text out.
pub fn delete(scope: &mut Scope<'_, '_>, target: &Target, at: usize, len: usize) -> Result<(), Error> {
    check_range(scope, target, &(at..at.saturating_add(len)))?;
    if len == 0 {
        return Ok(());
    }
    let len = isize::try_from(len).map_err(|_| Error::TooLarge("the range".to_owned()))?;
    scope.tx.splice_text(&target.object, at, len, "").map_err(broken)
}

/// Makes a text say something else, changing it only where it differs.
pub fn set(scope: &mut Scope<'_, '_>, id: &str, to: &str) -> Result<(), Error> {
    let target = target(scope, id)?;
    let limit = if target.is_title {
        MAX_TITLE_BYTES
    } else {
        scope.limits.block_text_bytes
    };
    if to.len() > limit {
        return Err(Error::TooLarge(format!("a text holds at most {limit} bytes")));
    }
    if target.is_title && to.contains(['\n', '\r']) {
        return Err(Error::invalid("/value", "line_break", "a title has one line"));
    }
    scope.tx.update_text(&target.object, to).map_err(broken)
}

/// Replaces all marks of a block's text.
pub fn set_marks(scope: &mut Scope<'_, '_>, id: &str, marks: &[crate::view::Mark]) -> Result<(), Error> {
    let target = target(scope, id)?;
    for mark in scope.tx.marks(&target.object).map_err(broken)? {
        scope
            .tx
            .unmark(&target.object, &mark.name, mark.start, mark.end, ExpandMark::None)
            .map_err(broken)?;
    }
    marks.iter().try_for_each(|mark| {
        format(
            scope,
            &target,
            mark.start..mark.end,
            Format {
                name: &mark.name,
                value: &mark.value,
                expand: Expand::After,
            },
        )
    })
}

/// A mark to set.
pub struct Format<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value; null takes it away.
    pub value: &'a Value,
    /// How it grows.
    pub expand: Expand,
}

/// Sets or takes away a mark.
pub fn format(scope: &mut Scope<'_, '_>, target: &Target, range: Range<usize>, what: Format<'_>) -> Result<(), Error> {
    if target.is_title {
        return Err(Error::invalid("/name", "no_marks", "a title takes no marks"));
    }
    check_range(scope, target, &range)?;
    if range.is_empty() {
        return Ok(());
    }
    let expand = match what.expand {
        Expand::Before => ExpandMark::Before,
        Expand::After => ExpandMark::After,
        Expand::Both => ExpandMark::Both,
        Expand::None => ExpandMark::None,
    };
    if what.value.is_null() {
        return scope
            .tx
            .unmark(&target.object, what.name, range.start, range.end, expand)
            .map_err(broken);
    }
    kinds::check_mark(what.name, what.value).map_err(|problem| Error::Invalid(vec![value::field("", problem)]))?;
    let scalar =
        value::scalar(what.value).ok_or_else(|| Error::invalid("/value", "not_scalar", "a mark holds a string, number or boolean"))?;
    let mark = Mark::new(what.name.to_owned(), scalar, range.start, range.end);
    scope.tx.mark(&target.object, mark, expand).map_err(broken)
}

/// An error that Automerge should not give after our own checks.
pub fn broken(error: automerge::AutomergeError) -> Error {
    Error::Broken(error.to_string())
}
