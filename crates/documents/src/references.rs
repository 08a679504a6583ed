//! Which pages a page names: in blocks that stand for a page, in mentions, and in links that lead to a page of this site.

use crate::{
    kinds::{Mention, read_mention},
    projection::Content,
    view::{Block, Mark, walk},
};
use kernel::id::DocumentId;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

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

/// The page that a link leads to: `…/documents/<id>…`, whatever host it names. One installation may answer to several.
pub fn page_of(url: &str) -> Option<DocumentId> {
    let (_, rest) = url.split_once("/documents/")?;
    let id = rest.split(['/', '?', '#']).next()?;
    uuid_of(id)
}

fn uuid_of(text: &str) -> Option<DocumentId> {
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
    let all = walk(&content.blocks).flat_map(|(_, block)| {
        of_block(block).into_iter().map(|(kind, target)| Reference {
            block: block.id.clone(),
            kind,
            target,
        })
    });
    all.collect()
}

/// Makes a content name other pages instead of those that it names: what a copy does with those that were copied with it.
pub fn exchange(content: &mut Content, pages: &HashMap<DocumentId, DocumentId>) {
    let mut open: Vec<&mut Block> = content.blocks.iter_mut().collect();
    while let Some(block) = open.pop() {
        exchange_in(block, pages);
        open.extend(block.children.iter_mut());
    }
}

fn exchange_in(block: &mut Block, pages: &HashMap<DocumentId, DocumentId>) {
    for (kind, prop) in BLOCKS {
        let known = block.props.get_mut(prop).filter(|_| block.kind == kind);
        if let Some(value) = known
            && let Some(other) = uuid_of(text_of(value)).and_then(|id| pages.get(&id))
        {
            *value = json!(other);
        }
    }
    if let Some(url) = block.props.get_mut("url") {
        exchange_link(url, pages);
    }
    for mark in &mut block.marks {
        match (mark.name.as_str(), of_mark(mark)) {
            ("link", Some(_)) => exchange_link(&mut mark.value, pages),
            ("mention", Some((_, id))) => {
                if let Some(other) = pages.get(&id) {
                    mark.value = Value::String(text_of(&mark.value).replace(&id.to_string(), &other.to_string()));
                }
            }
            _ => {}
        }
    }
}

fn exchange_link(url: &mut Value, pages: &HashMap<DocumentId, DocumentId>) {
    let text = text_of(url);
    let Some((id, other)) = page_of(text).and_then(|id| Some((id, pages.get(&id)?))) else {
        return;
    };
    if let Some((before, after)) = text.split_once("/documents/") {
        // Whatever way its letters were written.
        let after = after.get(id.to_string().len()..).unwrap_or_default();
        *url = Value::String(format!("{before}/documents/{other}{after}"));
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
        exchange(&mut copy, &HashMap::from([(id(A), id(B))]));
        assert!(of(&copy).iter().all(|one| one.target == id(B)) && of(&copy).len() == 5);
        let text = serde_json::to_string(&copy).expect("JSON");
        assert!(text.contains(&format!("https://sheaf.example/documents/{B}/?x#b1")), "{text}");
        // A person and a prop that means no page stay.
        assert_eq!(text.matches(A).count(), 2, "{text}");
        let same = content();
        exchange(&mut copy, &HashMap::new());
        assert_eq!(of(&same).len(), 5);
    }
}
