//! What a page shows, put into its blocks: for paper and other places that nobody edits. What is put in is never saved.

use super::{Key, MAX_ROUNDS, Shown, Size, Source, source_of};
use crate::view::Block;
use kernel::id::DocumentId;
use serde_json::json;
use std::collections::HashMap;

impl Shown {
    /// Gives blocks that stand for a page its title as it is now. Those of pages that are not shown keep what they came with.
    pub fn entitle(&self, blocks: &mut [Block]) {
        let mut open: Vec<&mut Block> = blocks.iter_mut().collect();
        while let Some(block) = open.pop() {
            if matches!(block.kind.as_str(), "child_page" | "link_to_page") {
                let id = block
                    .props
                    .get("document_id")
                    .and_then(|id| id.as_str())
                    .and_then(|id| id.parse().ok());
                if let Some((row, _)) = id.and_then(|id: DocumentId| self.pages.get(&id)) {
                    block.props.insert("title".to_owned(), json!(row.title));
                }
            }
            open.extend(block.children.iter_mut());
        }
    }

    /// The same, and puts into the synced blocks of `page` what they show.
    pub fn fill(&self, page: DocumentId, blocks: &mut [Block]) {
        let sources = self.sources.iter().map(|source| ((source.document, source.block.clone()), source));
        let mut filler = Filler {
            sources: sources.collect(),
            path: Vec::new(),
            left: Size::MOST,
        };
        filler.fill(page, blocks);
        self.entitle(blocks);
    }
}

struct Filler<'s> {
    sources: HashMap<Key, &'s Source>,
    /// The sources that this stands in.
    path: Vec<Key>,
    /// How much may still be put in: a source may stand in many places.
    left: Size,
}

impl Filler<'_> {
    fn fill(&mut self, page: DocumentId, blocks: &mut [Block]) {
        for block in blocks {
            match source_of(block, page) {
                Some(key) => self.put(key, block),
                None => self.fill(page, &mut block.children),
            }
        }
    }

    fn put(&mut self, key: Key, block: &mut Block) {
        let Some(source) = self.sources.get(&key).copied() else { return };
        if self.path.len() == MAX_ROUNDS || self.path.contains(&key) {
            return;
        }
        let Some(size) = Size::of(&source.blocks, self.left) else { return };
        self.left = self.left.less(size);
        block.children.clone_from(&source.blocks);
        self.path.push(key);
        self.fill(source.document, &mut block.children);
        self.path.pop();
    }
}
