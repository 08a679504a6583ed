//! Where blocks stand: what is moved, made and deleted.
//!
//! What reads as siblings may stand deeper on the page, where a block holds others that Markdown cannot put into it. So a
//! block is put before the one that follows it, wherever that stands, and goes last under its parent where none does;
//! then the page reads in the order of the text.

use super::{forest::Forest, fresh, new_id, pair::Pairs};
use crate::op::{NewBlock, Op, Place};
use std::collections::HashSet;

struct Arrange<'f, 'b> {
    page: &'f Forest<'b>,
    old: &'f Forest<'b>,
    new: &'f Forest<'b>,
    pairs: &'f Pairs,
    /// The ids that the blocks of the text have on the page.
    ids: Vec<String>,
    /// Blocks of the text with one in them that was on the page before: they are made without what is in them.
    holds_old: Vec<bool>,
    /// Ids of blocks that stay where they are.
    staying: HashSet<&'b str>,
}

/// Adds the edits that move, make and delete.
pub(super) fn arrange<'b>(page: &Forest<'b>, (old, new): (&Forest<'b>, &Forest<'b>), pairs: &Pairs, ops: &mut Vec<Op>) {
    let id = |number: usize| pairs.new_to_old[number].map_or_else(new_id, |old_number| old.block(old_number).id.clone());
    let mut holds_old = vec![false; new.len()];
    for number in (0..new.len()).rev() {
        let holds = holds_old[number] || pairs.new_to_old[number].is_some();
        if let Some(parent) = new.parent(number) {
            holds_old[parent] |= holds;
        }
    }
    let mut arrange = Arrange {
        page,
        old,
        new,
        pairs,
        ids: (0..new.len()).map(id).collect(),
        holds_old,
        staying: HashSet::new(),
    };
    let rows = std::iter::once(None).chain((0..new.len()).map(Some));
    for parent in rows {
        let is_made_whole = parent.is_some_and(|parent| pairs.new_to_old[parent].is_none() && !arrange.holds_old[parent]);
        if !is_made_whole {
            arrange.row(parent, ops);
        }
    }
    arrange.delete(ops);
}

impl<'b> Arrange<'_, 'b> {
    /// Puts the blocks under one into their order, from the last to the first.
    fn row(&mut self, parent: Option<usize>, ops: &mut Vec<Op>) {
        let row = self.new.row(parent);
        let staying = self.staying_in(parent, row);
        let home = parent.map_or("", |parent| &self.ids[parent]);
        let mut next: Option<&str> = None;
        for (at, number) in row.iter().enumerate().rev() {
            let id = &self.ids[*number];
            let place = match next {
                Some(next) => Place {
                    before: Some(next.to_owned()),
                    ..Place::default()
                },
                None => Place {
                    parent: Some(home.to_owned()),
                    ..Place::default()
                },
            };
            if self.pairs.new_to_old[*number].is_none() {
                let block = self.make(*number);
                ops.push(Op::BlockInsert { block, place });
            } else if !staying[at] {
                ops.push(Op::BlockMove { id: id.clone(), place });
            }
            next = Some(id);
        }
        for (_, number) in row.iter().enumerate().filter(|(at, _)| staying[*at]) {
            if let Some(old) = self.pairs.new_to_old[*number] {
                self.staying.insert(&self.old.block(old).id);
            }
        }
    }

    fn make(&self, number: usize) -> NewBlock {
        let block = self.new.block(number);
        let mut made = if self.holds_old[number] {
            NewBlock {
                kind: block.kind.clone(),
                text: block.text.clone(),
                marks: block.marks.clone(),
                props: block.props.clone(),
                ..NewBlock::default()
            }
        } else {
            fresh(block)
        };
        made.id = Some(self.ids[number].clone());
        made
    }

    /// Which blocks of a row need not be moved: the longest series of those that stood there in this order.
    fn staying_in(&self, parent: Option<usize>, row: &[usize]) -> Vec<bool> {
        let was_parent = parent.map(|parent| self.pairs.new_to_old[parent]);
        let stood_here = |number: usize| {
            let old = self.pairs.new_to_old[number]?;
            let is_here = match was_parent {
                None => self.old.parent(old).is_none(),
                Some(was_parent) => was_parent.is_some() && self.old.parent(old) == was_parent,
            };
            is_here.then_some(old)
        };
        let olds: Vec<Option<usize>> = row.iter().map(|number| stood_here(*number)).collect();
        let mut staying = vec![false; row.len()];
        let home = was_parent.flatten().map(|old| self.old.block(old).id.as_str());
        let mut stays: HashSet<&str> = HashSet::new();
        for at in longest_rise(&olds) {
            let Some(id) = olds[at].map(|old| self.old.block(old).id.as_str()) else {
                continue;
            };
            if self.is_left_alone(id, home, &stays) {
                stays.insert(id);
                staying[at] = true;
            }
        }
        staying
    }

    /// Whether nothing between a block and the one it reads as standing in is moved or deleted, and it with it.
    fn is_left_alone(&self, id: &str, home: Option<&str>, stays: &HashSet<&str>) -> bool {
        let mut at = self.page.find(id);
        while let Some(number) = at {
            at = self.page.parent(number);
            let Some(above) = at.map(|above| self.page.block(above).id.as_str()) else {
                break;
            };
            if Some(above) == home {
                return true;
            }
            let is_read = self.old.find(above).is_some();
            if is_read && !stays.contains(above) && !self.staying.contains(above) || self.becomes_another(above) {
                return false;
            }
        }
        home.is_none()
    }

    /// Whether a block's type changes: what is in it may then no longer read as standing behind it.
    fn becomes_another(&self, id: &str) -> bool {
        let old = self.old.find(id);
        let pair = old.and_then(|old| Some((old, self.pairs.old_to_new[old]?)));
        pair.is_some_and(|(old, new)| self.old.block(old).kind != self.new.block(new).kind)
    }

    /// Deletes what is in the text no more, and all that is left in it.
    fn delete(&self, ops: &mut Vec<Op>) {
        let is_gone = |old: usize| self.pairs.old_to_new[old].is_none() && !self.old.block(old).id.is_empty();
        for old in (0..self.old.len()).filter(|old| is_gone(*old)) {
            let id = &self.old.block(old).id;
            // It goes with the nearest block above it that was read, unless that stays or was moved out.
            let above = |number: &usize| self.page.parent(*number);
            let mut path = std::iter::successors(self.page.find(id), above).skip(1);
            let read = path.find_map(|number| self.old.find(&self.page.block(number).id));
            let goes_along = read.is_some_and(is_gone);
            if !goes_along {
                ops.push(Op::BlockDelete { id: id.clone() });
            }
        }
    }
}

/// The places of a longest rising series.
fn longest_rise(numbers: &[Option<usize>]) -> Vec<usize> {
    let mut before: Vec<Option<usize>> = vec![None; numbers.len()];
    // For each length, where the series of that length with the least end ends.
    let mut ends: Vec<usize> = Vec::new();
    for (at, number) in numbers.iter().enumerate().filter(|(_, number)| number.is_some()) {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        before[at] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut series: Vec<usize> = std::iter::successors(ends.last().copied(), |at| before[*at]).collect();
    series.reverse();
    series
}
