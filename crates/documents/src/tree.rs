//! The tree of blocks, derived from the flat map by one pure function, identically on every replica.
//!
//! Each block's one `place` register names its parent and order key. Concurrent edits can leave a parent that is
//! missing or deleted, or a circle of parents. The rules: a deleted or missing parent is skipped in favour of the
//! nearest live ancestor, else the page's root; in a circle the member whose `place` was written last (greatest
//! operation id) hangs on the root; siblings sort by (order key, block id). So no block is ever unreachable.

use automerge::ActorId;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The parts of a block that decide where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The block named as parent; empty for the root.
    pub parent: String,
    /// Order key among its siblings; anything a client wrote.
    pub order: String,
    /// The operation that wrote `place`: what decides who loses in a circle.
    pub written: (u64, Option<ActorId>),
    /// Whether the block was deleted.
    pub deleted: bool,
}

/// Live blocks by their derived parent ("" is the root), siblings in order.
pub type Children = BTreeMap<String, Vec<String>>;

/// Derives who hangs where.
pub fn derive(nodes: &HashMap<String, Node>) -> Children {
    let cut = circle_losers(nodes);
    let mut children: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
    for (id, node) in nodes.iter().filter(|(_, node)| !node.deleted) {
        let parent = live_ancestor(nodes, &cut, id);
        children.entry(parent.to_owned()).or_default().push((&node.order, id));
    }
    children
        .into_iter()
        .map(|(parent, mut row)| {
            row.sort_unstable();
            (parent, row.into_iter().map(|(_, id)| id.to_owned()).collect())
        })
        .collect()
}

/// The nearest ancestor that is alive, or "" for the root. Follows no circle, because each has a member in `cut`.
fn live_ancestor<'a>(nodes: &'a HashMap<String, Node>, cut: &HashSet<&str>, id: &'a str) -> &'a str {
    let mut at = id;
    loop {
        if cut.contains(at) {
            return "";
        }
        let Some((parent, node)) = nodes.get(at).and_then(|node| nodes.get_key_value(node.parent.as_str())) else {
            return "";
        };
        if !node.deleted {
            return parent;
        }
        at = parent;
    }
}

/// One member of every circle: the one that was placed last.
fn circle_losers(nodes: &HashMap<String, Node>) -> HashSet<&str> {
    let mut done: HashSet<&str> = HashSet::with_capacity(nodes.len());
    let mut losers = HashSet::new();
    for start in nodes.keys() {
        let mut path: Vec<&str> = Vec::new();
        let mut on_path: HashMap<&str, usize> = HashMap::new();
        let mut at = start.as_str();
        while !done.contains(at) {
            if let Some(&from) = on_path.get(at) {
                let last = path[from..].iter().max_by_key(|id| (nodes.get(**id).map(|n| &n.written), **id));
                losers.extend(last.copied());
                break;
            }
            let Some((id, node)) = nodes.get_key_value(at) else { break };
            on_path.insert(id, path.len());
            path.push(id);
            at = node.parent.as_str();
        }
        done.extend(path);
    }
    losers
}

/// Whether no block stands in a circle and every parent is there, so that a block that is placed changes nothing else.
pub fn is_plain(nodes: &HashMap<String, Node>) -> bool {
    let has_parent = |node: &Node| node.parent.is_empty() || nodes.contains_key(&node.parent);
    nodes.values().all(has_parent) && circle_losers(nodes).is_empty()
}

/// Whether hanging `id` under `parent` would close a circle in the derived tree.
pub fn would_cycle(children: &Children, id: &str, parent: &str) -> bool {
    let mut stack = vec![id];
    while let Some(at) = stack.pop() {
        if at == parent {
            return true;
        }
        stack.extend(children.get(at).into_iter().flatten().map(String::as_str));
    }
    false
}

/// A block and everything under it, parents before children.
pub fn subtree(children: &Children, id: &str) -> Vec<String> {
    let mut out = vec![id.to_owned()];
    let mut next = 0;
    while next < out.len() {
        let below = children.get(&out[next]).cloned().unwrap_or_default();
        out.extend(below);
        next += 1;
    }
    out
}

/// Every live block in reading order: depth first, siblings in order.
pub fn reading_order(children: &Children) -> Vec<String> {
    let mut out = Vec::new();
    let mut stack: Vec<&str> = children.get("").into_iter().flatten().rev().map(String::as_str).collect();
    while let Some(id) = stack.pop() {
        out.push(id.to_owned());
        stack.extend(children.get(id).into_iter().flatten().rev().map(String::as_str));
    }
    out
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
