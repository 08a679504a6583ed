//! The page as a client without Automerge keeps it: what it was told, applied word for word.

use crate::{mirror::Mirror, patches};
use automerge::Patch;
use serde_json::Value;
use std::collections::BTreeMap;

/// Text, parent and order of every block.
#[derive(Clone, Default)]
pub struct Copy(BTreeMap<String, (Vec<u16>, String, String)>);

fn word(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn units(value: &Value, key: &str) -> Vec<u16> {
    word(value, key).encode_utf16().collect()
}

fn block(value: &Value) -> (Vec<u16>, String, String) {
    (units(value, "text"), word(value, "parent"), word(value, "order"))
}

impl Copy {
    /// The page whole.
    pub fn of(page: &Mirror) -> Self {
        let snapshot = patches::snapshot(page);
        let blocks = snapshot["blocks"].as_array().expect("blocks");
        Self(blocks.iter().map(|b| (word(b, "id"), block(b))).collect())
    }

    /// Follows a batch, and has to stand where the page stands.
    pub fn follow(&mut self, patches: &[Patch], after: &Mirror) {
        let ops = patches::to_ops(patches, after);
        ops.iter().for_each(|op| self.apply(op));
        assert_eq!(
            self.0,
            Self::of(after).0,
            "a client that is told of changes sees another page after {ops:#?}"
        );
    }

    fn apply(&mut self, op: &Value) {
        let at = |key: &str| op[key].as_u64().unwrap_or_default() as usize;
        let is_title = op["block"] == "@title";
        match op["op"].as_str().unwrap_or_default() {
            "insert" if !is_title => {
                let (text, ..) = self.0.get_mut(&word(op, "block")).expect("a block it knows");
                text.splice(at("pos")..at("pos"), units(op, "text"));
            }
            "delete" if !is_title => {
                let (text, ..) = self.0.get_mut(&word(op, "block")).expect("a block it knows");
                text.drain(at("pos")..at("pos") + at("len"));
            }
            "block_insert" => drop(self.0.insert(word(op, "id"), block(op))),
            "block_delete" => drop(self.0.remove(&word(op, "id"))),
            "block_move" => {
                let block = self.0.get_mut(&word(op, "id")).expect("a block it knows");
                (block.1, block.2) = (word(op, "parent"), word(op, "order"));
            }
            "block_set" if op["key"] == "text" => self.0.get_mut(&word(op, "id")).expect("a block it knows").0 = units(op, "value"),
            _ => {}
        }
    }
}
