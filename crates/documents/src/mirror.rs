//! The mirror: what a page's blocks say, kept in plain memory beside the Automerge document.
//!
//! Reading one block out of Automerge costs tens of microseconds, so a page is read once when it loads and then
//! only where patches touched it. A string may stand as a scalar or as a Text (a JavaScript assignment makes one);
//! both read alike. Anything of an unexpected type reads as absent: a page written by strangers may hold anything.

use crate::{
    markers,
    still::Source,
    tree::{self, Children, Node},
    view::{Block, Mark},
};
use automerge::{ObjId, ObjType, ROOT, ScalarValue, Value};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeSet, HashMap};

/// How deep a tree of blocks is shown; deeper ones surface at the deepest level. JSON readers stop at 128 nested values.
pub const MAX_DEPTH: usize = crate::view::MAX_LEVELS - 1;
/// How deep nested props are read.
const MAX_PROPS_DEPTH: usize = 16;

/// One block as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The block's map in the document.
    pub object: ObjId,
    /// Its Text, when it has one.
    pub text_object: Option<ObjId>,
    /// Its type.
    pub kind: String,
    /// Where it stands.
    pub node: Node,
    /// Its text.
    pub text: String,
    /// Ranges of its text.
    pub marks: Vec<Mark>,
    /// Values by type.
    pub props: Map<String, Json>,
}

/// A page as plain data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mirror {
    /// The title.
    pub title: String,
    /// Every block, deleted ones included.
    pub blocks: HashMap<String, Entry>,
    /// The derived tree.
    pub children: Children,
    /// The same the other way: live blocks to their derived parent, "" for the page.
    pub parents: HashMap<String, String>,
    /// Live blocks whose derived parent the last refresh changed, by whatever was done to blocks above them.
    pub resurfaced: BTreeSet<String>,
    /// Live blocks that are seen elsewhere than they say: under what is deleted, or as the end of a circle.
    pub astray: BTreeSet<String>,
    /// Blocks with an editor's block markers in their text.
    pub marked_up: BTreeSet<String>,
    /// Blocks whose marks the last batch changed without a patch that tells of it: when a mark meets text that was inserted
    /// concurrently, and when several texts were marked.
    pub remarked: BTreeSet<String>,
}

/// The object at a key, when it is of that type.
pub fn object(doc: &impl Source, parent: &ObjId, key: &str, kind: ObjType) -> Option<ObjId> {
    match doc.value_of(parent, key) {
        Some((Value::Object(found), id)) if found == kind => Some(id),
        _ => None,
    }
}

/// A string at a key, scalar or Text.
pub fn string(doc: &impl Source, parent: &ObjId, key: &str) -> Option<String> {
    match doc.value_of(parent, key)? {
        (Value::Scalar(scalar), _) => scalar.as_str().map(str::to_owned),
        (Value::Object(ObjType::Text), id) => doc.text_of(&id),
        (Value::Object(_), _) => None,
    }
}

impl Mirror {
    /// Reads the whole page.
    pub fn read(doc: &impl Source) -> Self {
        let mut mirror = Self {
            title: string(doc, &ROOT, "title").unwrap_or_default(),
            ..Self::default()
        };
        if let Some(blocks) = object(doc, &ROOT, "blocks", ObjType::Map) {
            for id in doc.keys_of(&blocks) {
                if let Some(entry) = read_entry(doc, &blocks, &id) {
                    mirror.put(doc, &id, entry);
                }
            }
        }
        mirror.derive();
        mirror
    }

