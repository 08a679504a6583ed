//! New blocks with everything under them, checked as they are when somebody inserts them.

use super::ops::{Object, Ops, Text};
use crate::{
    edit::{field, scalar},
    error::Error,
    kinds,
    limits::Limits,
    mirror::MAX_DEPTH,
    op::NewBlock,
    view::Mark,
};
use automerge::{ObjType, ScalarValue};
use kernel::order;
use rand::{RngExt, rngs::StdRng};
use std::collections::HashSet;

struct Writing<'a> {
    ops: &'a mut Ops,
    map: &'a Object,
    limits: &'a Limits,
    rng: &'a mut StdRng,
    ids: HashSet<String>,
}

/// Where a new block goes.
#[derive(Clone, Copy)]
struct Spot<'a> {
    /// The id and the type of the block above it; none at the top.
    above: Option<(&'a str, &'a str)>,
    order: &'a str,
    depth: usize,
    pointer: &'a str,
}

/// Writes the blocks of a page that has none.
///
/// # Errors
/// What the first bad one is about.
pub fn write(ops: &mut Ops, map: &Object, (limits, rng): (&Limits, &mut StdRng), blocks: &[NewBlock]) -> Result<(), Error> {
    let mut writing = Writing {
        ops,
        map,
        limits,
        rng,
        ids: HashSet::with_capacity(blocks.len()),
    };
    writing.row(blocks, None, (0, "/blocks"))
}

impl Writing<'_> {
    fn row(&mut self, blocks: &[NewBlock], above: Option<(&str, &str)>, (depth, pointer): (usize, &str)) -> Result<(), Error> {
        let orders = order::batch(None, None, blocks.len(), self.rng);
        for (i, (block, order)) in blocks.iter().zip(&orders).enumerate() {
            let pointer = format!("{pointer}/{i}");
            let spot = Spot {
                above,
                order,
                depth,
                pointer: &pointer,
            };
            self.block(block, spot)?;
        }
        Ok(())
    }

    fn block(&mut self, new: &NewBlock, spot: Spot<'_>) -> Result<(), Error> {
        let id = self.checked(new, spot)?;
        let object = self.ops.make(self.map, &id, ObjType::Map);
        self.ops.put(&object, "type", new.kind.as_str().into());
        let parent = spot.above.map_or("", |(id, _)| id);
        self.ops.put(&object, "place", format!("{parent}|{}", spot.order).into());
        let text = self.ops.make(&object, "text", ObjType::Text);
        let props = self.ops.make(&object, "props", ObjType::Map);
        for (key, value) in &new.props {
            self.ops.put_json(&props, key, value);
        }
        let text = self.ops.text(&text, &new.text);
        new.marks.iter().try_for_each(|mark| self.mark(&text, mark))?;
        let pointer = format!("{}/children", spot.pointer);
        self.row(&new.children, Some((&id, &new.kind)), (spot.depth + 1, &pointer))
    }

    /// The id of a block that may stand there.
    fn checked(&mut self, new: &NewBlock, spot: Spot<'_>) -> Result<String, Error> {
        if spot.depth >= MAX_DEPTH {
            return Err(Error::TooLarge(format!("blocks nest at most {MAX_DEPTH} deep")));
        }
        if self.ids.len() >= self.limits.blocks {
            return Err(Error::TooLarge(format!("a page holds at most {} blocks", self.limits.blocks)));
        }
        let above = spot.above.map(|(_, kind)| kind);
        kinds::check(&new.kind, &new.props, !new.text.is_empty(), above)
            .map_err(|problems| Error::Invalid(problems.into_iter().map(|p| field(spot.pointer, p)).collect()))?;
        let id = match &new.id {
            Some(id) if !kinds::is_block_id(id) => {
                return Err(Error::invalid(
                    format!("{}/id", spot.pointer),
                    "bad_id",
                    "takes 1 to 64 letters, digits, - and _",
                ));
            }
            Some(id) => id.clone(),
            None => self.fresh_id(),
        };
        if !self.ids.insert(id.clone()) {
            return Err(Error::Taken(format!("the block id {id}")));
        }
        if new.text.len() > self.limits.block_text_bytes {
            return Err(Error::TooLarge(format!(
                "a text holds at most {} bytes",
                self.limits.block_text_bytes
            )));
        }
        Ok(id)
    }

    fn fresh_id(&mut self) -> String {
        let mut bytes = [0_u8; 16];
        self.rng.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    fn mark(&mut self, text: &Text, mark: &Mark) -> Result<(), Error> {
        let len = text.units();
        if let Some(pos) = [mark.start, mark.end].into_iter().find(|pos| *pos > len) {
            return Err(Error::PositionOutOfRange { pos, len });
        }
        if mark.start >= mark.end {
            return Ok(());
        }
        let value = match &mark.value {
            serde_json::Value::Null => ScalarValue::Null,
            value => {
                kinds::check_mark(&mark.name, value).map_err(|problem| Error::Invalid(vec![field("", problem)]))?;
                let not_scalar = || Error::invalid("/value", "not_scalar", "a mark holds a string, number or boolean");
                scalar(value).ok_or_else(not_scalar)?
            }
        };
        self.ops.mark(text, (mark.start, mark.end), (&mark.name, value));
        Ok(())
    }
}
