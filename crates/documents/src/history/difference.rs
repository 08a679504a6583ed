//! What differs between two states of a page, block by block.

use crate::{
    projection::Content,
    view::{Block, Mark},
    wording::{self, PATIENCE, Piece},
};
use serde_json::{Map, Value};
use similar::DiffTag;
use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

/// The most blocks that one answer tells of.
pub const MAX_BLOCKS: usize = 2_000;
/// The most bytes of text that one answer tells; a block that would go beyond is told without what became of its words.
const MAX_BYTES: usize = 1 << 20;

/// Where a block stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// The block it hangs under; none at the top of the page.
    pub parent: Option<String>,
    /// How many siblings stand before it.
    pub index: usize,
}

/// A prop that differs; null where it is not there.
#[derive(Clone, Debug, PartialEq)]
pub struct PropChange {
    /// Its name.
    pub name: String,
    /// What it was.
    pub from: Value,
    /// What it is.
    pub to: Value,
}

/// What became of a block that is in both states.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changed {
    /// Where it stood and where it stands now.
    pub moved: Option<(Spot, Spot)>,
    /// Its type before and after.
    pub kind: Option<(String, String)>,
    /// What became of its text.
    pub text: Option<Vec<Piece>>,
    /// Its marks before and after. They change with the text, also where nobody formatted anything.
    pub marks: Option<(Vec<Mark>, Vec<Mark>)>,
    /// The props that differ.
    pub props: Vec<PropChange>,
}

/// What became of a block.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// It is new.
    Inserted(Spot, Block),
    /// It is gone.
    Deleted(Spot, Block),
    /// It is another now.
    Changed(Changed),
}

/// A block that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockDifference {
    /// The block.
    pub id: String,
    /// What became of it.
    pub what: What,
}

/// What differs between two states.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// What became of the title.
    pub title: Option<Vec<Piece>>,
    /// The blocks that differ: in the order of the later state, those that are gone where they were.
    pub blocks: Vec<BlockDifference>,
    /// Whether there is more than is told.
    pub is_truncated: bool,
}

/// A state's blocks, flat and in reading order, and what hangs under each.
struct Flat<'a> {
    order: Vec<&'a str>,
    blocks: HashMap<&'a str, (&'a Block, Spot)>,
    rows: HashMap<Option<&'a str>, Vec<&'a str>>,
}

impl<'a> Flat<'a> {
    fn of(content: &'a Content) -> Self {
        let mut flat = Self {
            order: Vec::new(),
            blocks: HashMap::new(),
            rows: HashMap::new(),
        };
        let mut open: Vec<(Option<&'a str>, usize, &'a [Block])> = vec![(None, 0, &content.blocks)];
        while let Some((parent, index, row)) = open.pop() {
            let Some(block) = row.get(index) else { continue };
            open.push((parent, index + 1, row));
            let spot = Spot {
                parent: parent.map(str::to_owned),
                index,
            };
            flat.rows.entry(parent).or_default().push(&block.id);
            flat.order.push(&block.id);
            flat.blocks.insert(&block.id, (block, spot));
            open.push((Some(&block.id), 0, &block.children));
        }
        flat
    }

    /// The blocks that stand among the same siblings as in another state, in the same order: those that were not moved.
    fn unmoved(&self, older: &Self, until: Instant) -> HashSet<&'a str> {
        let none = Vec::new();
        let mut unmoved = HashSet::new();
        for (parent, row) in &self.rows {
            let before = older.rows.get(parent).unwrap_or(&none);
            for op in wording::alignment(before, row, until) {
                if op.tag() == DiffTag::Equal {
                    unmoved.extend(&row[op.new_range()]);
                }
            }
        }
        unmoved
    }
}

/// What a comparison may still spend.
struct Budget {
    until: Instant,
    bytes: usize,
}

impl Budget {
    fn new() -> Self {
        Self {
            until: Instant::now() + PATIENCE,
            bytes: MAX_BYTES,
        }
    }

