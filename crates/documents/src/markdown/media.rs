//! Blocks that point at something: pictures, files, pages, boards.

use super::{
    Page,
    block::text_prop,
    inline::{Piece, plain},
    rich::{Place, link_node},
};
use crate::{kinds::is_link, view::Block};
use comrak::nodes::{Node, NodeValue};

impl<'a> Page<'a> {
    pub(super) fn image(self, into: Node<'a>, block: &Block) {
        let Some(url) = source(block) else {
            return self.unplaced(into, block);
        };
        let alt = text_prop(block, "alt");
        let caption = label(block, &["caption", "name"]);
        let paragraph = self.append(into, NodeValue::Paragraph);
        let image = self.append(paragraph, NodeValue::Image(link_node(&url)));
        self.rich(image, &plain(alt.unwrap_or(caption)), Place::Label);
        if alt.is_some_and(|alt| alt != caption) {
            self.paragraph(into, &Piece::of(block));
        }
    }

    pub(super) fn media(self, into: Node<'a>, block: &Block) {
        match source(block) {
            Some(url) => self.link(into, &url, label(block, &["title", "name", "caption"])),
            None => self.unplaced(into, block),
        }
    }

    pub(super) fn page_link(self, into: Node<'a>, block: &Block) {
        match id(block, "document_id") {
            Some(id) => self.link(into, &format!("/documents/{id}"), or(label(block, &["title"]), "Page")),
            None => self.unplaced(into, block),
        }
    }

    pub(super) fn board_link(self, into: Node<'a>, block: &Block) {
        match id(block, "board_id") {
            Some(id) => self.link(into, &format!("/boards/{id}"), or(label(block, &["title"]), "Board")),
            None => self.unplaced(into, block),
        }
    }

    /// Its content stands in it; a mere reference leads to the page that has it.
    pub(super) fn synced(self, into: Node<'a>, block: &Block) {
        match id(block, "source_document_id") {
            _ if !block.children.is_empty() => self.paragraph(into, &Piece::of(block)),
            Some(id) => self.link(into, &format!("/documents/{id}"), or(block.text.trim(), "Synced block")),
            None => self.unplaced(into, block),
        }
    }

    fn link(self, into: Node<'a>, url: &str, label: &str) {
        let paragraph = self.append(into, NodeValue::Paragraph);
        let link = self.append(paragraph, NodeValue::Link(link_node(url)));
        self.label(link, url, or(label, url));
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

fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.is_empty() { other } else { text }
}

fn id<'b>(block: &'b Block, name: &str) -> Option<&'b str> {
    let plain = |id: &&str| id.len() <= 64 && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    text_prop(block, name).filter(plain)
}
