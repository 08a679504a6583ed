//! Writing down what is seen: where blocks hang, and the blocks that an editor's markers mean.

use super::{
    Scope, blocks,
    text::{self, broken},
};
use crate::{error::Error, markers, mirror::MAX_DEPTH, op::Pos};
use automerge::ReadDoc;
use serde_json::Value;

/// Writes down where the blocks from `id` upwards are seen, where that is not where they say they are: concurrent edits
/// can leave a block under one that is gone, or in a circle. What is put under them would otherwise close a circle with
/// what they say, and be seen elsewhere.
pub fn above(scope: &mut Scope<'_, '_>, id: &str) -> Result<(), Error> {
    if says_where_it_is(scope, id) {
        return Ok(());
    }
    let mut at = id.to_owned();
    while !at.is_empty() {
        let parent = scope.draft.parent(&at);
        here(scope, &at, &parent)?;
        at = parent;
    }
    Ok(())
}

/// Writes down that a block hangs where it is seen.
pub fn here(scope: &mut Scope<'_, '_>, id: &str, parent: &str) -> Result<(), Error> {
    let Some(node) = scope.draft.node(id).filter(|node| node.parent != parent) else {
        return Ok(());
    };
    let order = node.order.clone();
    // At an older base it may not be there yet; then it was not in the way there either.
    match scope.block(id) {
        Ok(object) => blocks::place_at(scope, (id, &object), parent.to_owned(), order),
        Err(_) => Ok(()),
    }
}

/// Makes a block of each marker in a block's text, and of what stands behind it.
pub fn unmark(scope: &mut Scope<'_, '_>, id: &str) -> Result<(), Error> {
    let target = text::target(scope, id)?;
    let plain = scope.tx.text(&target.object).map_err(broken)?;
    // From the end, so that what stands before keeps its place.
    for marker in markers::in_text(scope.tx, &target.object, &plain).into_iter().rev() {
        text::delete(scope, &target, marker.at, 1)?;
        // It begins the block that it stands in, or was made one already.
        if marker.at > 0 && scope.draft.node(&marker.id).is_none() {
            blocks::split(scope, id, &Pos::At(marker.at), Some(&marker.id))?;
            // Where the type does not fit, it stays what the block before it is.
            match blocks::set(scope, &marker.id, "type", (&Value::from(marker.kind), "")) {
                Ok(()) | Err(Error::Invalid(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Whether every block from `id` upwards says that it hangs under one that is alive, up to the page.
fn says_where_it_is(scope: &Scope<'_, '_>, id: &str) -> bool {
    let mut at = id;
    for _ in 0..4 * MAX_DEPTH {
        match scope.draft.node(at) {
            _ if at.is_empty() => return true,
            Some(node) if !node.deleted => at = &node.parent,
            _ => return false,
        }
    }
    false
}
