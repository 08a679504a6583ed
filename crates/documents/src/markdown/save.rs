//! Saving a page as Markdown: the fewest edits that make a page say what a text says.
//!
//! The text is not compared with the page, but with what the page's own Markdown reads as ([`trace`]). So what Markdown
//! cannot carry is never seen to be missing, and a text that was saved as it was read changes nothing. What did change
//! is found in steps: blocks that are alike keep their ids, in their place or moved; blocks that were reworded are edited
//! where they differ; only what is left is made or deleted.

mod arrange;
mod content;
mod forest;
mod pair;
mod row;
#[cfg(test)]
mod tests;
mod words;

use super::{Note, Traced, Unreadable, read, trace};
use crate::{
    op::{NewBlock, Op},
    view::Block,
};
use forest::Forest;
use std::time::Duration;

/// How long comparing may look for the best answer; after that a good one has to do.
const PATIENCE: Duration = Duration::from_secs(2);

/// What saving a text comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    /// The edits, for a page as it was given. None when the text says nothing new.
    pub ops: Vec<Op>,
    /// What the text has and a page has no place for.
    pub notes: Vec<Note>,
}

/// Compares a page with a text.
///
/// # Errors
/// [`Unreadable`] when the text, or the page as a text, is beyond a bound.
pub fn save(title: &str, blocks: &[Block], text: &str) -> Result<Saved, Unreadable> {
    let Traced { markdown, read: was } = trace(title, blocks)?;
    let is = read(text)?;
    if markdown == text {
        return Ok(Saved {
            ops: Vec::new(),
            notes: is.notes,
        });
    }
    let mut ops = Vec::new();
    if was.title != is.title {
        let title = is.title.clone().unwrap_or_default();
        ops.push(Op::Put {
            path: "title".to_owned(),
            value: title.replace(char::is_control, " "),
        });
    }
    let notes = is.notes;
    let (page, was, is) = (Forest::of(blocks), Forest::of(&was.blocks), Forest::of(&is.blocks));
    let pairs = pair::pair(&was, &is);
    for (new, old) in pairs.new_to_old.iter().enumerate() {
        let old = old.map(|old| was.block(old));
        if let Some((old, on_page)) = old.and_then(|old| Some((old, page.find(&old.id)?))) {
            content::edit((page.block(on_page), old, is.block(new)), &mut ops);
        }
    }
    arrange::arrange(&page, (&was, &is), &pairs, &mut ops);
    Ok(Saved { ops, notes })
}

/// A block that was read, to be made with everything under it.
fn fresh(block: &Block) -> NewBlock {
    let mut made = NewBlock {
        id: Some(new_id()),
        kind: block.kind.clone(),
        text: block.text.clone(),
        marks: block.marks.clone(),
        props: block.props.clone(),
        children: Vec::new(),
    };
    // As deep as reading nests, which is bounded.
    made.children = block.children.iter().map(fresh).collect();
    made
}

fn new_id() -> String {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string()
}
