//! Where blocks have to be put so that the tree that is derived from their places is the one that was.

use crate::{
    mirror::Mirror,
    tree::{self, Node},
};
use std::collections::{BTreeSet, HashMap};

/// How often it is tried with few writes, before every block is told where it hangs.
const TRIES: usize = 2;

/// The nodes as they will be, and which of them have to be written, in the order of writing.
struct Plan<'a> {
    want: &'a Mirror,
    nodes: HashMap<String, Node>,
    written: Vec<String>,
}

/// The blocks whose place has to be written, in this order, and what.
///
/// A block is given back the very place it had. That alone may not give back the tree: it was derived, perhaps through
/// blocks that are gone or have moved since, perhaps out of a circle. Blocks that would hang elsewhere are hung directly
/// under the block that they hung under.
pub(super) fn to_write(want: &Mirror, have: &Mirror) -> Vec<(String, String)> {
    let mut plan = Plan {
        want,
        nodes: have.blocks.iter().map(|(id, entry)| (id.clone(), entry.node.clone())).collect(),
        written: Vec::new(),
    };
    let live: BTreeSet<&String> = want.parents.keys().collect();
    for (id, node) in &mut plan.nodes {
        node.deleted = !live.contains(id);
    }
    for id in &live {
        let Some(entry) = want.blocks.get(*id) else { continue };
        let same = plan
            .nodes
            .get(*id)
            .is_some_and(|node| (&node.parent, &node.order) == (&entry.node.parent, &entry.node.order));
        if !same {
            plan.put(id, entry.node.parent.clone());
        }
    }
    for _ in 0..TRIES {
        let astray = plan.astray();
        if astray.is_empty() {
            break;
        }
        astray.iter().for_each(|id| plan.hang(id));
    }
    if !plan.astray().is_empty() {
        live.iter().for_each(|id| plan.hang(id));
    }
    plan.places()
}

impl Plan<'_> {
    /// Plans to write a block's place: its order as it was, under this parent.
    fn put(&mut self, id: &str, parent: String) {
        let order = self.want.blocks.get(id).map(|entry| entry.node.order.clone()).unwrap_or_default();
        self.written.retain(|other| other != id);
        self.written.push(id.to_owned());
        let node = Node {
            parent,
            order,
            // Written after everything that is there, and after what was planned before.
            written: (u64::MAX / 2 + self.written.len() as u64, None),
            deleted: false,
        };
        self.nodes.insert(id.to_owned(), node);
    }

    fn hang(&mut self, id: &str) {
        let parent = self.want.parents.get(id).cloned().unwrap_or_default();
        let is_there = self.nodes.get(id).is_some_and(|node| node.parent == parent);
        if !is_there {
            self.put(id, parent);
        }
    }

    /// Blocks that would hang elsewhere than they did.
    fn astray(&self) -> Vec<String> {
        let children = tree::derive(&self.nodes);
        let mut astray = Vec::new();
        for (parent, row) in &children {
            let elsewhere = row.iter().filter(|id| self.want.parents.get(*id) != Some(parent));
            astray.extend(elsewhere.cloned());
        }
        astray.sort();
        astray
    }

    fn places(&self) -> Vec<(String, String)> {
        let place = |id: &String| {
            let node = self.nodes.get(id)?;
            Some((id.clone(), format!("{}|{}", node.parent, node.order)))
        };
        self.written.iter().filter_map(place).collect()
    }
}
