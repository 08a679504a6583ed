//! Blocks that point at something: pictures, files, pages, boards.

use super::{Page, block::text_prop, inline::plain, rich::link_node};
use crate::{kinds::is_link, view::Block};
use comrak::nodes::{Node, NodeValue};

/// The words of a link to a page without a title, to a board, and to what is shown here from elsewhere.
pub(super) const PAGE: &str = "Page";
pub(super) const BOARD: &str = "Board";
pub(super) const SYNCED: &str = "Synced block";

impl<'a> Page<'a> {
    pub(super) fn image(self, into: Node<'a>, block: &Block) {
        let Some(url) = source(block) else {
            return self.unplaced(into, block);
        };
        let caption = one_line(label(block, &["caption", "name"]));
        let alt = one_line(text_prop(block, "alt").unwrap_or(&caption));
        let title = if alt == caption { "" } else { &caption };
        let paragraph = self.append(into, NodeValue::Paragraph);
        let image = self.append(paragraph, NodeValue::Image(link_node(&url, &title.replace('&', "&amp;"))));
        self.label(image, &alt);
    }

    pub(super) fn media(self, into: Node<'a>, block: &Block) {
        match source(block) {
            Some(url) => self.link(into, &block.kind, (&url, label(block, &["title", "name", "caption"]))),
            None => self.unplaced(into, block),
        }
    }

    pub(super) fn page_link(self, into: Node<'a>, block: &Block) {
        match id(block, "document_id") {
            Some(id) => self.link(into, &block.kind, (&format!("/documents/{id}"), or(label(block, &["title"]), PAGE))),
            None => self.unplaced(into, block),
        }
    }

    pub(super) fn board_link(self, into: Node<'a>, block: &Block) {
        match id(block, "board_id") {
            Some(id) => self.link(into, &block.kind, (&format!("/boards/{id}"), or(label(block, &["title"]), BOARD))),
            None => self.unplaced(into, block),
        }
    }

    /// A reference to what stands elsewhere is a link, with the block it names behind the `#`. Says whether it is one.
    pub(super) fn synced(self, into: Node<'a>, block: &Block) -> bool {
        let source = id(block, "source_block_id").map_or(String::new(), |source| format!("#{source}"));
        let Some(id) = id(block, "source_document_id").filter(|_| block.children.is_empty()) else {
            return false;
        };
        self.link(into, &block.kind, (&format!("/documents/{id}{source}"), SYNCED));
        true
    }

    /// A link that is a block of its own. Its title says of which type.
    fn link(self, into: Node<'a>, kind: &str, (url, label): (&str, &str)) {
        let paragraph = self.append(into, NodeValue::Paragraph);
        let link = self.append(paragraph, NodeValue::Link(link_node(url, kind)));
        self.label(link, or(label, url));
    }

    /// What points nowhere we may lead keeps its words.
    fn unplaced(self, into: Node<'a>, block: &Block) {
        match label(block, &["title", "name", "caption", "alt"]) {
            "" => self.comment(into, &block.kind),
            label => self.paragraph(into, &plain(label)),
        }
    }
}

fn source(block: &Block) -> Option<String> {
    match id(block, "attachment_id") {
        Some(id) => Some(format!("/api/v1/attachments/{id}/content/")),
        None => text_prop(block, "url").filter(|url| is_link(url)).map(str::to_owned),
    }
}

/// The text of the block, else the first of the props that says something.
fn label<'b>(block: &'b Block, names: &[&str]) -> &'b str {
    let prop = || names.iter().find_map(|name| text_prop(block, name)).unwrap_or_default();
    let text = block.text.trim();
    if text.is_empty() { prop().trim() } else { text }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.is_empty() { other } else { text }
}

fn id<'b>(block: &'b Block, name: &str) -> Option<&'b str> {
    let plain = |id: &&str| id.len() <= 64 && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    text_prop(block, name).filter(plain)
}
