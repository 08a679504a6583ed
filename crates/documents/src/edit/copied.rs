//! Blocks as they stand on another page. They were let in there, by whatever door, so they are not asked about again: a block
//! that this version would refuse is copied as it is.

use super::{Scope, text::broken, value};
use crate::{error::Error, view};
use automerge::{
    ObjId, ObjType,
    marks::{ExpandMark, Mark},
    transaction::Transactable,
};
use kernel::order;

/// Writes blocks with everything under them into a page that has none. They keep their ids, which are a page's own.
pub fn write(scope: &mut Scope<'_, '_>, blocks: &[view::Block]) -> Result<(), Error> {
    let map = scope.blocks()?;
    row(scope, &map, "", blocks)
}

fn row(scope: &mut Scope<'_, '_>, map: &ObjId, parent: &str, blocks: &[view::Block]) -> Result<(), Error> {
    let orders = order::batch(None, None, blocks.len(), scope.rng);
    for (block, order) in blocks.iter().zip(orders) {
        let object = scope.tx.put_object(map, &block.id, ObjType::Map).map_err(broken)?;
        scope.tx.put(&object, "type", block.kind.as_str()).map_err(broken)?;
        scope.tx.put(&object, "place", format!("{parent}|{order}")).map_err(broken)?;
        text(scope, &object, block)?;
        let props = scope.tx.put_object(&object, "props", ObjType::Map).map_err(broken)?;
        for (key, prop) in &block.props {
            value::put(scope.tx, &props, key, prop)?;
        }
        row(scope, map, &block.id, &block.children)?;
    }
    Ok(())
}

fn text(scope: &mut Scope<'_, '_>, object: &ObjId, block: &view::Block) -> Result<(), Error> {
    let text = scope.tx.put_object(object, "text", ObjType::Text).map_err(broken)?;
    scope.tx.splice_text(&text, 0, 0, &block.text).map_err(broken)?;
    let length = block.text.encode_utf16().count();
    for mark in &block.marks {
        let Some(scalar) = value::scalar(&mark.value).filter(|_| mark.start < mark.end && mark.end <= length) else {
            continue;
        };
        let mark = Mark::new(mark.name.clone(), scalar, mark.start, mark.end);
        scope.tx.mark(&text, mark, ExpandMark::After).map_err(broken)?;
    }
    Ok(())
}
