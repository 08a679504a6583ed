//! Edits by position in the page's plain text: all blocks in reading order, joined by one newline each. This is what
//! a client without any model of blocks uses.

use super::{
    Scope,
    text::{self, Format},
};
use crate::{
    error::Error,
    mirror,
    op::{NewBlock, Op, Place, Pos},
    tree,
};
use automerge::{ObjType, ReadDoc};

/// A block and where its text stands in the whole.
struct Piece {
    id: String,
    start: usize,
    len: usize,
}

/// The pieces at the edit's base: what did not exist there does not count.
fn pieces(scope: &mut Scope<'_, '_>) -> Result<Vec<Piece>, Error> {
    let order = tree::reading_order(scope.draft.children());
    let blocks = scope.blocks()?;
    let mut start = 0;
    let mut out = Vec::with_capacity(order.len());
    for id in order {
        let Some(object) = mirror::object(scope.tx, &blocks, &id, ObjType::Map) else {
            continue;
        };
        let len = match mirror::object(scope.tx, &object, "text", ObjType::Text) {
            Some(text) => scope.tx.length(&text),
            None => mirror::string(scope.tx, &object, "text").unwrap_or_default().encode_utf16().count(),
        };
        out.push(Piece { id, start, len });
        start += len + 1;
    }
    Ok(out)
}

/// Applies an edit that names no block.
pub fn apply(scope: &mut Scope<'_, '_>, op: &Op) -> Result<(), Error> {
    match op {
        Op::Insert { pos, text, marks, .. } => {
            let (id, at) = locate_or_make(scope, number(pos)?)?;
            let target = text::target(scope, &id)?;
            text::insert(scope, &target, at, (text, marks.as_ref()))
        }
        Op::Delete { pos, len, .. } => delete(scope, number(pos)?, *len),
        Op::Replace { pos, len, text, .. } => {
            let at = number(pos)?;
            let (id, offset) = locate_or_make(scope, at)?;
            let target = text::target(scope, &id)?;
            // The new text goes in behind what goes out, so that the range still means what it meant.
            delete(scope, at, *len)?;
            text::insert(scope, &target, offset, (text, None))
        }
        Op::Format {
            pos,
            len,
            name,
            value,
            expand,
            ..
        } => {
            let start = number(pos)?;
            let end = checked_end(scope, start, *len)?;
            for piece in pieces(scope)? {
                let (from, to) = (start.max(piece.start), end.min(piece.start + piece.len));
                if from < to {
                    let target = text::target(scope, &piece.id)?;
                    text::format(
                        scope,
                        &target,
                        from - piece.start..to - piece.start,
                        Format {
                            name,
                            value,
                            expand: *expand,
                        },
                    )?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn number(pos: &Pos) -> Result<usize, Error> {
    match pos {
        Pos::At(at) => Ok(*at),
        Pos::Cursor { .. } => Err(Error::invalid("/pos", "needs_block", "a cursor needs the block it stands in")),
    }
}

/// The block and offset of a position. An empty page gets its first paragraph.
fn locate_or_make(scope: &mut Scope<'_, '_>, pos: usize) -> Result<(String, usize), Error> {
    let pieces = pieces(scope)?;
    if pieces.is_empty() && pos == 0 {
        let block = NewBlock {
            kind: "paragraph".to_owned(),
            ..NewBlock::default()
        };
        self::apply_op(
            scope,
            &Op::BlockInsert {
                block,
                place: Place::default(),
            },
        )?;
        return Ok((scope.made.last().cloned().unwrap_or_default(), 0));
    }
    let len = pieces.last().map_or(0, |p| p.start + p.len);
    let found = pieces.into_iter().find(|p| pos <= p.start + p.len);
    found.map(|p| (p.id, pos - p.start)).ok_or(Error::PositionOutOfRange { pos, len })
}

fn checked_end(scope: &mut Scope<'_, '_>, pos: usize, count: usize) -> Result<usize, Error> {
    let len = pieces(scope)?.last().map_or(0, |p| p.start + p.len);
    let end = pos.saturating_add(count);
    if end > len {
        Err(Error::PositionOutOfRange { pos: end, len })
    } else {
        Ok(end)
    }
}

/// Deletes a range; a newline in it joins the two blocks beside it.
fn delete(scope: &mut Scope<'_, '_>, pos: usize, count: usize) -> Result<(), Error> {
    let end = checked_end(scope, pos, count)?;
    let touched: Vec<Piece> = pieces(scope)?
        .into_iter()
        .filter(|p| p.start <= end && pos <= p.start + p.len)
        .collect();
    for piece in &touched {
        let (from, to) = (pos.max(piece.start), end.min(piece.start + piece.len));
        if from < to {
            let target = text::target(scope, &piece.id)?;
            text::delete(scope, &target, from - piece.start, to - from)?;
        }
    }
    let Some((first, rest)) = touched.split_first() else {
        return Ok(());
    };
    for piece in rest {
        // The newline before this piece lies in the range when the piece starts behind `pos` and not behind `end`.
        if piece.start > pos && piece.start <= end {
            self::apply_op(
                scope,
                &Op::BlockMerge {
                    id: piece.id.clone(),
                    into: Some(first.id.clone()),
                },
            )?;
        }
    }
    Ok(())
}

fn apply_op(scope: &mut Scope<'_, '_>, op: &Op) -> Result<(), Error> {
    super::apply(scope, op, "")
}
