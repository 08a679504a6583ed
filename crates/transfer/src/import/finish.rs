//! The last step before a page: links that stand alone become blocks, and files of the archive become files of the page.

use super::{
    archive::name,
    draft::{block, file_at, page_at, with},
};
use documents::{op::NewBlock, view::Mark};
use kernel::id::{AttachmentId, DocumentId};
use std::collections::BTreeSet;

/// Where files of pages are read.
const CONTENTS: &str = "/api/v1/attachments/";
/// Endings of pictures, films and sounds.
const PICTURES: [&str; 8] = ["png", "jpg", "jpeg", "gif", "webp", "svg", "bmp", "avif"];
const FILMS: [&str; 4] = ["mp4", "mov", "webm", "m4v"];
const SOUNDS: [&str; 5] = ["mp3", "wav", "ogg", "m4a", "flac"];

/// Makes blocks of paragraphs that are nothing but a link to a page or a file. `is_under` says whether a page hangs under
/// this one; `path` is that of a file.
pub fn lone_links(blocks: &mut [NewBlock], is_under: &dyn Fn(DocumentId) -> bool, path: &dyn Fn(usize) -> Option<String>) {
    // A cell is read as text: what is a link there stays one.
    for block in blocks.iter_mut().filter(|block| block.kind != "table_row") {
        lone_links(&mut block.children, is_under, path);
        let Some(address) = lone(block) else { continue };
        let title: String = block.text.chars().take(500).collect();
        if let Some(page) = page_at(&address) {
            let kind = if is_under(page) { "child_page" } else { "link_to_page" };
            *block = with(with(super::draft::block(kind), "document_id", page.to_string()), "title", title);
        } else if let Some(path) = file_at(&address).and_then(path) {
            *block = file(&path, &address);
        }
    }
}

/// Where the only link of a paragraph leads that has nothing else.
fn lone(block: &NewBlock) -> Option<String> {
    let [mark] = &block.marks[..] else { return None };
    let is_all = mark.start == 0 && mark.end == block.text.encode_utf16().count();
    let is_plain = block.kind == "paragraph" && block.children.is_empty() && block.props.is_empty();
    (is_plain && is_all && mark.name == "link").then(|| mark.value.as_str().map(str::to_owned))?
}

/// A block for a file, by what its name says it is.
fn file(path: &str, address: &str) -> NewBlock {
    let ending = name::split(path).1;
    let kind = match ending.as_str() {
        ending if PICTURES.contains(&ending) => "image",
        ending if FILMS.contains(&ending) => "video",
        ending if SOUNDS.contains(&ending) => "audio",
        _ => "file",
    };
    let called: String = name::file(path).chars().take(255).collect();
    with(with(block(kind), "url", address), "name", called)
}

/// The files that blocks show or lead to, and the pages that they lead to.
pub fn references(blocks: &[NewBlock]) -> (BTreeSet<usize>, BTreeSet<DocumentId>) {
    let (mut files, mut pages) = (BTreeSet::new(), BTreeSet::new());
    let mut rest: Vec<&NewBlock> = blocks.iter().collect();
    while let Some(block) = rest.pop() {
        let addresses = block.props.get("url").into_iter().chain(block.marks.iter().map(|mark| &mark.value));
        for address in addresses.filter_map(|value| value.as_str()) {
            files.extend(file_at(address));
            pages.extend(page_at(address));
        }
        let page: Option<DocumentId> = block.props.get("document_id").and_then(|id| id.as_str()?.parse().ok());
        pages.extend(page);
        rest.extend(&block.children);
    }
    (files, pages)
}

/// The files of pages that blocks show or lead to.
pub fn attachments(blocks: &[NewBlock]) -> BTreeSet<AttachmentId> {
    let mut shown = BTreeSet::new();
    let mut rest: Vec<&NewBlock> = blocks.iter().collect();
    while let Some(block) = rest.pop() {
        let own: Option<AttachmentId> = block.props.get("attachment_id").and_then(|id| id.as_str()?.parse().ok());
        let linked = |mark: &Mark| mark.value.as_str()?.strip_prefix(CONTENTS)?.split('/').next()?.parse().ok();
        shown.extend(own.into_iter().chain(block.marks.iter().filter_map(linked)));
        rest.extend(&block.children);
    }
    shown
}

