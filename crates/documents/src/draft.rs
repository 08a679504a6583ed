//! A page while one batch of edits is being applied: the mirror, with the batch's own structural changes on top.

use crate::{
    error::Error,
    mirror::Mirror,
    tree::{self, Children, Node},
};
use std::collections::HashMap;

/// The structure as the next edit of the batch has to see it.
pub struct Draft<'a> {
    mirror: &'a Mirror,
    /// All nodes, once the batch has changed one.
    nodes: Option<HashMap<String, Node>>,
    /// The tree over `nodes`, while it is up to date.
    shape: Option<Shape>,
    /// Whether the tree can be kept up to date block by block: no circles, and every parent there is.
    is_plain: bool,
    kinds: HashMap<String, String>,
}

impl<'a> Draft<'a> {
    /// The page before the batch.
    pub fn new(mirror: &'a Mirror) -> Self {
        Self {
            mirror,
            nodes: None,
            shape: None,
            is_plain: false,
            kinds: HashMap::new(),
        }
    }

    /// A block's node, deleted or not.
    pub fn node(&self, id: &str) -> Option<&Node> {
        match &self.nodes {
            Some(nodes) => nodes.get(id),
            None => self.mirror.blocks.get(id).map(|entry| &entry.node),
        }
    }

    /// How many blocks there are, deleted ones included.
    pub fn count(&self) -> usize {
        self.nodes.as_ref().map_or(self.mirror.blocks.len(), HashMap::len)
    }

    /// Refuses what is not there, or not any more.
    pub fn require(&self, id: &str) -> Result<(), Error> {
        match self.node(id) {
            Some(node) if !node.deleted => Ok(()),
            _ => Err(Error::BlockNotFound(id.to_owned())),
        }
    }

    /// A block's type.
    pub fn kind(&self, id: &str) -> Option<&str> {
        self.kinds
            .get(id)
            .map(String::as_str)
            .or_else(|| self.mirror.blocks.get(id).map(|entry| entry.kind.as_str()))
    }

    /// Notes a block's type.
    pub fn set_kind(&mut self, id: &str, kind: &str) {
        self.kinds.insert(id.to_owned(), kind.to_owned());
    }

    /// Notes where a block stands now.
    pub fn set_node(&mut self, id: &str, node: Node) {
        let mirror = self.mirror;
        let nodes = self.nodes.get_or_insert_with(|| {
            let nodes = mirror.blocks.iter().map(|(id, e)| (id.clone(), e.node.clone())).collect();
            self.is_plain = tree::is_plain(&nodes);
            self.shape = self.is_plain.then(|| Shape {
                children: mirror.children.clone(),
                parents: mirror.parents.clone(),
            });
            nodes
        });
        let was = nodes.insert(id.to_owned(), node.clone());
        let comes_back = was.as_ref().is_some_and(|was| was.deleted && !node.deleted);
        self.is_plain &= !comes_back && (node.parent.is_empty() || nodes.contains_key(&node.parent));
        match &mut self.shape {
            Some(shape) if self.is_plain => shape.set(nodes, (id, was.as_ref()), &node),
            _ => self.shape = None,
        }
    }

    fn shape(&mut self) -> Option<&Shape> {
        let nodes = self.nodes.as_ref()?;
        Some(self.shape.get_or_insert_with(|| Shape::of(tree::derive(nodes))))
    }

    /// The derived tree.
    pub fn children(&mut self) -> &Children {
        let mirror = self.mirror;
        self.shape().map_or(&mirror.children, |shape| &shape.children)
    }

    /// The live children of a block ("" for the page) in order.
    pub fn row(&mut self, parent: &str) -> Vec<String> {
        self.children().get(parent).cloned().unwrap_or_default()
    }

    /// The derived parent of a live block.
    pub fn parent(&mut self, id: &str) -> String {
        let mirror = self.mirror;
        let parents = self.shape().map_or(&mirror.parents, |shape| &shape.parents);
        parents.get(id).cloned().unwrap_or_default()
    }

