//! What a page's content looks like to everything that only reads it: REST, Markdown, search, export.
//!
//! Plain data, read out of the document at some heads. Positions are UTF-16 units, as on the wire. Whoever builds a
//! tree keeps it at [`MAX_LEVELS`], because reading and writing JSON recurse; dropping and [`walk`] do not.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most levels a tree should have. Readers of JSON commonly stop at 128 values inside each other (serde_json does);
/// a level is two, and props need the rest.
pub const MAX_LEVELS: usize = 48;

/// One block of a page and everything under it.
///
/// It is dropped level by level, not by recursion, so a field cannot be moved out of it: take it with
/// [`std::mem::take`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Its id, unique in the page.
    pub id: String,
    /// Its type, a name of [`TYPES`](crate::kinds::TYPES) or one we do not know.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its text, without formatting.
    #[serde(default)]
    pub text: String,
    /// The formatting of the text.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// What else its type says about it.
    #[serde(default)]
    pub props: Map<String, Value>,
    /// The blocks inside it, in order.
    #[serde(default)]
    pub children: Vec<Block>,
}

/// A format over a range of a block's text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// `bold`, `link`, ….
    pub name: String,
    /// `true`, or what the name needs: a URL, a colour.
    pub value: Value,
    /// The first UTF-16 unit it covers.
    pub start: usize,
    /// The first UTF-16 unit after it.
    pub end: usize,
}

impl Block {
    /// A block of a type, with nothing in it and without an id.
    pub fn of(kind: &str) -> Self {
        let mut block = Self::default();
        kind.clone_into(&mut block.kind);
        block
    }

    /// The same with a text.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// The same with one more prop.
    #[must_use]
    pub fn with_prop(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.props.insert(name.to_owned(), value.into());
        self
    }

    /// The same under an id.
    #[must_use]
    pub fn with_id(mut self, id: String) -> Self {
        self.id = id;
        self
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let mut doomed = std::mem::take(&mut self.children);
        while let Some(mut block) = doomed.pop() {
            doomed.append(&mut block.children);
        }
    }
}

/// Every block of a forest with its depth, parents before their children, siblings in order.
pub fn walk(blocks: &[Block]) -> impl Iterator<Item = (usize, &Block)> {
    let mut open = vec![blocks.iter()];
    std::iter::from_fn(move || {
        loop {
            let depth = open.len().checked_sub(1)?;
            match open[depth].next() {
                Some(block) => {
                    open.push(block.children.iter());
                    return Some((depth, block));
                }
                None => open.pop(),
            };
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn block(id: &str, children: Vec<Block>) -> Block {
        Block {
            id: id.into(),
            kind: "paragraph".into(),
            text: String::new(),
            marks: vec![],
            props: Map::new(),
            children,
        }
    }

    #[test]
    fn parents_come_before_their_children_in_order() {
        let page = [
            block("a", vec![block("b", vec![block("c", vec![])]), block("d", vec![])]),
            block("e", vec![]),
        ];
        let seen: Vec<_> = walk(&page).map(|(depth, block)| (depth, block.id.as_str())).collect();
        assert_eq!(seen, [(0, "a"), (1, "b"), (2, "c"), (1, "d"), (0, "e")]);
    }

    #[test]
    fn a_tree_of_a_million_levels_is_walked_and_dropped() {
        let deep = (0..1_000_000).fold(block("leaf", vec![]), |inner, _| block("b", vec![inner]));
        assert_eq!(walk(std::slice::from_ref(&deep)).count(), 1_000_001);
        drop(deep);
    }

    #[test]
    fn it_reads_and_writes_the_shape_of_the_api() {
        let mut page = block("a", vec![]);
        page.marks.push(Mark {
            name: "bold".into(),
            value: json!(true),
            start: 0,
            end: 2,
        });
        let shape = json!({"id": "a", "type": "paragraph", "text": "", "props": {}, "children": [],
            "marks": [{"name": "bold", "value": true, "start": 0, "end": 2}]});
        assert_eq!(serde_json::to_value(&page).expect("serializes"), shape);
        assert_eq!(serde_json::from_value::<Block>(shape).expect("reads"), page);
        assert!(serde_json::from_value::<Block>(json!({"id": "a", "type": "divider"})).is_ok());
    }

    #[test]
    fn a_tree_of_all_levels_survives_json() {
        let mut leaf = block("leaf", vec![]);
        leaf.props.insert("deep".into(), (0..15).fold(json!(1), |inner, _| json!([inner])));
        let page = json!({"blocks": [(1..MAX_LEVELS).fold(leaf, |inner, _| block("b", vec![inner]))]}).to_string();
        assert!(serde_json::from_str::<Value>(&page).is_ok());
    }
}