    /// The way from one text to the other; none when they are equal or when there is no room to tell it.
    fn pieces(&mut self, from: &str, to: &str) -> Option<Vec<Piece>> {
        let needed = from.len() + to.len();
        if from == to || needed > self.bytes {
            return None;
        }
        self.bytes -= needed;
        Some(wording::pieces(from, to, self.until))
    }
}

/// What differs between two states of a page.
pub fn between(from: &Content, to: &Content) -> Difference {
    let mut budget = Budget::new();
    let (old, new) = (Flat::of(from), Flat::of(to));
    let mut difference = Difference {
        title: budget.pieces(&from.title, &to.title),
        ..Difference::default()
    };
    // A quarter of the time is for what stands where.
    let until = Instant::now() + PATIENCE / 4;
    let unmoved = new.unmoved(&old, until);
    for op in wording::alignment(&old.order, &new.order, until) {
        let gone = old.order[op.old_range()].iter().filter(|id| !new.blocks.contains_key(**id));
        let gone = gone.filter_map(|id| old.blocks.get(id)).map(|(block, spot)| BlockDifference {
            id: block.id.clone(),
            what: What::Deleted(spot.clone(), alone(block)),
        });
        difference.blocks.extend(gone);
        for id in &new.order[op.new_range()] {
            difference.blocks.extend(one(&old, &new, (id, unmoved.contains(id)), &mut budget));
        }
    }
    difference.is_truncated = difference.blocks.len() > MAX_BLOCKS || budget.bytes == 0;
    difference.blocks.truncate(MAX_BLOCKS);
    difference
}

/// A block without what hangs under it, which is told for itself.
fn alone(block: &Block) -> Block {
    Block {
        id: block.id.clone(),
        kind: block.kind.clone(),
        text: block.text.clone(),
        marks: block.marks.clone(),
        props: block.props.clone(),
        children: Vec::new(),
    }
}

fn one(old: &Flat<'_>, new: &Flat<'_>, (id, is_unmoved): (&str, bool), budget: &mut Budget) -> Option<BlockDifference> {
    let (after, to) = new.blocks.get(id)?;
    let what = match old.blocks.get(id) {
        None => What::Inserted(to.clone(), alone(after)),
        Some((before, from)) => {
            let changed = Changed {
                moved: (!is_unmoved).then(|| (from.clone(), to.clone())),
                kind: (before.kind != after.kind).then(|| (before.kind.clone(), after.kind.clone())),
                text: budget.pieces(&before.text, &after.text),
                marks: (before.marks != after.marks).then(|| (before.marks.clone(), after.marks.clone())),
                props: props(&before.props, &after.props),
            };
            if before.text != after.text && changed.text.is_none() {
                budget.bytes = 0;
            }
            let is_equal = before.text == after.text && changed == Changed::default();
            if is_equal {
                return None;
            }
            What::Changed(changed)
        }
    };
    Some(BlockDifference { id: id.to_owned(), what })
}

fn props(from: &Map<String, Value>, to: &Map<String, Value>) -> Vec<PropChange> {
    let names = from.keys().chain(to.keys().filter(|name| !from.contains_key(*name)));
    let differs = |name: &String| {
        let (from, to) = (from.get(name).unwrap_or(&Value::Null), to.get(name).unwrap_or(&Value::Null));
        (from != to).then(|| PropChange {
            name: name.clone(),
            from: from.clone(),
            to: to.clone(),
        })
    };
    names.filter_map(differs).collect()
}

/// A state as lines: the title, an empty line, then a line for each block.
pub fn plain_text(content: &Content) -> String {
    let mut text = format!("{}\n\n", content.title);
    for (_, block) in crate::view::walk(&content.blocks) {
        text.push_str(&block.text);
        text.push('\n');
    }
    text
}

/// How long a unified diff may be compared.
pub fn deadline() -> Instant {
    Instant::now() + PATIENCE
}
