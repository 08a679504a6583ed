//! Tables. A row has its cells in `props.cells`, or as its children, one block a cell, where cells are edited together.

use super::{
    Page,
    inline::{Piece, plain},
    rich::Place,
};
use crate::view::{self, Block};
use comrak::nodes::{Node, NodeTable, NodeValue, TableAlignment};
use serde_json::Value;
use std::slice;

type Cell<'b> = Vec<Piece<'b>>;

impl<'a> Page<'a> {
    /// Writes rows as a table; without a header row of their own they get an empty one, which GitHub needs.
    pub(super) fn table(self, into: Node<'a>, blocks: &[Block], has_header: bool) {
        let mut rows: Vec<Vec<Cell<'_>>> = blocks.iter().map(cells).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        if columns == 0 {
            return;
        }
        if !has_header {
            rows.insert(0, Vec::new());
        }
        let alignments = vec![TableAlignment::None; columns];
        let table = NodeTable {
            alignments,
            num_columns: columns,
            num_rows: rows.len(),
            num_nonempty_cells: 0,
        };
        let table = self.append(into, NodeValue::Table(Box::new(table)));
        for (number, row) in rows.iter().enumerate() {
            let row_node = self.append(table, NodeValue::TableRow(number == 0));
            if let Some(block) = (number + usize::from(has_header))
                .checked_sub(1)
                .and_then(|index| blocks.get(index))
            {
                self.made_for(row_node, block);
            }
            for column in 0..columns {
                let cell = self.append(row_node, NodeValue::TableCell);
                self.rich(cell, row.get(column).map_or(&[], Vec::as_slice), Place::Cell);
            }
        }
    }
}

fn cells(row: &Block) -> Vec<Cell<'_>> {
    let text = Some(Piece::of(row)).filter(|text| !text.is_empty());
    let listed = row.props.get("cells").map(listed).unwrap_or_default();
    text.into_iter().chain(listed).chain(row.children.iter().map(cell)).collect()
}

/// By column, shorter names first: `c2` stands before `c10`.
fn listed(cells: &Value) -> Vec<Cell<'_>> {
    let text = |cell| plain(Value::as_str(cell).unwrap_or_default());
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
    let mut pieces = Vec::new();
    for (_, block) in view::walk(slice::from_ref(block)) {
        let text = Piece::of(block);
        if !pieces.is_empty() && !text.is_empty() {
            pieces.push(Piece::Break);
        }
        pieces.extend(text);
    }
    pieces
}
