//! Which pages a page names: in blocks that stand for a page, in mentions, and in links that lead to a page of this site. And
//! which files: in blocks that show one, and in links.

use crate::{
    kinds::{Mention, read_mention},
    projection::Content,
    view::{Block, Mark, walk},
};
use kernel::id::{AttachmentId, DocumentId, UserId};
use serde_json::{Value, json};
use std::{
    collections::{BTreeSet, HashMap},
    str::FromStr,
};

/// A page that is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The block where it is.
    pub block: String,
    /// How: `mention`, `link`, or the type of the block.
    pub kind: &'static str,
    /// The page.
    pub target: DocumentId,
}

/// Blocks that stand for a page, and the prop that says which.
const BLOCKS: [(&str, &str); 3] = [
    ("child_page", "document_id"),
    ("link_to_page", "document_id"),
    ("synced_block", "source_document_id"),
];

/// What stands before the id in links to a page, and to a file.
const PAGES: &str = "/documents/";
const FILES: &str = "/api/v1/attachments/";

/// What a copy names instead of what its original names.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// Pages.
    pub pages: &'a HashMap<DocumentId, DocumentId>,
    /// Files.
    pub files: &'a HashMap<AttachmentId, AttachmentId>,
}

/// The page that a link leads to: `…/documents/<id>…`, whatever host it names. One installation may answer to several.
pub fn page_of(url: &str) -> Option<DocumentId> {
    id_behind(url, PAGES)
}

/// The file that a link leads to.
pub fn file_of(url: &str) -> Option<AttachmentId> {
    id_behind(url, FILES)
}

fn id_behind<I: FromStr>(url: &str, begin: &str) -> Option<I> {
    let (_, rest) = url.split_once(begin)?;
    uuid_of(rest.split(['/', '?', '#']).next()?)
}

