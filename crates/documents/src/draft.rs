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
    children: Option<Children>,
    kinds: HashMap<String, String>,
}

impl<'a> Draft<'a> {
    /// The page before the batch.
    pub fn new(mirror: &'a Mirror) -> Self {
        Self {
            mirror,
            nodes: None,
            children: None,
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
        let nodes = self
            .nodes
            .get_or_insert_with(|| mirror.blocks.iter().map(|(id, e)| (id.clone(), e.node.clone())).collect());
        nodes.insert(id.to_owned(), node);
        self.children = None;
    }

    /// The derived tree.
    pub fn children(&mut self) -> &Children {
        match &self.nodes {
            None => &self.mirror.children,
            Some(nodes) => self.children.get_or_insert_with(|| tree::derive(nodes)),
        }
    }

    /// The live children of a block ("" for the page) in order.
    pub fn row(&mut self, parent: &str) -> Vec<String> {
        self.children().get(parent).cloned().unwrap_or_default()
    }

    /// The derived parent of a live block.
    pub fn parent(&mut self, id: &str) -> String {
        let found = self
            .children()
            .iter()
            .find(|(_, row)| row.iter().any(|c| c == id))
            .map(|(parent, _)| parent.clone());
        found.unwrap_or_default()
    }

    /// A block's order key, when it is one that others can be put around.
    pub fn order(&self, id: &str) -> Option<String> {
        self.node(id)
            .map(|node| node.order.clone())
            .filter(|order| kernel::order::is_valid(order))
    }
}
