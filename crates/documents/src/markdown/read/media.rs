//! Blocks that point at something: a picture, or a link whose title says what it is.

use super::inline::{Inline, Links, Part, Place};
use super::note::Notes;
use crate::{
    kinds::{is_block_id, is_link, is_uuid},
    markdown::media::{BOARD, PAGE},
    view::Block,
};
use comrak::nodes::{Node, NodeLink, NodeValue};

/// A picture with its words. Where there is no caption they are it.
pub(super) fn image(url: String, alt: &str, caption: &str) -> Block {
    let image = Block::of("image").with_text(if caption.is_empty() { alt } else { caption });
    let image = source(image, url);
    if caption.is_empty() || alt.is_empty() {
        return image;
    }
    // Longer ones are refused.
    image.with_prop("alt", alt.chars().take(1_000).collect::<String>())
}

/// The block that a paragraph of one link stands for, if its title says so.
pub(super) fn link_block(paragraph: Node<'_>, links: Links<'_>) -> Option<Block> {
    let only = paragraph.first_child().filter(|only| only.next_sibling().is_none())?;
    let NodeValue::Link(link) = &only.data().value else { return None };
    let NodeLink { url, title: kind } = &**link;
    let url = links(url).unwrap_or_else(|| url.clone());
    let label = label(only);
    let block = Block::of(kind);
    let text = if label == url { String::new() } else { label.clone() };
    let link = Some(url.clone()).filter(|url| is_link(url));
    Some(match kind.as_str() {
        "video" | "audio" | "file" => source(block.with_text(text), link?),
        "bookmark" | "embed" => block.with_text(text).with_prop("url", link?),
        "child_page" | "link_to_page" => titled(block.with_prop("document_id", id(&url, "/documents/")?), label, PAGE),
        "board_embed" => titled(block.with_prop("board_id", id(&url, "/boards/")?), label, BOARD),
        "synced_block" => synced(block, &url)?,
        _ => return None,
    })
}

fn label(link: Node<'_>) -> String {
    let mut notes = Notes::default();
    let parts = Inline::new(Place::Line, &|_| None, &mut notes).read(link);
    parts
        .into_iter()
        .filter_map(|part| match part {
            Part::Text(rich) => Some(rich.text),
            Part::Image(_) => None,
        })
        .collect()
}

fn source(block: Block, url: String) -> Block {
    let attachment = url
        .strip_prefix("/api/v1/attachments/")
        .and_then(|rest| rest.strip_suffix("/content/"));
    match attachment.filter(|id| is_uuid(id)) {
        Some(id) => block.with_prop("attachment_id", id),
        None => block.with_prop("url", url),
    }
}

/// With a title, unless its words are those of what has none.
fn titled(block: Block, label: String, unnamed: &str) -> Block {
    if label == unnamed || label.is_empty() {
        return block;
    }
    block.with_prop("title", label.chars().take(500).collect::<String>())
}

fn synced(block: Block, url: &str) -> Option<Block> {
    let (page, source) = url.split_once('#').map_or((url, None), |(page, source)| (page, Some(source)));
    let block = block.with_prop("source_document_id", id(page, "/documents/")?);
    Some(match source.filter(|source| is_block_id(source)) {
        Some(source) => block.with_prop("source_block_id", source),
        None => block,
    })
}

fn id<'u>(url: &'u str, path: &str) -> Option<&'u str> {
    url.strip_prefix(path).filter(|id| is_uuid(id))
}