/// Puts files of the page where files of the archive were meant.
pub fn with_files(blocks: &mut [NewBlock], id_of: &dyn Fn(usize) -> AttachmentId) {
    for block in blocks {
        with_files(&mut block.children, id_of);
        if let Some(number) = block.props.get("url").and_then(|url| file_at(url.as_str()?)) {
            block.props.shift_remove("url");
            block.props.insert("attachment_id".to_owned(), id_of(number).to_string().into());
        }
        for mark in &mut block.marks {
            if let Some(number) = mark.value.as_str().and_then(file_at) {
                mark.value = content_of(id_of(number)).into();
            }
        }
    }
}

fn content_of(file: AttachmentId) -> String {
    format!("{CONTENTS}{file}/content/")
}

/// Takes files out that could not be kept; the words about them stay.
pub fn without_files(blocks: &mut [NewBlock], lost: &BTreeSet<AttachmentId>) {
    let urls: BTreeSet<String> = lost.iter().map(|id| content_of(*id)).collect();
    drop_files(blocks, &(lost, &urls));
}

fn drop_files(blocks: &mut [NewBlock], lost: &(&BTreeSet<AttachmentId>, &BTreeSet<String>)) {
    let (ids, urls) = lost;
    let is_lost = |id: &str| id.parse().is_ok_and(|id: AttachmentId| ids.contains(&id));
    for block in blocks {
        drop_files(&mut block.children, lost);
        let has_lost = block.props.get("attachment_id").and_then(|id| id.as_str()).is_some_and(is_lost);
        if has_lost && block.props.contains_key("url") {
            block.props.shift_remove("attachment_id");
        } else if has_lost {
            without_file(block);
        }
        block.marks.retain(|mark| mark.value.as_str().is_none_or(|url| !urls.contains(url)));
    }
}

/// What is left of a picture or file that is not there.
fn without_file(block: &mut NewBlock) {
    let words = ["caption", "alt", "name"]
        .iter()
        .find_map(|name| block.props.get(*name)?.as_str().map(str::to_owned));
    if block.text.is_empty() {
        block.text = words.unwrap_or_default();
    }
    block.kind = "paragraph".to_owned();
    block.props.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::draft::text_block;

    fn link(text: &str, to: &str) -> NewBlock {
        let end = text.encode_utf16().count();
        let mark = Mark {
            name: "link".into(),
            value: to.into(),
            start: 0,
            end,
        };
        text_block("paragraph", text, vec![mark])
    }

    #[test]
    fn a_link_alone_is_a_block_and_files_become_the_pages_own() {
        let (under, beside, id) = (DocumentId::new(), DocumentId::new(), AttachmentId::new());
        let mut blocks = vec![
            link("Child", &format!("/documents/{under}")),
            link("Other", &format!("/documents/{beside}")),
            link("doc.pdf", "/@file/0"),
            link("pic", "/@file/1"),
            link("web", "https://a.b/"),
            with(with(block("image"), "url", "/@file/2"), "alt", "gone"),
        ];
        let paths = ["a/doc.pdf", "a/x.PNG", "a/y.png"];
        lone_links(&mut blocks, &|page| page == under, &|number| Some(paths[number].to_owned()));
        let kinds: Vec<&str> = blocks.iter().map(|block| block.kind.as_str()).collect();
        assert_eq!(kinds, ["child_page", "link_to_page", "file", "image", "paragraph", "image"]);
        assert_eq!(references(&blocks), ([0, 1, 2].into(), [under, beside].into()));
        let ids = [id, AttachmentId::new(), AttachmentId::new()];
        with_files(&mut blocks, &|number| ids[number]);
        assert_eq!(blocks[2].props["attachment_id"], id.to_string());
        assert!(!blocks[2].props.contains_key("url"));
        without_files(&mut blocks, &[ids[2]].into());
        assert_eq!((blocks[5].kind.as_str(), blocks[5].text.as_str()), ("paragraph", "gone"));
        assert_eq!(blocks[2].kind, "file");
    }
}