    /// A block's order key, when it is one that others can be put around.
    pub fn order(&self, id: &str) -> Option<String> {
        self.node(id)
            .map(|node| node.order.clone())
            .filter(|order| kernel::order::is_valid(order))
    }
}

/// The derived tree, both ways.
struct Shape {
    children: Children,
    parents: HashMap<String, String>,
}

impl Shape {
    fn of(children: Children) -> Self {
        let pairs = children
            .iter()
            .flat_map(|(parent, row)| row.iter().map(move |id| (id.clone(), parent.clone())));
        Self {
            parents: pairs.collect(),
            children,
        }
    }

    /// Takes account of one block, in a tree without circles.
    fn set(&mut self, nodes: &HashMap<String, Node>, (id, was): (&str, Option<&Node>), node: &Node) {
        let above = self.take(id, was);
        if node.deleted {
            for child in self.children.remove(id).unwrap_or_default() {
                self.put(nodes, &child, &above);
            }
            return;
        }
        let mut parent = node.parent.as_str();
        while let Some(dead) = nodes.get(parent).filter(|above| above.deleted) {
            parent = &dead.parent;
        }
        self.put(nodes, id, parent);
    }

    /// Takes a block out of its row, and gives its parent.
    fn take(&mut self, id: &str, was: Option<&Node>) -> String {
        let Some(parent) = self.parents.remove(id).filter(|_| was.is_some()) else {
            return String::new();
        };
        if let Some(row) = self.children.get_mut(&parent) {
            row.retain(|other| other != id);
            if row.is_empty() {
                self.children.remove(&parent);
            }
        }
        parent
    }

    fn put(&mut self, nodes: &HashMap<String, Node>, id: &str, parent: &str) {
        let place = |id: &str| nodes.get(id).map(|node| node.order.clone());
        let own = (place(id), id);
        let row = self.children.entry(parent.to_owned()).or_default();
        let at = row.partition_point(|other| (place(other), other.as_str()) < own);
        row.insert(at, id.to_owned());
        self.parents.insert(id.to_owned(), parent.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    /// Makes, moves or deletes a block of a few, under another.
    type Step = (u8, u8, u8, bool);

    fn node(parent: &str, order: u8, deleted: bool) -> Node {
        Node {
            parent: parent.to_owned(),
            order: format!("{order}"),
            written: (0, None),
            deleted,
        }
    }

    proptest! {
        #[test]
        fn the_tree_that_is_kept_is_the_tree_that_is_derived(steps in vec(any::<Step>(), 1..60)) {
            let mirror = Mirror::default();
            let mut draft = Draft::new(&mirror);
            let mut nodes: HashMap<String, Node> = HashMap::new();
            for (id, parent, order, deletes) in steps {
                let (id, parent) = (format!("b{}", id % 12), format!("b{}", parent % 12));
                let is_dead = |id: &str| nodes.get(id).is_some_and(|node| node.deleted);
                let parent = if nodes.contains_key(&parent) && !is_dead(&parent) { parent } else { String::new() };
                let cycles = !parent.is_empty() && tree::would_cycle(draft.children(), &id, &parent);
                if is_dead(&id) || cycles || deletes && !nodes.contains_key(&id) {
                    continue;
                }
                let before = nodes.get(&id).cloned();
                let new = match before {
                    Some(before) if deletes => Node { deleted: true, ..before },
                    _ => node(&parent, order, false),
                };
                nodes.insert(id.clone(), new.clone());
                draft.set_node(&id, new);
                prop_assert!(draft.is_plain);
                let derived = tree::derive(&nodes);
                prop_assert_eq!(draft.children(), &derived);
                let shape = Shape::of(derived);
                prop_assert!(shape.parents.iter().all(|(id, parent)| draft.parent(id) == *parent));
            }
        }
    }
}