    /// Reads again what changed: the title, the named blocks, or everything.
    pub fn refresh(&mut self, doc: &impl Source, touched: &Touched) {
        self.resurfaced.clear();
        self.remarked.clear();
        if touched.everything {
            *self = Self::read(doc);
            return;
        }
        if touched.title {
            self.title = string(doc, &ROOT, "title").unwrap_or_default();
        }
        let Some(blocks) = object(doc, &ROOT, "blocks", ObjType::Map) else {
            return;
        };
        let mut moved = false;
        for id in &touched.blocks {
            let before = self.blocks.get(id).map(|e| e.node.clone());
            match read_entry(doc, &blocks, id) {
                Some(entry) => {
                    moved |= before.as_ref() != Some(&entry.node);
                    self.put(doc, id, entry);
                }
                None => {
                    self.marked_up.remove(id);
                    moved |= self.blocks.remove(id).is_some();
                }
            }
        }
        if moved {
            self.derive();
        }
    }

    fn derive(&mut self) {
        let nodes = self.blocks.iter().map(|(id, e)| (id.clone(), e.node.clone())).collect();
        self.children = tree::derive(&nodes);
        let pairs = self
            .children
            .iter()
            .flat_map(|(parent, row)| row.iter().map(move |id| (id.clone(), parent.clone())));
        let before = std::mem::replace(&mut self.parents, pairs.collect());
        let moved = self
            .parents
            .iter()
            .filter(|(id, parent)| before.get(*id).is_some_and(|old| old != *parent));
        self.resurfaced = moved.map(|(id, _)| id.clone()).collect();
        let astray = self.parents.iter().filter(|(id, parent)| self.is_astray(id, parent));
        self.astray = astray.map(|(id, _)| id.clone()).collect();
    }

    /// Whether a block that is seen under `parent` says otherwise. What names a parent that is not there may be waiting for
    /// it, and is left alone.
    fn is_astray(&self, id: &str, parent: &str) -> bool {
        let says = |entry: &Entry| entry.node.parent != parent && self.blocks.contains_key(&entry.node.parent);
        self.blocks.get(id).is_some_and(says)
    }

    /// Takes a block in as it reads now.
    fn put(&mut self, doc: &impl Source, id: &str, entry: Entry) {
        match &entry.text_object {
            Some(text) if markers::are_in(doc, text, &entry) => self.marked_up.insert(id.to_owned()),
            _ => self.marked_up.remove(id),
        };
        self.blocks.insert(id.to_owned(), entry);
    }

    /// A live block.
    pub fn live(&self, id: &str) -> Option<&Entry> {
        self.blocks.get(id).filter(|entry| !entry.node.deleted)
    }

    /// Where a live block hangs in the derived tree.
    pub fn parent_of(&self, id: &str) -> Option<&str> {
        self.parents.get(id).map(String::as_str)
    }

    /// The block that a Text belongs to. Looks at every block: for what is rare.
    pub fn block_of_text(&self, text: &ObjId) -> Option<&str> {
        self.blocks
            .iter()
            .find(|(_, entry)| entry.text_object.as_ref() == Some(text))
            .map(|(id, _)| id.as_str())
    }

    /// The live blocks as a tree.
    pub fn tree(&self) -> Vec<Block> {
        self.below("", 0)
    }

    fn below(&self, parent: &str, depth: usize) -> Vec<Block> {
        let row = self.children.get(parent).into_iter().flatten();
        if depth < MAX_DEPTH {
            return row
                .filter_map(|id| Some(self.block(id, self.below(id, depth + 1))).filter(|_| self.blocks.contains_key(id)))
                .collect();
        }
        // Too deep to nest: the rest of this branch stands here in reading order.
        row.flat_map(|id| tree::subtree(&self.children, id))
            .map(|id| self.block(&id, Vec::new()))
            .collect()
    }

    /// One block with the given children.
    pub fn block(&self, id: &str, children: Vec<Block>) -> Block {
        let entry = self.blocks.get(id);
        Block {
            id: id.to_owned(),
            kind: entry.map(|e| e.kind.clone()).unwrap_or_default(),
            text: entry.map(|e| e.text.clone()).unwrap_or_default(),
            marks: entry.map(|e| e.marks.clone()).unwrap_or_default(),
            props: entry.map(|e| e.props.clone()).unwrap_or_default(),
            children,
        }
    }

