//! Which block of a text is which block of the page.

use super::{PATIENCE, forest::Forest};
use crate::view::Block;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    ops::Range,
    time::Instant,
};

/// How many blocks a reworded one is looked for among.
const NEAR: usize = 40;
/// From which part of its words on a block is taken for another one reworded.
const ALIKE: f64 = 0.3;
/// The same where it became a block of another type.
const MUCH_ALIKE: f64 = 0.6;

/// Types with a text and children, one of which may become another.
const TEXTUAL: &[&str] = &[
    "paragraph",
    "heading",
    "bulleted_list_item",
    "numbered_list_item",
    "todo",
    "toggle",
    "quote",
    "callout",
];

/// What was found.
pub(super) struct Pairs {
    /// For each block of the text, the one it was.
    pub(super) new_to_old: Vec<Option<usize>>,
    /// The other way.
    pub(super) old_to_new: Vec<Option<usize>>,
}

impl Pairs {
    fn add(&mut self, old: usize, new: usize) {
        self.old_to_new[old] = Some(new);
        self.new_to_old[new] = Some(old);
    }
}

/// Pairs the blocks of what a page reads as with those of a text.
pub(super) fn pair(old: &Forest<'_>, new: &Forest<'_>) -> Pairs {
    let mut pairs = Pairs {
        new_to_old: vec![None; new.len()],
        old_to_new: vec![None; old.len()],
    };
    let keys = |forest: &Forest<'_>| (0..forest.len()).map(|number| key(forest.block(number))).collect::<Vec<_>>();
    let (old_keys, new_keys) = (keys(old), keys(new));
    let deadline = Some(Instant::now() + PATIENCE);
    let mut differing = Vec::new();
    for op in capture_diff_slices_deadline(Algorithm::Myers, &old_keys, &new_keys, deadline) {
        match op {
            DiffOp::Equal { old_index, new_index, len } => {
                let known = (0..len).filter(|at| !old.block(old_index + at).id.is_empty());
                known.for_each(|at| pairs.add(old_index + at, new_index + at));
            }
            DiffOp::Replace { .. } => differing.push((op.old_range(), op.new_range())),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => {}
        }
    }
    moved((old, &old_keys), &new_keys, &mut pairs);
    for (old_range, new_range) in differing {
        reworded((old, old_range), (new, new_range), &mut pairs);
    }
    pairs
}

/// Blocks that are elsewhere now, as they were. Those that say nothing are not looked for.
fn moved((old, old_keys): (&Forest<'_>, &[String]), new_keys: &[String], pairs: &mut Pairs) {
    let mut left: HashMap<&str, VecDeque<usize>> = HashMap::new();
    for (number, key) in old_keys.iter().enumerate() {
        let block = old.block(number);
        let says = !block.text.is_empty() || !block.props.is_empty();
        if pairs.old_to_new[number].is_none() && !block.id.is_empty() && says {
            left.entry(key).or_default().push_back(number);
        }
    }
    for (number, key) in new_keys.iter().enumerate() {
        if pairs.new_to_old[number].is_none()
            && let Some(was) = left.get_mut(key.as_str()).and_then(VecDeque::pop_front)
        {
            pairs.add(was, number);
        }
    }
}

/// Blocks that stand where others stood and say something like them. Where as many stand as stood, and of the same types,
/// each is taken for the one in its place.
fn reworded((old, old_range): (&Forest<'_>, Range<usize>), (new, new_range): (&Forest<'_>, Range<usize>), pairs: &mut Pairs) {
    let mut was: VecDeque<(usize, HashSet<&str>)> = old_range
        .filter(|number| pairs.old_to_new[*number].is_none() && !old.block(*number).id.is_empty())
        .map(|number| (number, words(old.block(number))))
        .collect();
    let is: Vec<usize> = new_range.filter(|number| pairs.new_to_old[*number].is_none()).collect();
    let is_one_to_one = was.len() == is.len()
        && was
            .iter()
            .zip(&is)
            .all(|((was, _), is)| old.block(*was).kind == new.block(*is).kind);
    for number in is {
        let block = new.block(number);
        let its_words = words(block);
        let near = was.iter().take(NEAR).enumerate();
        let rated = near.map(|(at, (was, words))| (at, rate((old.block(*was), words), (block, &its_words))));
        let best = rated
            .filter(|(_, rating)| *rating > 0.0)
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        // One that is alike may have stood further behind, and then fewer are left than blocks that look for theirs.
        let found = best.map(|(at, _)| at).or((is_one_to_one && !was.is_empty()).then_some(0));
        if let Some((was, _)) = found.and_then(|at| was.drain(..=at).next_back()) {
            pairs.add(was, number);
        }
    }
}

/// How alike two blocks are, from 0 for not at all.
fn rate((old, old_words): (&Block, &HashSet<&str>), (new, new_words): (&Block, &HashSet<&str>)) -> f64 {
    let shared = old_words.intersection(new_words).count();
    let all = old_words.len().max(new_words.len());
    #[expect(clippy::cast_precision_loss, reason = "a text has fewer words than that")]
    let alike = if all == 0 { 1.0 } else { shared as f64 / all as f64 };
    let is_textual = |block: &Block| TEXTUAL.contains(&block.kind.as_str());
    let needed = match old.kind == new.kind {
        true => ALIKE,
        false if is_textual(old) && is_textual(new) && all > 0 => MUCH_ALIKE,
        false => return 0.0,
    };
    if alike >= needed { alike } else { 0.0 }
}

fn words(block: &Block) -> HashSet<&str> {
    let cells = block.props.get("cells").and_then(|cells| cells.as_array()).into_iter().flatten();
    let texts = cells.filter_map(|cell| cell.as_str()).chain(
        block
            .children
            .iter()
            .filter(|_| block.kind == "table_row")
            .map(|cell| cell.text.as_str()),
    );
    let texts = texts.chain([block.text.as_str()]);
    texts
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect()
}

/// What a block says, but for what is under it. The title of a page is the page's own.
fn key(block: &Block) -> String {
    let mut props = block.props.clone();
    if matches!(block.kind.as_str(), "child_page" | "link_to_page") {
        props.remove("title");
    }
    let cells: &[Block] = if block.kind == "table_row" { &block.children } else { &[] };
    let cells: Vec<_> = cells.iter().map(|cell| (&cell.text, &cell.marks)).collect();
    serde_json::to_string(&(&block.kind, &block.text, &block.marks, &props, cells)).unwrap_or_default()
}
