//! HTML as blocks: of browsers, of Notion, of Google Docs.
//!
//! Nothing of the markup itself gets onto a page: what has a block becomes one, other elements give their text, and what
//! could run or load something is left out and noted. Nothing recurses, however deep elements nest.

mod element;
mod media;
mod page;
mod parse;
mod style;
mod table;
#[cfg(test)]
mod tests;

use super::{
    archive::Refusal,
    draft::{Draft, Links},
};
use element::Reader;
use page::Page;
use scraper::{ElementRef, Node};
use style::Sheet;

/// Cells that are added because others span them.
const MAX_SPARE: usize = 50_000;

/// Reads a document as a page.
///
/// # Errors
/// When it nests or branches beyond measure.
pub fn read(html: &str, links: Links<'_>) -> Result<Draft, Refusal> {
    let tree = parse::parse(html)?;
    let mut reader = Reader {
        page: Page::new(),
        links,
        sheet: Sheet::of(&tree),
        lists: Vec::new(),
        draft: Draft::default(),
        heading_title: None,
        code: None,
        blocks: Vec::new(),
        spanned: Vec::new(),
        spare: MAX_SPARE,
    };
    let mut open = vec![tree.tree.root().children()];
    while let Some(children) = open.last_mut() {
        let Some(node) = children.next() else {
            open.pop();
            reader.close(open.len());
            continue;
        };
        let depth = open.len();
        match ElementRef::wrap(node) {
            Some(element) if reader.open(element, depth) => open.push(node.children()),
            Some(_) => reader.close(depth),
            None => {
                if let Node::Text(text) = node.value() {
                    reader.text(text);
                }
            }
        }
    }
    Ok(reader.finish())
}
