//! A page as it stood at one point of its history, read out of the document in one pass.
//!
//! Automerge can be asked for any value at any heads, but works out anew for each question what those heads contain:
//! milliseconds each on a long history. Its iterator over a whole document does so once.

use crate::view::Mark;
use automerge::{
    Automerge, ChangeHash, ObjId, ObjType, ROOT, ReadDoc, Span, Value,
    iter::DocItem,
    marks::{Mark as TheirMark, MarkSet},
};
use std::collections::{BTreeMap, HashMap};

/// What a page is read out of: the document as it is, within a transaction or not, or as it was.
pub trait Source {
    /// The value at a key of a map, and the object it is or the operation that put it there.
    fn value_of(&self, map: &ObjId, key: &str) -> Option<(Value<'_>, ObjId)>;
    /// The same of a list.
    fn item_of(&self, list: &ObjId, index: usize) -> Option<(Value<'_>, ObjId)>;
    /// The keys of a map.
    fn keys_of(&self, map: &ObjId) -> Vec<String>;
    /// How long a list is.
    fn length_of(&self, list: &ObjId) -> usize;
    /// What a Text says.
    fn text_of(&self, text: &ObjId) -> Option<String>;
    /// The marks of a Text.
    fn marks_of(&self, text: &ObjId) -> Vec<Mark>;
}

impl<D: ReadDoc> Source for D {
    fn value_of(&self, map: &ObjId, key: &str) -> Option<(Value<'_>, ObjId)> {
        self.get(map, key).ok()?
    }

    fn item_of(&self, list: &ObjId, index: usize) -> Option<(Value<'_>, ObjId)> {
        self.get(list, index).ok()?
    }

    fn keys_of(&self, map: &ObjId) -> Vec<String> {
        self.keys(map).collect()
    }

    fn length_of(&self, list: &ObjId) -> usize {
        self.length(list)
    }

    fn text_of(&self, text: &ObjId) -> Option<String> {
        self.text(text).ok()
    }

    fn marks_of(&self, text: &ObjId) -> Vec<Mark> {
        self.marks(text).unwrap_or_default().iter().map(mark).collect()
    }
}

fn mark(mark: &TheirMark) -> Mark {
    Mark {
        name: mark.name.to_string(),
        value: crate::mirror::scalar_to_json(&mark.value),
        start: mark.start,
        end: mark.end,
    }
}

/// A Text while it is read, and as it was.
#[derive(Clone, Debug, Default)]
struct Text {
    said: String,
    /// UTF-16 units so far.
    units: usize,
    marks: Vec<Mark>,
}

impl Text {
    fn push(&mut self, text: &str, marks: Option<&MarkSet>) {
        let (start, end) = (self.units, self.units + text.encode_utf16().count());
        self.said.push_str(text);
        self.units = end;
        for (name, value) in marks.into_iter().flat_map(MarkSet::iter) {
            let value = crate::mirror::scalar_to_json(value);
            let before = self
                .marks
                .iter_mut()
                .rev()
                .find(|mark| mark.name == name && mark.end == start && mark.value == value);
            match before {
                Some(before) => before.end = end,
                None => self.marks.push(Mark {
                    name: name.to_owned(),
                    value,
                    start,
                    end,
                }),
            }
        }
    }
}

/// A page as it was.
#[derive(Clone, Debug, Default)]
pub struct Still {
    maps: HashMap<ObjId, BTreeMap<String, (Value<'static>, ObjId)>>,
    lists: HashMap<ObjId, Vec<(Value<'static>, ObjId)>>,
    texts: HashMap<ObjId, Text>,
}

impl Still {
    /// Reads a document at heads that are part of it.
    pub fn read(doc: &Automerge, heads: &[ChangeHash]) -> Self {
        let mut still = Self::default();
        for item in doc.iter_at(ROOT, Some(heads)) {
            let object = ObjId::clone(&item.obj);
            match item.item {
                DocItem::Map(entry) => {
                    let (key, id) = (entry.key.to_string(), entry.id());
                    still.maps.entry(object).or_default().insert(key, (entry.value.into_value(), id));
                }
                DocItem::List(entry) => {
                    let id = entry.id();
                    still.lists.entry(object).or_default().push((entry.value.into_value(), id));
                }
                DocItem::Text(Span::Text { text, marks }) => still.texts.entry(object).or_default().push(&text, marks.as_deref()),
                // An editor's block marker takes one unit of the text and reads as U+FFFC.
                DocItem::Text(Span::Block(_)) => still.texts.entry(object).or_default().push("\u{FFFC}", None),
            }
        }
        still
    }

    /// What stands in a map.
    pub fn entries(&self, map: &ObjId) -> impl Iterator<Item = (&String, &(Value<'static>, ObjId))> {
        self.maps.get(map).into_iter().flatten()
    }

    /// What stands in a list.
    pub fn items(&self, list: &ObjId) -> &[(Value<'static>, ObjId)] {
        self.lists.get(list).map_or(&[], Vec::as_slice)
    }

    /// The object at a key, when it is of that type.
    pub fn object(&self, map: &ObjId, key: &str, kind: ObjType) -> Option<ObjId> {
        crate::mirror::object(self, map, key, kind)
    }
}

impl Source for Still {
    fn value_of(&self, map: &ObjId, key: &str) -> Option<(Value<'_>, ObjId)> {
        self.maps.get(map)?.get(key).cloned()
    }

    fn item_of(&self, list: &ObjId, index: usize) -> Option<(Value<'_>, ObjId)> {
        self.lists.get(list)?.get(index).cloned()
    }

    fn keys_of(&self, map: &ObjId) -> Vec<String> {
        self.maps.get(map).into_iter().flat_map(BTreeMap::keys).cloned().collect()
    }

    fn length_of(&self, list: &ObjId) -> usize {
        self.items(list).len()
    }

    fn text_of(&self, text: &ObjId) -> Option<String> {
        Some(self.texts.get(text).map(|text| text.said.clone()).unwrap_or_default())
    }

    fn marks_of(&self, text: &ObjId) -> Vec<Mark> {
        self.texts.get(text).map(|text| text.marks.clone()).unwrap_or_default()
    }
}
