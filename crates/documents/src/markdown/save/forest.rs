//! Blocks in a row, parents before children, each with where it stands. What a row of a table holds are its cells, and no
//! blocks of their own here.

use crate::view::Block;
use std::collections::HashMap;

/// A forest of blocks by numbers, which grow in reading order.
pub(super) struct Forest<'b> {
    blocks: Vec<&'b Block>,
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    /// The children of the page.
    top: Vec<usize>,
    by_id: HashMap<&'b str, usize>,
}

impl<'b> Forest<'b> {
    pub(super) fn of(blocks: &'b [Block]) -> Self {
        let mut forest = Self {
            blocks: Vec::new(),
            parents: Vec::new(),
            children: Vec::new(),
            top: Vec::new(),
            by_id: HashMap::new(),
        };
        let mut open: Vec<(Option<usize>, std::slice::Iter<'b, Block>)> = vec![(None, blocks.iter())];
        while let Some((parent, row)) = open.last_mut() {
            let parent = *parent;
            let Some(block) = row.next() else {
                open.pop();
                continue;
            };
            let number = forest.add(block, parent);
            if block.kind != "table_row" {
                open.push((Some(number), block.children.iter()));
            }
        }
        forest
    }

    fn add(&mut self, block: &'b Block, parent: Option<usize>) -> usize {
        let number = self.blocks.len();
        self.blocks.push(block);
        self.parents.push(parent);
        self.children.push(Vec::new());
        match parent {
            Some(parent) => self.children[parent].push(number),
            None => self.top.push(number),
        }
        if !block.id.is_empty() {
            self.by_id.insert(&block.id, number);
        }
        number
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn block(&self, number: usize) -> &'b Block {
        self.blocks[number]
    }

    pub(super) fn parent(&self, number: usize) -> Option<usize> {
        self.parents[number]
    }

    /// The blocks under one, or under the page.
    pub(super) fn row(&self, parent: Option<usize>) -> &[usize] {
        parent.map_or(&self.top, |parent| &self.children[parent])
    }

    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }
}
