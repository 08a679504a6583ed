//! A page as Markdown, and what that Markdown reads as, block by block.
//!
//! Between the two stands what Markdown cannot carry. Whoever compares a text that was edited with what the page itself
//! reads as, and not with the page, sees what was edited and nothing else.

use super::{
    Origins, Page, address,
    read::{self, Read, Unreadable},
    written,
};
use crate::view::Block;
use comrak::Arena;

/// A page as Markdown.
#[derive(Clone, Debug, PartialEq)]
pub struct Traced {
    /// The text.
    pub markdown: String,
    /// What it reads as. A block has the id of the one it was written for, where that is known, else none.
    pub read: Read,
}

/// Writes a page as Markdown and reads that.
///
/// # Errors
/// [`Unreadable`] when the page is too long for Markdown.
pub fn trace(title: &str, blocks: &[Block]) -> Result<Traced, Unreadable> {
    let (arena, origins) = (Arena::new(), Origins::default());
    let page = Page {
        arena: &arena,
        origins: &origins,
    };
    let root = page.document(title, blocks);
    let markdown = written(root);
    let mut read = read::read(&markdown)?;
    let origin = |node| origins.borrow().get(&address(node)).cloned();
    lend(&mut read.blocks, &read::outline(root, &origin)?);
    Ok(Traced { markdown, read })
}

/// Gives blocks the ids of those that they were written as. Both have one shape but where a page holds what reads
/// differently than it was written; then what stands behind that stays without.
fn lend(read: &mut [Block], written: &[Block]) {
    let mut rows = vec![(read, written)];
    while let Some((read, written)) = rows.pop() {
        for (block, made) in read.iter_mut().zip(written) {
            if block.kind != made.kind {
                break;
            }
            block.id.clone_from(&made.id);
            rows.push((&mut block.children, &made.children));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{markdown::shown::trees, view};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_block_that_is_written_is_found_again(page in trees()) {
            let mut page = page;
            number(&mut page);
            let traced = trace("Title", &page).expect("it is written");
            for (_, block) in view::walk(&traced.read.blocks).filter(|(_, block)| !block.text.is_empty()) {
                let (_, origin) = view::walk(&page).find(|(_, origin)| origin.id == block.id).expect("a block of the page");
                prop_assert_eq!(origin.text.trim().chars().next(), block.text.trim().chars().next());
            }
        }
    }

    fn number(blocks: &mut [Block]) {
        let mut rows = vec![blocks];
        let mut count = 0;
        while let Some(row) = rows.pop() {
            for block in row {
                count += 1;
                block.id = format!("b{count}");
                rows.push(&mut block.children);
            }
        }
    }
}