    /// A live block with everything under it.
    pub fn block_with_children(&self, id: &str) -> Option<Block> {
        self.live(id)?;
        Some(self.block(id, self.below(id, 1)))
    }
}

/// What a batch of patches touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Something above the blocks was replaced.
    pub everything: bool,
    /// The title.
    pub title: bool,
    /// Blocks by id.
    pub blocks: BTreeSet<String>,
}

fn read_entry(doc: &impl Source, blocks: &ObjId, id: &str) -> Option<Entry> {
    let object_id = object(doc, blocks, id, ObjType::Map)?;
    let written = match doc.value_of(&object_id, "place") {
        Some((_, ObjId::Id(counter, actor, _))) => (counter, Some(actor)),
        _ => (0, None),
    };
    let place = string(doc, &object_id, "place").unwrap_or_default();
    let (parent, order) = place.split_once('|').unwrap_or(("", &place));
    let deleted = matches!(doc.value_of(&object_id, "deleted_at"), Some((value, _)) if !value.is_scalar() || value.as_scalar().is_some_and(|s| !matches!(s, ScalarValue::Null)));
    let text_object = object(doc, &object_id, "text", ObjType::Text);
    let (text, marks) = match &text_object {
        Some(text) => (doc.text_of(text).unwrap_or_default(), doc.marks_of(text)),
        None => (string(doc, &object_id, "text").unwrap_or_default(), Vec::new()),
    };
    let props = match object(doc, &object_id, "props", ObjType::Map) {
        Some(props) => read_map(doc, &props, 0),
        None => Map::new(),
    };
    Some(Entry {
        kind: string(doc, &object_id, "type").unwrap_or_else(|| "paragraph".to_owned()),
        node: Node {
            parent: parent.to_owned(),
            order: order.to_owned(),
            written,
            deleted,
        },
        object: object_id,
        text_object,
        text,
        marks,
        props,
    })
}

fn read_map(doc: &impl Source, map: &ObjId, depth: usize) -> Map<String, Json> {
    doc.keys_of(map)
        .into_iter()
        .filter_map(|key| {
            let (value, id) = doc.value_of(map, &key)?;
            let value = read_value(doc, &value, &id, depth);
            Some((key, value))
        })
        .collect()
}

/// A value as JSON; what nests too deep reads as null.
fn read_value(doc: &impl Source, value: &Value<'_>, id: &ObjId, depth: usize) -> Json {
    match value {
        Value::Scalar(scalar) => scalar_to_json(scalar),
        Value::Object(_) if depth >= MAX_PROPS_DEPTH => Json::Null,
        Value::Object(ObjType::Text) => Json::String(doc.text_of(id).unwrap_or_default()),
        Value::Object(ObjType::Map | ObjType::Table) => Json::Object(read_map(doc, id, depth + 1)),
        Value::Object(ObjType::List) => (0..doc.length_of(id))
            .filter_map(|i| doc.item_of(id, i))
            .map(|(value, id)| read_value(doc, &value, &id, depth + 1))
            .collect(),
    }
}

/// A scalar as JSON: bytes as hexadecimal, a timestamp as its number of milliseconds.
pub fn scalar_to_json(scalar: &ScalarValue) -> Json {
    match scalar {
        ScalarValue::Str(s) => Json::String(s.to_string()),
        ScalarValue::Int(n) | ScalarValue::Timestamp(n) => Json::from(*n),
        ScalarValue::Uint(n) => Json::from(*n),
        ScalarValue::F64(n) => serde_json::Number::from_f64(*n).map_or(Json::Null, Json::Number),
        ScalarValue::Counter(c) => Json::from(i64::from(c)),
        ScalarValue::Boolean(b) => Json::Bool(*b),
        ScalarValue::Bytes(bytes) => Json::String(hex::encode(bytes)),
        ScalarValue::Unknown { .. } | ScalarValue::Null => Json::Null,
    }
}
