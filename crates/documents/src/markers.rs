//! Block markers: what an editor that keeps a whole page in one Text (the ProseMirror binding of Automerge) writes into it on
//! Enter. Here every block has a Text of its own, so a marker inside one is made a block behind it.
//!
//! The block that comes of a marker has an id that follows from the marker's, so that two nodes that do the same at once
//! make one block.

use crate::{
    kinds::{self, TextRule},
    mirror::{self, Entry},
    still::Source,
};
use automerge::{ObjId, ObjType, Value};
use sha2::{Digest, Sha256};

/// What a marker reads as in plain text: one UTF-16 unit, the object replacement character.
const SIGN: char = '\u{FFFC}';

/// A marker in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Where it stands, in UTF-16 units.
    pub at: usize,
    /// The type of block that it begins.
    pub kind: &'static str,
    /// The id of that block.
    pub id: String,
}

/// Whether a block's text has markers that blocks can be made of: there may be more than one of its type, and they have
/// text. People may type the sign themselves, so the elements decide.
pub fn are_in(doc: &impl Source, text: &ObjId, block: &Entry) -> bool {
    let can_be_cut = || kinds::find(&block.kind).is_none_or(|kind| kind.text != TextRule::None && kind.needs.is_empty());
    block.text.contains(SIGN) && can_be_cut() && !in_text(doc, text, &block.text).is_empty()
}

/// The markers of a text, in order. `doc` may be a transaction.
pub fn in_text(doc: &impl Source, text: &ObjId, plain: &str) -> Vec<Marker> {
    let mut at = 0;
    let mut out = Vec::new();
    for c in plain.chars() {
        if c == SIGN
            && let Some((Value::Object(ObjType::Map), marker)) = doc.item_of(text, at)
        {
            out.push(Marker {
                at,
                kind: kind(doc, &marker),
                id: id(&marker),
            });
        }
        at += c.len_utf16();
    }
    out
}

/// Our type for the binding's; what we cannot tell is a paragraph, which needs nothing.
fn kind(doc: &impl Source, marker: &ObjId) -> &'static str {
    match mirror::string(doc, marker, "type").as_deref() {
        Some("blockquote") => "quote",
        Some("code-block") => "code",
        Some("ordered-list-item") => "numbered_list_item",
        Some("unordered-list-item") => "bulleted_list_item",
        _ => "paragraph",
    }
}

fn id(marker: &ObjId) -> String {
    let digest = Sha256::digest(marker.to_string());
    hex::encode(&digest[..16])
}

#[cfg(test)]
mod tests {
    use crate::{
        limits::Limits,
        op::NewBlock,
        page::Page,
        view::{Block, walk},
    };
    use automerge::{ROOT, ReadDoc, transaction::Transactable};

    fn shown(page: &Page) -> Vec<(String, String)> {
        let tree: Vec<Block> = page.mirror().tree();
        walk(&tree).map(|(_, block)| (block.kind.clone(), block.text.clone())).collect()
    }

    /// A page whose one block was given markers at these places by an editor.
    fn page(text: &str, markers: &[(usize, &str)]) -> (Page, Page) {
        let block = NewBlock {
            id: Some("a".into()),
            kind: "paragraph".into(),
            text: text.into(),
            ..NewBlock::default()
        };
        let (_, first) = Page::create("Title", &[block], &Limits::default(), 1).expect("a page");
        let load = || Page::load(None, vec![first.clone()]).expect("a page");
        let (mut one, mut other) = (load(), load());
        if markers.is_empty() {
            return (one, other);
        }
        let mut doc = one.doc().fork();
        let (_, blocks) = doc.get(ROOT, "blocks").expect("readable").expect("blocks");
        let (_, a) = doc.get(&blocks, "a").expect("readable").expect("a block");
        let (_, text) = doc.get(&a, "text").expect("readable").expect("a text");
        let mut tx = doc.transaction();
        for (at, kind) in markers {
            let marker = tx.split_block(&text, *at).expect("split");
            tx.put(&marker, "type", *kind).expect("put");
        }
        let hash = tx.commit().0.expect("a change");
        let change = doc.get_change_by_hash(&hash).expect("a change");
        one.apply(vec![change.clone()]).expect("applied");
        other.apply(vec![change]).expect("applied");
        (one, other)
    }

    fn expected(rows: &[(&str, &str)]) -> Vec<(String, String)> {
        rows.iter().map(|(kind, text)| ((*kind).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_marker_becomes_a_block_behind() {
        let (mut page, _) = page("one \u{1F600}two", &[(0, "paragraph"), (5, "blockquote"), (9, "nobody knows")]);
        assert!(page.is_unsettled());
        page.settle(&Limits::default(), 1).expect("settled");
        assert!(!page.is_unsettled());
        let rows = [("paragraph", "one "), ("quote", "\u{1F600}t"), ("paragraph", "wo")];
        assert_eq!(shown(&page), expected(&rows));
        assert!(
            page.settle(&Limits::default(), 1).expect("settled").change.is_none(),
            "there is nothing more to do"
        );
    }

    #[test]
    fn two_nodes_that_do_it_at_once_make_one_block() {
        let (mut one, mut other) = page("left right", &[(4, "paragraph")]);
        let settled = |page: &mut Page| page.settle(&Limits::default(), 1).expect("settled").change.expect("a change");
        let (first, second) = (settled(&mut one), settled(&mut other));
        one.apply(vec![second]).expect("applied");
        other.apply(vec![first]).expect("applied");
        let rows = [("paragraph", "left"), ("paragraph", " right")];
        assert_eq!((shown(&one), shown(&other)), (expected(&rows), expected(&rows)));
    }

    #[test]
    fn a_sign_that_somebody_typed_stays() {
        let (page, _) = page("a\u{FFFC}b", &[]);
        assert!(!page.is_unsettled());
    }
}
