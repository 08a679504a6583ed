//! A page too large for one, as several.

use super::draft::block;
use documents::op::NewBlock;

/// How much of what was read makes one page. Well below what a page may grow to, so that one can go on writing on it, and so
/// that nobody needs much memory to take its first change in: Automerge works on some 350 bytes for each character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Blocks.
    pub blocks: usize,
    /// Bytes of text, props and marks, with what every block costs.
    pub bytes: usize,
}

impl Default for Measure {
    fn default() -> Self {
        Self {
            blocks: 30_000,
            bytes: 2 << 20,
        }
    }
}

impl Measure {
    /// Half of it, for a page that turned out too large all the same.
    pub fn half(self) -> Self {
        Self {
            blocks: self.blocks / 2,
            bytes: self.bytes / 2,
        }
    }

    fn holds(self, weight: Self) -> bool {
        weight.blocks <= self.blocks && weight.bytes <= self.bytes
    }
}

/// Bytes that a block costs besides its text, and a mark.
const BLOCK_BYTES: usize = 96;
const MARK_BYTES: usize = 24;

fn own(block: &NewBlock) -> usize {
    let props = serde_json::to_string(&block.props).map_or(0, |json| json.len());
    BLOCK_BYTES + block.text.len() + props + block.marks.len() * MARK_BYTES
}

fn weight(of: &NewBlock) -> Measure {
    let (mut blocks, mut bytes) = (0, 0);
    let mut rest = vec![of];
    while let Some(block) = rest.pop() {
        blocks += 1;
        bytes += own(block);
        rest.extend(&block.children);
    }
    Measure { blocks, bytes }
}

/// The blocks in rows that each fit into a page; mostly one row.
pub fn split(blocks: Vec<NewBlock>, most: Measure) -> Vec<Vec<NewBlock>> {
    let mut parts = vec![Vec::new()];
    let mut filled = Measure { blocks: 0, bytes: 0 };
    // Last first, so that what is taken apart can be put back.
    let mut rest: Vec<NewBlock> = blocks;
    rest.reverse();
    while let Some(block) = rest.pop() {
        let weight = weight(&block);
        let sum = Measure {
            blocks: filled.blocks + weight.blocks,
            bytes: filled.bytes + weight.bytes,
        };
        if most.holds(sum) {
            filled = sum;
            parts.last_mut().expect("there is a part").push(block);
        } else if !block.children.is_empty() && !most.holds(weight) {
            apart(block, most).into_iter().rev().for_each(|block| rest.push(block));
        } else {
            filled = weight;
            match parts.last_mut() {
                Some(part) if part.is_empty() => part.push(block),
                _ => parts.push(vec![block]),
            }
        }
    }
    parts
}

/// A block with more in it than a page holds: a table as several, with the names of its columns in each; of anything
/// else, what is in it follows it.
fn apart(mut whole: NewBlock, most: Measure) -> Vec<NewBlock> {
    let children = std::mem::take(&mut whole.children);
    if whole.kind != "table" {
        return std::iter::once(whole).chain(children.into_iter().flat_map(loose)).collect();
    }
    let has_header = whole.props.get("has_header_row").is_some_and(|is| is.as_bool() == Some(true));
    let header = children.first().filter(|_| has_header).cloned();
    let mut tables: Vec<NewBlock> = Vec::new();
    let mut filled = Measure { blocks: 0, bytes: 0 };
    for row in children {
        let weight = weight(&row);
        filled = Measure {
            blocks: filled.blocks + weight.blocks,
            bytes: filled.bytes + weight.bytes,
        };
        let is_full = !most.half().holds(filled);
        if tables.is_empty() || is_full {
            filled = weight;
            let mut table = block("table");
            table.props.clone_from(&whole.props);
            if !tables.is_empty() {
                table.children.extend(header.clone());
            }
            tables.push(table);
        }
        tables.last_mut().expect("there is a table").children.push(row);
    }
    tables
}

/// What stands on its own of a child that only makes sense in its parent.
fn loose(mut child: NewBlock) -> Vec<NewBlock> {
    match child.kind.as_str() {
        "column" => std::mem::take(&mut child.children),
        _ => vec![child],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::draft::{text_block, with};

    const SMALL: Measure = Measure { blocks: 10, bytes: 4_000 };

    fn count(parts: &[Vec<NewBlock>]) -> Vec<usize> {
        parts
            .iter()
            .map(|part| part.iter().map(|block| weight(block).blocks).sum())
            .collect()
    }

    #[test]
    fn a_page_is_cut_where_it_is_full_and_loses_nothing() {
        let lines: Vec<_> = (0..25).map(|i| text_block("paragraph", i.to_string(), vec![])).collect();
        let parts = split(lines.clone(), SMALL);
        assert_eq!(count(&parts), [10, 10, 5]);
        assert_eq!(parts.concat(), lines);
        assert_eq!(split(vec![], SMALL), vec![Vec::new()]);
        assert_eq!(split(lines.clone(), Measure::default()), vec![lines]);
    }

    #[test]
    fn a_long_table_becomes_several_with_their_header() {
        let mut table = with(block("table"), "has_header_row", true);
        table.children = (0..40).map(|i| with(block("table_row"), "cells", vec![i.to_string()])).collect();
        let parts = split(vec![table], SMALL);
        assert!(parts.len() > 3);
        let cell = |row: &NewBlock| row.props["cells"][0].as_str().unwrap_or_default().to_owned();
        let tables: Vec<&NewBlock> = parts.iter().flatten().collect();
        assert!(tables.iter().all(|table| cell(&table.children[0]) == "0"));
        let rows: Vec<String> = tables.iter().flat_map(|table| table.children[1..].iter().map(cell)).collect();
        assert_eq!(rows, (1..40).map(|i| i.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn a_list_in_an_item_that_is_too_long_follows_the_item() {
        let mut item = text_block("toggle", "all", vec![]);
        item.children = (0..30).map(|i| text_block("paragraph", i.to_string(), vec![])).collect();
        let parts = split(vec![item], SMALL);
        assert_eq!(count(&parts).iter().sum::<usize>(), 31);
        assert!(count(&parts).iter().all(|blocks| *blocks <= 10));
    }
}
