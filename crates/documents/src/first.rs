//! The first change of a page, written down operation by operation. Automerge takes it in as a whole, which costs time in
//! proportion to what stands on the page; made inside a transaction every operation searches its place in all those before
//! it, and a page of 25 000 blocks takes minutes.
//!
//! It is, byte for byte, the change that a transaction with the same edits makes; a test compares the two.

mod blocks;
mod copied;
mod ops;

#[cfg(test)]
mod tests;

use crate::{error::Error, limits::Limits, op::NewBlock, view::Block};
use automerge::{ActorId, Change};
use ops::Ops;
use rand::rngs::StdRng;

/// What a first change is made with.
pub struct Maker<'a> {
    /// The actor that makes it.
    pub actor: &'a ActorId,
    /// For order keys and ids.
    pub rng: &'a mut StdRng,
    /// Upper bounds.
    pub limits: &'a Limits,
    /// When it is made, in seconds.
    pub at: i64,
}

/// A page with a title and new blocks.
///
/// # Errors
/// What the blocks' validation finds.
pub fn of_blocks(maker: Maker<'_>, title: &str, blocks: &[NewBlock]) -> Result<Change, Error> {
    let (mut ops, map) = begin(&maker, title);
    blocks::write(&mut ops, &map, (maker.limits, maker.rng), blocks)?;
    Ok(ops.into_change(maker.at))
}

/// A page that says what another one says. What stands there is not checked again.
pub fn of_copied(maker: Maker<'_>, title: &str, blocks: &[Block]) -> Change {
    let (mut ops, map) = begin(&maker, title);
    copied::write(&mut ops, &map, maker.rng, blocks);
    ops.into_change(maker.at)
}

/// What every page has; and its map of blocks.
fn begin(maker: &Maker<'_>, title: &str) -> (Ops, ops::Object) {
    let mut ops = Ops::new(maker.actor);
    let root = ops::Object::Root;
    ops.put(&root, "schema", 1_i64.into());
    let text = ops.make(&root, "title", automerge::ObjType::Text);
    ops.text(&text, title);
    let map = ops.make(&root, "blocks", automerge::ObjType::Map);
    (ops, map)
}
