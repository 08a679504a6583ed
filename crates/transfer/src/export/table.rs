//! Tables as rows of cells that are equally long. A row has its cells in `props.cells`, or as its children, one block a
//! cell, where cells are edited together.

use super::runs::{self, Run};
use documents::view::{self, Block};
use serde_json::Value;
use std::slice;

/// The most columns that are shown.
const MAX_COLUMNS: usize = 64;

/// A cell: its text as runs.
pub type Cell<'b> = Vec<Run<'b>>;

/// The cells of rows; short rows are filled up. No row has none.
pub fn cells(rows: &[Block]) -> Vec<Vec<Cell<'_>>> {
    let mut read: Vec<Vec<Cell<'_>>> = rows.iter().map(of).collect();
    let width = read.iter().map(Vec::len).max().unwrap_or(0).clamp(1, MAX_COLUMNS);
    for row in &mut read {
        row.resize(width, Vec::new());
    }
    read
}

fn of(row: &Block) -> Vec<Cell<'_>> {
    let text = Some(runs::of(row)).filter(|text| !text.is_empty());
    let listed = row.props.get("cells").map(listed).unwrap_or_default();
    text.into_iter().chain(listed).chain(row.children.iter().map(cell)).collect()
}

/// By column, shorter names first: `c2` stands before `c10`.
fn listed(cells: &Value) -> Vec<Cell<'_>> {
    let text = |cell| runs::plain(Value::as_str(cell).unwrap_or_default());
    match cells {
        Value::Array(cells) => cells.iter().map(text).collect(),
        Value::Object(cells) => {
            let mut cells: Vec<_> = cells.iter().collect();
            cells.sort_by_key(|(column, _)| (column.len(), column.as_str()));
            cells.into_iter().map(|(_, cell)| text(cell)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// A block as a cell: its text and that of everything in it, a line each.
fn cell(block: &Block) -> Cell<'_> {
    let mut all = Vec::new();
    for (_, block) in view::walk(slice::from_ref(block)) {
        let text = runs::of(block);
        if !all.is_empty() && !text.is_empty() {
            all.extend(runs::plain("\n"));
        }
        all.extend(text);
    }
    all
}