fn uuid_of<I: FromStr>(text: &str) -> Option<I> {
    text.parse().ok().filter(|_| text.len() == 36)
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn of_mark(mark: &Mark) -> Option<(&'static str, DocumentId)> {
    match mark.name.as_str() {
        "link" => Some(("link", page_of(text_of(&mark.value))?)),
        "mention" => match read_mention(text_of(&mark.value))? {
            Mention::Page(id) => Some(("mention", uuid_of(&id)?)),
            Mention::User(_) | Mention::Date(_) => None,
        },
        _ => None,
    }
}

fn of_block(block: &Block) -> Vec<(&'static str, DocumentId)> {
    let named = BLOCKS.iter().filter(|(kind, _)| *kind == block.kind);
    let named = named.filter_map(|(kind, prop)| Some((*kind, uuid_of(text_of(block.props.get(*prop)?))?)));
    let linked = block.props.get("url").and_then(|url| page_of(text_of(url)));
    named
        .chain(linked.map(|id| ("link", id)))
        .chain(block.marks.iter().filter_map(of_mark))
        .collect()
}

/// Every page that a content names, each once for each block and way.
pub fn of(content: &Content) -> BTreeSet<Reference> {
    of_blocks(&content.blocks)
}

/// The same of some blocks and what is under them.
pub fn of_blocks(blocks: &[Block]) -> BTreeSet<Reference> {
    let all = walk(blocks).flat_map(|(_, block)| {
        of_block(block).into_iter().map(|(kind, target)| Reference {
            block: block.id.clone(),
            kind,
            target,
        })
    });
    all.collect()
}

/// Everybody whom blocks mention.
pub fn people_of(blocks: &[Block]) -> BTreeSet<UserId> {
    let mentions = walk(blocks).flat_map(|(_, block)| block.marks.iter().filter(|mark| mark.name == "mention"));
    let people = mentions.filter_map(|mark| match read_mention(text_of(&mark.value))? {
        Mention::User(id) => uuid_of(&id),
        Mention::Page(_) | Mention::Date(_) => None,
    });
    people.collect()
}

/// Every file that a content names.
pub fn files_of(content: &Content) -> BTreeSet<AttachmentId> {
    let all = walk(&content.blocks).flat_map(|(_, block)| {
        let shown = block.props.get("attachment_id").and_then(|id| uuid_of(text_of(id)));
        let linked = block.props.get("url").and_then(|url| file_of(text_of(url)));
        let marked = block.marks.iter().filter(|mark| mark.name == "link");
        let marked = marked.filter_map(|mark| file_of(text_of(&mark.value)));
        shown.into_iter().chain(linked).chain(marked)
    });
    all.collect()
}

/// Makes a content name other pages and files instead of those that it names: what a copy does with those that were copied
/// with it.
pub fn exchange(content: &mut Content, names: Names<'_>) {
    let mut open: Vec<&mut Block> = content.blocks.iter_mut().collect();
    while let Some(block) = open.pop() {
        exchange_in(block, names);
        open.extend(block.children.iter_mut());
    }
}

fn exchange_in(block: &mut Block, names: Names<'_>) {
    for (kind, prop) in BLOCKS {
        let known = block.props.get_mut(prop).filter(|_| block.kind == kind);
        if let Some(value) = known
            && let Some(other) = uuid_of(text_of(value)).and_then(|id: DocumentId| names.pages.get(&id))
        {
            *value = json!(other);
        }
    }
    if let Some(value) = block.props.get_mut("attachment_id")
        && let Some(other) = uuid_of(text_of(value)).and_then(|id: AttachmentId| names.files.get(&id))
    {
        *value = json!(other);
    }
    if let Some(Value::String(url)) = block.props.get_mut("url") {
        exchange_link(url, names);
    }
    for mark in &mut block.marks {
        let known = of_mark(mark);
        match (&mut mark.value, mark.name.as_str(), known) {
            (Value::String(url), "link", _) => exchange_link(url, names),
            (Value::String(text), "mention", Some((_, id))) => {
                if let Some(other) = names.pages.get(&id) {
                    *text = text.replace(&id.to_string(), &other.to_string());
                }
            }
            _ => {}
        }
    }
}

/// Makes a link lead to another page or file.
pub fn exchange_link(url: &mut String, names: Names<'_>) {
    let page = page_of(url).and_then(|id| names.pages.get(&id)).map(ToString::to_string);
    let file = file_of(url).and_then(|id| names.files.get(&id)).map(ToString::to_string);
    let Some((begin, other)) = page.map(|id| (PAGES, id)).or(file.map(|id| (FILES, id))) else {
        return;
    };
    if let Some((before, after)) = url.split_once(begin) {
        // Whatever way its letters were written.
        let after = after.get(other.len()..).unwrap_or_default();
        *url = format!("{before}{begin}{other}{after}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0b9c6f0e-6f0e-4b7e-8a51-1f7a3f6f2f11";
    const B: &str = "1b9c6f0e-6f0e-4b7e-8a51-1f7a3f6f2f11";

    fn id(text: &str) -> DocumentId {
        text.parse().expect("an id")
    }

    fn content() -> Content {
        let mention = json!({ "kind": "page", "id": A }).to_string();
        let person = json!({ "kind": "user", "id": A }).to_string();
        let blocks = json!([
            { "id": "b1", "type": "link_to_page", "props": { "document_id": A } },
            { "id": "b2", "type": "paragraph", "text": "see this", "marks": [
                { "name": "link", "value": format!("https://sheaf.example/documents/{A}/?x#b1"), "start": 0, "end": 3 },
                { "name": "mention", "value": mention, "start": 4, "end": 8 },
                { "name": "mention", "value": person, "start": 4, "end": 8 },
            ], "children": [
                { "id": "b3", "type": "synced_block", "props": { "source_document_id": A, "source_block_id": "b2" } },
                { "id": "b4", "type": "bookmark", "props": { "url": format!("/documents/{A}"), "document_id": A } },
            ] },
            { "id": "b5", "type": "paragraph", "text": "no", "marks": [
                { "name": "link", "value": "https://example.com/documents/none", "start": 0, "end": 2 },
            ] },
        ]);
        Content {
            title: String::new(),
            blocks: serde_json::from_value(blocks).expect("blocks"),
        }
    }

    fn named(content: &Content) -> Vec<(String, &'static str, DocumentId)> {
        of(content).into_iter().map(|one| (one.block, one.kind, one.target)).collect()
    }

    #[test]
    fn a_page_names_others_in_blocks_mentions_and_links() {
        let ways = [
            ("b1", "link_to_page"),
            ("b2", "link"),
            ("b2", "mention"),
            ("b3", "synced_block"),
            ("b4", "link"),
        ];
        let expected: Vec<_> = ways.iter().map(|(block, kind)| ((*block).to_owned(), *kind, id(A))).collect();
        assert_eq!(named(&content()), expected);
    }

    #[test]
    fn a_copy_names_what_was_copied_with_it() {
        let mut copy = content();
        let (pages, files, none) = (HashMap::from([(id(A), id(B))]), HashMap::new(), HashMap::new());
        exchange(
            &mut copy,
            Names {
                pages: &pages,
                files: &files,
            },
        );
        assert!(of(&copy).iter().all(|one| one.target == id(B)) && of(&copy).len() == 5);
        let text = serde_json::to_string(&copy).expect("JSON");
        assert!(text.contains(&format!("https://sheaf.example/documents/{B}/?x#b1")), "{text}");
        // A person and a prop that means no page stay.
        assert_eq!(text.matches(A).count(), 2, "{text}");
        let same = content();
        let before = copy.clone();
        exchange(
            &mut copy,
            Names {
                pages: &none,
                files: &files,
            },
        );
        assert_eq!((before, of(&same).len()), (copy, 5));
    }

    #[test]
    fn a_copy_names_the_files_that_were_copied_with_it() {
        let blocks = |id: &str| {
            json!([
                { "id": "i", "type": "image", "props": { "attachment_id": id }, "children": [
                    { "id": "f", "type": "file", "props": { "url": format!("/api/v1/attachments/{id}/content/") } },
                ] },
                { "id": "p", "type": "paragraph", "text": "see it", "marks": [
                    { "name": "link", "value": format!("https://sheaf.example/api/v1/attachments/{id}/content/?x"), "start": 0, "end": 3 },
                ] },
                { "id": "o", "type": "image", "props": { "attachment_id": "2b9c6f0e-6f0e-4b7e-8a51-1f7a3f6f2f11" } },
            ])
        };
        let content = |id: &str| Content {
            title: String::new(),
            blocks: serde_json::from_value(blocks(id)).expect("blocks"),
        };
        let file = |id: &str| -> AttachmentId { id.parse().expect("an id") };
        let mut copy = content(A);
        assert_eq!(
            files_of(&copy),
            BTreeSet::from([file(A), file("2b9c6f0e-6f0e-4b7e-8a51-1f7a3f6f2f11")])
        );
        let (pages, files) = (HashMap::new(), HashMap::from([(file(A), file(B))]));
        exchange(
            &mut copy,
            Names {
                pages: &pages,
                files: &files,
            },
        );
        assert_eq!(copy, content(B));
    }
}
