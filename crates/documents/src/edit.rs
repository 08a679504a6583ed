//! Applying edits inside one Automerge transaction. Nothing here commits: a failed edit rolls the whole batch back.

mod blocks;
mod plain;
mod settle;
mod text;
mod value;

pub(crate) use value::{field, scalar};

use crate::{
    draft::Draft,
    error::Error,
    limits::Limits,
    mirror,
    op::{Op, TITLE},
};
use automerge::{ObjId, ObjType, ROOT, transaction::Transaction};
use rand::rngs::StdRng;

/// What an edit may touch while it runs.
pub struct Scope<'s, 'd> {
    /// The open transaction; reads through it see the page at the edit's base.
    pub tx: &'s mut Transaction<'d>,
    /// The structure at the head, with the batch's own changes.
    pub draft: Draft<'s>,
    /// Upper bounds.
    pub limits: &'s Limits,
    /// For order keys and ids.
    pub rng: &'s mut StdRng,
    /// Now, in milliseconds.
    pub now_ms: i64,
    /// Ids of the blocks made so far, in the order of the edits.
    pub made: Vec<String>,
}

impl Scope<'_, '_> {
    /// The map of blocks.
    fn blocks(&self) -> Result<ObjId, Error> {
        mirror::object(self.tx, &ROOT, "blocks", ObjType::Map).ok_or_else(|| Error::Corrupt("there is no map of blocks".to_owned()))
    }

    /// One block's map at the edit's base.
    fn block(&self, id: &str) -> Result<ObjId, Error> {
        self.draft.require(id)?;
        mirror::object(self.tx, &self.blocks()?, id, ObjType::Map).ok_or_else(|| Error::BlockNotFound(id.to_owned()))
    }
}

/// Makes the first blocks of a new page, as [`crate::first`] does without a transaction.
#[cfg(test)]
pub fn first_blocks(scope: &mut Scope<'_, '_>, blocks: &[crate::op::NewBlock]) -> Result<(), Error> {
    let orders = kernel::order::batch(None, None, blocks.len(), scope.rng);
    for (i, (block, order)) in blocks.iter().zip(orders).enumerate() {
        let place = crate::op::Place {
            order: Some(order),
            ..crate::op::Place::default()
        };
        blocks::insert(scope, block, &place, &format!("/blocks/{i}"))?;
    }
    Ok(())
}

/// Writes down where blocks are seen, and makes blocks of the markers in texts. Nothing that is seen stands elsewhere for it.
pub fn settle(scope: &mut Scope<'_, '_>, astray: &[(String, String)], marked_up: &[String]) -> Result<(), Error> {
    for (id, parent) in astray {
        settle::here(scope, id, parent)?;
    }
    marked_up.iter().try_for_each(|id| settle::unmark(scope, id))
}

/// Applies one edit. `pointer` names it in errors: `/ops/3`.
pub fn apply(scope: &mut Scope<'_, '_>, op: &Op, pointer: &str) -> Result<(), Error> {
    match op {
        Op::Insert {
            block: Some(id),
            pos,
            text,
            marks,
        } => {
            let target = text::target(scope, id)?;
            let at = text::position(scope, &target, pos)?;
            text::insert(scope, &target, at, (text, marks.as_ref()))
        }
        Op::Delete { block: Some(id), pos, len } => {
            let target = text::target(scope, id)?;
            let at = text::position(scope, &target, pos)?;
            text::delete(scope, &target, at, *len)
        }
        Op::Replace {
            block: Some(id),
            pos,
            len,
            text,
        } => {
            let target = text::target(scope, id)?;
            let at = text::position(scope, &target, pos)?;
            text::delete(scope, &target, at, *len)?;
            text::insert(scope, &target, at, (text, None))
        }
        Op::Format {
            block: Some(id),
            pos,
            len,
            name,
            value,
            expand,
        } => {
            let target = text::target(scope, id)?;
            let at = text::position(scope, &target, pos)?;
            text::format(
                scope,
                &target,
                at..at.saturating_add(*len),
                text::Format {
                    name,
                    value,
                    expand: *expand,
                },
            )
        }
        Op::Insert { block: None, .. }
        | Op::Delete { block: None, .. }
        | Op::Replace { block: None, .. }
        | Op::Format { block: None, .. } => plain::apply(scope, op),
        Op::BlockInsert { block, place } => blocks::insert(scope, block, place, pointer),
        Op::BlockMove { id, place } => blocks::move_to(scope, id, place),
        Op::Put { path, value } if path == "title" => text::set(scope, TITLE, value),
        Op::Put { .. } => Err(Error::invalid(format!("{pointer}/path"), "unknown_key", "is title")),
        Op::BlockSet { id, key, value } => blocks::set(scope, id, key, (value, pointer)),
        Op::BlockDelete { id } => blocks::delete(scope, id),
        Op::BlockSplit { id, pos, new_id } => blocks::split(scope, id, pos, new_id.as_deref()),
        Op::BlockMerge { id, into } => blocks::merge(scope, id, into.as_deref()),
    }
}
