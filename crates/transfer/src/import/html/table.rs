//! Tables: their cells in rows, their headers, and what no table of ours holds.

use crate::import::{
    draft::{block, with},
    grid,
    report::{Notes, Reason},
};
use documents::op::NewBlock;
use serde_json::Value;

/// The most columns one cell, and the most rows, may span.
const MAX_SPAN: usize = 1_000;

/// What was seen of a table's rows, or of a row's cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Cells of the row that are headers, and those that are not.
    headers: usize,
    cells: usize,
    first_is_header: bool,
    /// Whether the first row of the table is all headers, and every row begins with one.
    first_row: Option<bool>,
    first_column: Option<bool>,
    /// For how many rows more a cell above reaches into a column.
    hanging: Vec<usize>,
}

impl Facts {
    /// A cell begins in this row.
    pub fn cell(&mut self, is_header: bool) {
        self.first_is_header |= self.headers + self.cells == 0 && is_header;
        match is_header {
            true => self.headers += 1,
            false => self.cells += 1,
        }
    }

    /// A row of this table ends.
    pub fn end_row(&mut self, row: &Self) {
        if row.headers + row.cells == 0 {
            return;
        }
        self.first_row.get_or_insert(row.cells == 0);
        // A row of headers alone says nothing of the first column.
        if row.cells > 0 {
            let so_far = self.first_column.unwrap_or(true);
            self.first_column = Some(so_far && row.first_is_header);
        }
    }

    /// Columns, from this one on, that a cell above reaches into.
    pub fn reached(&mut self, column: usize) -> usize {
        let mut count = 0;
        while let Some(rows) = self.hanging.get_mut(column + count).filter(|rows| **rows > 0) {
            *rows -= 1;
            count += 1;
        }
        count
    }

    /// A cell spans some columns and rows.
    pub fn span(&mut self, column: usize, (columns, rows): (usize, usize)) {
        let end = (column + columns).min(MAX_SPAN);
        if self.hanging.len() < end {
            self.hanging.resize(end, 0);
        }
        self.hanging
            .iter_mut()
            .take(end)
            .skip(column)
            .for_each(|hanging| *hanging = rows - 1);
    }
}

/// How far a cell reaches.
pub(super) fn span(of: Option<&str>) -> usize {
    of.and_then(|span| span.trim().parse().ok()).unwrap_or(1).clamp(1, MAX_SPAN)
}

/// The blocks of a table: what stood in it beside rows, then the table, or several side by side.
pub(super) fn finish(mut table: NewBlock, facts: Facts, notes: &mut Notes) -> Vec<NewBlock> {
    let (rows, mut out): (Vec<NewBlock>, Vec<NewBlock>) = std::mem::take(&mut table.children)
        .into_iter()
        .partition(|block| block.kind == "table_row");
    let mut rows: Vec<Vec<NewBlock>> = rows
        .into_iter()
        .map(|mut row| std::mem::take(&mut row.children))
        .filter(|cells| !cells.is_empty())
        .collect();
    if let [only] = &mut rows[..]
        && only.len() == 1
    {
        // A table of one cell is a frame around something.
        out.extend(only.pop().map(unframed).into_iter().flatten());
        return out;
    }
    let shape = grid::Shape {
        has_header_row: facts.first_row == Some(true) && rows.len() > 1,
        has_header_column: facts.first_column == Some(true),
    };
    out.extend(grid::tables(rows, shape, notes));
    out
}

fn unframed(mut cell: NewBlock) -> Vec<NewBlock> {
    let children = std::mem::take(&mut cell.children);
    let own = (!cell.text.is_empty()).then_some(cell);
    own.into_iter().chain(children).collect()
}

/// An empty cell.
pub(super) fn empty() -> NewBlock {
    block("paragraph")
}

/// A row whose cells come from elsewhere.
pub(super) fn row() -> NewBlock {
    with(block("table_row"), "cells", Value::Array(Vec::new()))
}

/// Says that cells were taken apart.
pub(super) fn note_span(notes: &mut Notes) {
    notes.add(Reason::CellsSeparated, "a cell spans others");
}
