//! Blocks as they stand on another page. They were let in there, by whatever door, so they are not asked about again: a block
//! that this version would refuse is copied as it is. They keep their ids, which are a page's own.

use super::ops::{Object, Ops};
use crate::{edit::scalar, view::Block};
use automerge::ObjType;
use kernel::order;
use rand::rngs::StdRng;

/// Writes blocks with everything under them into a page that has none.
pub fn write(ops: &mut Ops, map: &Object, rng: &mut StdRng, blocks: &[Block]) {
    row((ops, map, rng), "", blocks);
}

fn row((ops, map, rng): (&mut Ops, &Object, &mut StdRng), parent: &str, blocks: &[Block]) {
    let orders = order::batch(None, None, blocks.len(), rng);
    for (block, order) in blocks.iter().zip(orders) {
        let object = ops.make(map, &block.id, ObjType::Map);
        ops.put(&object, "type", block.kind.as_str().into());
        ops.put(&object, "place", format!("{parent}|{order}").into());
        let text = ops.make(&object, "text", ObjType::Text);
        let text = ops.text(&text, &block.text);
        for mark in &block.marks {
            let is_within = mark.start < mark.end && mark.end <= text.units();
            if let Some(value) = scalar(&mark.value).filter(|_| is_within) {
                ops.mark(&text, (mark.start, mark.end), (&mark.name, value));
            }
        }
        let props = ops.make(&object, "props", ObjType::Map);
        for (key, prop) in &block.props {
            ops.put_json(&props, key, prop);
        }
        row((ops, map, rng), &block.id, &block.children);
    }
}
