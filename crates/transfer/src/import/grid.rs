//! Rows of cells as tables. Cells of plain words stand in their row's props; a row with formats, or with long cells, has
//! a block for each. A table with more columns than one takes goes on in another.

use super::{
    draft::{block, with},
    report::{Notes, Reason},
};
use documents::op::NewBlock;
use serde_json::Value;

/// The most columns of a table, the longest cell in a row's props, and the bytes these may take (see `documents::kinds`).
pub const MAX_COLUMNS: usize = 64;
const MAX_CELL_CHARS: usize = 8_192;
const MAX_CELLS_BYTES: usize = 30 << 10;

/// Cells up to which short rows are made as long as the longest.
const MAX_FILLED: usize = 500_000;

/// What a table's first row and column are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// The first row names the columns.
    pub has_header_row: bool,
    /// The first column names the rows.
    pub has_header_column: bool,
}

/// The tables of some rows of cells: one, or as many as their columns need.
pub fn tables(mut rows: Vec<Vec<NewBlock>>, shape: Shape, notes: &mut Notes) -> Vec<NewBlock> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    if columns > MAX_COLUMNS {
        notes.add(Reason::TableSplit, format!("a table has {columns} columns"));
    }
    let is_filled = columns.saturating_mul(rows.len()) <= MAX_FILLED;
    let mut tables = Vec::new();
    for first in (0..columns).step_by(MAX_COLUMNS) {
        let width = (columns - first).min(MAX_COLUMNS);
        let filled = if is_filled { width } else { 1 };
        let part = rows
            .iter_mut()
            .map(|cells| row(cells.drain(..width.min(cells.len())).collect(), filled));
        let mut table = with(block("table"), "column_count", width);
        if shape.has_header_row {
            table = with(table, "has_header_row", true);
        }
        if shape.has_header_column && first == 0 {
            table = with(table, "has_header_column", true);
        }
        table.children = part.collect();
        tables.push(table);
    }
    tables
}

fn row(mut cells: Vec<NewBlock>, width: usize) -> NewBlock {
    cells.resize_with(width.max(cells.len()), || block("paragraph"));
    let bytes: usize = cells
        .iter()
        .map(|cell| serde_json::to_string(&cell.text).map_or(usize::MAX / 128, |text| text.len()) + 1)
        .sum();
    let is_plain = |cell: &NewBlock| cell.marks.is_empty() && cell.children.is_empty() && cell.text.chars().nth(MAX_CELL_CHARS).is_none();
    if bytes > MAX_CELLS_BYTES || !cells.iter().all(is_plain) {
        let mut row = block("table_row");
        row.children = cells;
        return row;
    }
    let cells = cells.into_iter().map(|mut cell| Value::String(std::mem::take(&mut cell.text)));
    with(block("table_row"), "cells", cells.collect::<Vec<_>>())
}
