//! Tables. A row has its cells as plain texts where it can; where a cell has formats, as one paragraph a cell.

use super::{
    Unreadable,
    inline::{Inline, Part, Place},
    note::Loss,
    rich::Rich,
    walk::Walk,
};
use crate::{
    kinds::{MAX_CELL_CHARS, MAX_COLUMNS},
    view::Block,
};
use comrak::nodes::{Node, NodeTable, NodeValue, TableAlignment};

impl<'a> Walk<'a, '_> {
    pub(super) fn table(&mut self, node: Node<'a>, table: &NodeTable) -> Block {
        if table.alignments.iter().any(|alignment| *alignment != TableAlignment::None) {
            self.notes.lost(Loss::Detail);
        }
        let mut rows: Vec<Block> = Vec::new();
        let mut has_header = true;
        for row in node.children() {
            let cells: Vec<Rich> = row.children().map(|cell| self.cell(cell)).collect();
            let is_header = matches!(row.data().value, NodeValue::TableRow(true));
            if is_header && row.next_sibling().is_some() && cells.iter().all(|cell| cell.text.is_empty()) {
                has_header = false;
                continue;
            }
            rows.push(row_of(cells).with_id(self.origin(row)));
        }
        let columns = table.num_columns.clamp(1, MAX_COLUMNS);
        let mut block = Block::of("table")
            .with_prop("column_count", columns)
            .with_prop("has_header_row", has_header);
        block.children = rows;
        block.with_id(self.origin(node))
    }

    fn cell(&mut self, cell: Node<'a>) -> Rich {
        let parts = Inline::new(Place::Cell, self.links, &mut self.notes).read(cell);
        let mut texts = parts.into_iter().filter_map(|part| match part {
            Part::Text(rich) => Some(rich),
            Part::Image(_) => None,
        });
        let text = texts.next().unwrap_or_default();
        if texts.next().is_some() {
            self.failed = Some(Unreadable::TooComplex);
        }
        text
    }
}

fn row_of(mut cells: Vec<Rich>) -> Block {
    if cells.len() > MAX_COLUMNS {
        let rest: Vec<String> = cells.split_off(MAX_COLUMNS - 1).into_iter().map(|cell| cell.text).collect();
        cells.push(Rich {
            text: rest.join(" | "),
            marks: Vec::new(),
        });
    }
    let mut row = Block::of("table_row");
    let is_plain = |cell: &Rich| cell.marks.is_empty() && cell.text.chars().nth(MAX_CELL_CHARS).is_none();
    if cells.iter().all(is_plain) {
        let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
        row = row.with_prop("cells", texts);
    } else {
        row.children = cells.into_iter().map(|cell| cell.into_block("paragraph")).collect();
    }
    row
}
