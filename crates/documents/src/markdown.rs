//! A page as Markdown: CommonMark with GitHub's tables, task lists, strikethrough, alerts and `$$` formulas.
//!
//! Blocks become comrak's tree and comrak writes it, so that prefixes, fences and blank lines are the library's. What
//! people typed is escaped by us (`escape`), because the library leaves `$`, `|` and leading blanks alone: any text
//! reads back as that text. Nothing here recurses, nesting and output are bounded, and a link we would not store
//! (`javascript:`) is not written either, because a page may hold changes that no check has seen.

mod block;
mod emphasis;
mod escape;
mod inline;
mod list;
mod media;
mod read;
mod rich;
mod save;
#[cfg(test)]
mod shown;
mod span;
mod table;
#[cfg(test)]
mod tests;
mod trace;

pub use read::{Loss, Note, Read, Unreadable, read, read_with};
pub use save::{Saved, save};
pub use trace::{Traced, trace};

use crate::view::Block;
use comrak::{
    Arena, Options,
    nodes::{Node, NodeHtmlBlock, NodeValue},
};
use std::{cell::RefCell, collections::HashMap, fmt, slice};

/// The deepest that lists, quotes and callouts are nested. Deeper blocks stand on the last level: every level indents
/// every line below it, so a deep tree with many lines would grow without measure.
pub const MAX_NESTING: usize = 32;
/// The longest Markdown we write; more is cut, with a comment at the end that says so.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Writes a page as Markdown: its title as the first heading (none, when empty), then its blocks.
pub fn to_markdown(title: &str, blocks: &[Block]) -> String {
    let (arena, origins) = (Arena::new(), Origins::default());
    let page = Page {
        arena: &arena,
        origins: &origins,
    };
    written(page.document(title, blocks))
}

fn written(root: Node<'_>) -> String {
    let mut options = Options::default();
    options.render.prefer_fenced = true;
    let mut written = Bounded {
        text: String::new(),
        left: MAX_BYTES,
    };
    if comrak::format_commonmark(root, &options, &mut written).is_err() {
        written.text.push_str("\n\n<!-- cut: the page is too long for Markdown -->\n");
    }
    written.text
}

/// Which block a node was made for: its id, by the address of the node.
type Origins = RefCell<HashMap<usize, String>>;

/// A page being turned into comrak's tree.
#[derive(Clone, Copy)]
struct Page<'a> {
    arena: &'a Arena<'a>,
    origins: &'a Origins,
}

/// Blocks still to be written into a node.
struct Frame<'a, 'b> {
    into: Node<'a>,
    nesting: usize,
    rest: slice::Iter<'b, Block>,
    /// Written after the last of them.
    closing: Option<&'static str>,
}

/// Where the children of a block go.
struct Opened<'a> {
    /// The node made for them; none to put them beside the block.
    inside: Option<Node<'a>>,
    closing: Option<&'static str>,
}

impl<'a> Page<'a> {
    /// The whole page.
    fn document(self, title: &str, blocks: &[Block]) -> Node<'a> {
        let root = self.node(NodeValue::Document);
        self.blocks(root, blocks);
        self.title(root, title);
        list::tighten(root);
        root
    }

    /// Notes that a node was made for a block.
    fn made_for(self, node: Node<'a>, block: &Block) {
        self.origins.borrow_mut().insert(address(node), block.id.clone());
    }

    fn node(self, value: NodeValue) -> Node<'a> {
        self.arena.alloc(value.into())
    }

    fn append(self, into: Node<'a>, value: NodeValue) -> Node<'a> {
        let node = self.node(value);
        into.append(node);
        node
    }

    fn html(self, into: Node<'a>, html: impl Into<String>) {
        into.append(self.html_node(html.into()));
    }

    fn html_node(self, literal: String) -> Node<'a> {
        // Type 6 (any block tag) is what every reader treats alike; comrak only keeps the number.
        self.node(NodeValue::HtmlBlock(NodeHtmlBlock { block_type: 6, literal }))
    }

    /// A remark that readers do not show. Only plain words reach it.
    fn comment(self, into: Node<'a>, words: &str) {
        into.append(self.remark(words));
    }

    fn remark(self, words: &str) -> Node<'a> {
        let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-');
        let words: String = words.chars().filter(plain).take(200).collect();
        self.html_node(format!("<!-- {} -->", words.trim()))
    }

    fn blocks(self, root: Node<'a>, blocks: &[Block]) {
        let mut stack = vec![Frame {
            into: root,
            nesting: 0,
            rest: blocks.iter(),
            closing: None,
        }];
        while let Some(frame) = stack.last_mut() {
            let (into, nesting) = (frame.into, frame.nesting);
            let Some(block) = frame.rest.next() else {
                if let Some(html) = frame.closing {
                    self.html(into, html);
                }
                stack.pop();
                continue;
            };
            let before = into.last_child().map(address);
            let opened = self.block(into, block);
            let made = opened.inside.or(into.last_child().filter(|last| before != Some(address(last))));
            if let Some(made) = made {
                self.made_for(made, block);
            }
            let rest = if block::takes_its_children(block) {
                [].iter()
            } else {
                block.children.iter()
            };
            let (into, nesting) = match opened.inside {
                Some(inside) if nesting < MAX_NESTING => (inside, nesting + 1),
                _ => (into, nesting),
            };
            stack.push(Frame {
                into,
                nesting,
                rest,
                closing: opened.closing,
            });
        }
    }
}

/// What a node is known by while its tree stands.
fn address(node: Node<'_>) -> usize {
    std::ptr::from_ref(node).addr()
}

/// Takes that much text and then refuses.
struct Bounded {
    text: String,
    left: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        self.text.push_str(text);
        Ok(())
    }
}
