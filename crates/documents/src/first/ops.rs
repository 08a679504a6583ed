//! Operations of one change on an empty document, in the order they happen.

use crate::edit::scalar;
use automerge::{
    ActorId, Change, ExpandedChange, ObjType, ScalarValue,
    legacy::{ElementId, Key, MarkData, ObjectId, Op, OpId, OpType, SortedVec},
};
use serde_json::Value;
use std::num::NonZeroU64;

/// An object that the change makes, or the root.
pub type Object = ObjectId;

/// The operations so far.
pub struct Ops {
    actor: ActorId,
    ops: Vec<Op>,
}

/// A text that was written: where its characters are.
pub struct Text {
    object: Object,
    /// The counter of the first character; the others follow it.
    first: u64,
    /// The UTF-16 unit behind every character.
    ends: Vec<usize>,
}

impl Text {
    /// Its length in UTF-16 units.
    pub fn units(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }
}

impl Ops {
    /// None yet.
    pub fn new(actor: &ActorId) -> Self {
        Self {
            actor: actor.clone(),
            ops: Vec::new(),
        }
    }

    fn push(&mut self, object: &Object, (key, insert): (Key, bool), action: OpType) -> OpId {
        self.ops.push(Op {
            action,
            obj: object.clone(),
            key,
            pred: SortedVec::new(),
            insert,
        });
        OpId::new(self.ops.len() as u64, &self.actor)
    }

    /// Puts a scalar at a key that has none.
    pub fn put(&mut self, map: &Object, key: &str, value: ScalarValue) {
        self.push(map, (Key::Map(key.into()), false), OpType::Put(value));
    }

    /// Makes an object at a key that has none.
    pub fn make(&mut self, map: &Object, key: &str, kind: ObjType) -> Object {
        Object::Id(self.push(map, (Key::Map(key.into()), false), OpType::Make(kind)))
    }

    /// Puts any JSON value at a key that has none. Its nesting was checked before.
    pub fn put_json(&mut self, map: &Object, key: &str, value: &Value) {
        match value {
            Value::Object(entries) => {
                let object = self.make(map, key, ObjType::Map);
                entries.iter().for_each(|(key, value)| self.put_json(&object, key, value));
            }
            Value::Array(items) => {
                let list = self.make(map, key, ObjType::List);
                self.items(&list, items);
            }
            plain => self.put(map, key, scalar(plain).unwrap_or(ScalarValue::Null)),
        }
    }

    fn items(&mut self, list: &Object, items: &[Value]) {
        let mut before = ElementId::Head;
        for item in items {
            let place = (Key::Seq(before), true);
            before = ElementId::Id(match item {
                Value::Object(entries) => {
                    let id = self.push(list, place, OpType::Make(ObjType::Map));
                    let object = Object::Id(id.clone());
                    entries.iter().for_each(|(key, value)| self.put_json(&object, key, value));
                    id
                }
                Value::Array(inner) => {
                    let id = self.push(list, place, OpType::Make(ObjType::List));
                    self.items(&Object::Id(id.clone()), inner);
                    id
                }
                plain => self.push(list, place, OpType::Put(scalar(plain).unwrap_or(ScalarValue::Null))),
            });
        }
    }

    /// Writes a text into a Text that is empty.
    pub fn text(&mut self, object: &Object, text: &str) -> Text {
        let first = self.ops.len() as u64 + 1;
        let (mut before, mut units, mut ends) = (ElementId::Head, 0, Vec::with_capacity(text.len()));
        for c in text.chars() {
            let id = self.push(object, (Key::Seq(before), true), OpType::Put(c.into()));
            before = ElementId::Id(id);
            units += c.len_utf16();
            ends.push(units);
        }
        Text {
            object: object.clone(),
            first,
            ends,
        }
    }

    /// Marks a range of a text, in UTF-16 units within it. What is typed behind it joins it.
    pub fn mark(&mut self, text: &Text, (start, end): (usize, usize), (name, value): (&str, ScalarValue)) {
        let (start, end) = (self.before(text, start), self.before(text, end));
        let begin = MarkData {
            name: name.into(),
            value,
            expand: false,
        };
        let id = self.push(&text.object, (Key::Seq(start.clone()), true), OpType::MarkBegin(begin));
        // Both ends inside of one character: the end stands behind the beginning.
        let end = if end == start { ElementId::Id(id) } else { end };
        self.push(&text.object, (Key::Seq(end), true), OpType::MarkEnd(true));
    }

    /// The character that a position follows, or follows a part of.
    fn before(&self, text: &Text, unit: usize) -> ElementId {
        if unit == 0 {
            return ElementId::Head;
        }
        let place = text.ends.partition_point(|end| *end < unit);
        ElementId::Id(OpId::new(text.first + place as u64, &self.actor))
    }

    /// All of it as one change.
    pub fn into_change(self, at: i64) -> Change {
        Change::from(ExpandedChange {
            operations: self.ops,
            actor_id: self.actor,
            hash: None,
            seq: 1,
            start_op: NonZeroU64::MIN,
            time: at,
            message: None,
            deps: Vec::new(),
            extra_bytes: Vec::new(),
            author: None,
        })
    }
}
