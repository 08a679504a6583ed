//! The tree of blocks once more, straight from the document and as the rules say it, without a thought for speed:
//! where several wrote a place, the greatest operation counts; a deleted parent is skipped for the one it hangs under, a
//! missing one means the page; the member of a circle whose place was written last hangs on the page; siblings stand by
//! key and then by id.

use automerge::{Automerge, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What a block's registers say.
pub struct Said {
    pub parent: String,
    pub order: String,
    pub op: (u64, Vec<u8>),
    pub deleted: bool,
}

/// Every block of the document.
pub fn said(doc: &Automerge) -> BTreeMap<String, Said> {
    let mut out = BTreeMap::new();
    let Some((_, blocks)) = doc.get(ROOT, "blocks").expect("readable") else {
        return out;
    };
    for id in doc.keys(&blocks) {
        let Some((Value::Object(ObjType::Map), block)) = doc.get(&blocks, id.as_str()).expect("readable") else {
            continue;
        };
        let places = doc.get_all(&block, "place").expect("readable");
        let (op, place) = places
            .into_iter()
            .map(|(value, op)| (op_id(&op), word(doc, &value, &op)))
            .max()
            .unwrap_or_default();
        let (parent, order) = place.split_once('|').unwrap_or(("", place.as_str()));
        let deleted = match doc.get(&block, "deleted_at").expect("readable") {
            None => false,
            Some((Value::Scalar(scalar), _)) => *scalar != ScalarValue::Null,
            Some(_) => true,
        };
        let (parent, order) = (parent.to_owned(), order.to_owned());
        out.insert(
            id,
            Said {
                parent,
                order,
                op,
                deleted,
            },
        );
    }
    out
}

fn op_id(id: &ObjId) -> (u64, Vec<u8>) {
    match id {
        ObjId::Id(counter, actor, _) => (*counter, actor.to_bytes().to_vec()),
        ObjId::Root => (0, Vec::new()),
    }
}

fn word(doc: &Automerge, value: &Value<'_>, id: &ObjId) -> String {
    match value {
        Value::Scalar(scalar) => scalar.as_str().unwrap_or_default().to_owned(),
        Value::Object(ObjType::Text) => doc.text(id).expect("readable"),
        Value::Object(_) => String::new(),
    }
}

/// The circle a block is a member of, if it is.
fn circle_of<'a>(all: &'a BTreeMap<String, Said>, id: &'a str) -> Vec<&'a str> {
    let mut members = vec![id];
    let mut at = id;
    for _ in 0..all.len() {
        let Some(said) = all.get(at) else { return Vec::new() };
        at = &said.parent;
        if at == id {
            return members;
        }
        members.push(at);
    }
    Vec::new()
}

/// Whether a block is the member of its circle that was placed last.
fn is_cut(all: &BTreeMap<String, Said>, id: &str) -> bool {
    circle_of(all, id).into_iter().max_by_key(|member| &all[*member].op) == Some(id)
}

/// Where a live block hangs.
fn parent_of(all: &BTreeMap<String, Said>, id: &str) -> String {
    let mut at = id;
    loop {
        if is_cut(all, at) {
            return String::new();
        }
        let parent = &all[at].parent;
        match all.get(parent) {
            None => return String::new(),
            Some(said) if !said.deleted => return parent.clone(),
            Some(_) => at = parent,
        }
    }
}

/// Live blocks under each parent, in order.
pub fn tree(doc: &Automerge) -> BTreeMap<String, Vec<String>> {
    let all = said(doc);
    let mut rows: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for (id, said) in all.iter().filter(|(_, said)| !said.deleted) {
        rows.entry(parent_of(&all, id))
            .or_default()
            .insert((said.order.clone(), id.clone()));
    }
    let ids = |row: BTreeSet<(String, String)>| row.into_iter().map(|(_, id)| id).collect();
    rows.into_iter().map(|(parent, row)| (parent, ids(row))).collect()
}

/// A block and what hangs under it.
pub fn below(tree: &BTreeMap<String, Vec<String>>, id: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::from([id.to_owned()]);
    for child in tree.get(id).into_iter().flatten() {
        out.extend(below(tree, child));
    }
    out
}
