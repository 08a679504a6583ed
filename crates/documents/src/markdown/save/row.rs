//! A row of a table: cell by cell where each is a block, else as a whole.

use super::content;
use crate::{
    op::{NewBlock, Op, Place},
    view::{Block, Mark},
};
use serde_json::{Map, Value, json};

/// Adds the edits that give a row its new cells.
pub(super) fn edit((page, old, new): content::Versions<'_>, ops: &mut Vec<Op>) {
    let (was, is) = (cells(old), cells(new));
    if was == is {
        return;
    }
    if page.children.is_empty() {
        if is.iter().all(|(_, marks)| marks.is_empty()) {
            return ops.push(set_cells(page, &is));
        }
        ops.push(Op::BlockSet {
            id: page.id.clone(),
            key: "props.cells".to_owned(),
            value: Value::Null,
        });
    }
    for (at, (text, marks)) in is.iter().enumerate() {
        let now = Block::of("paragraph").with_text(text.clone());
        let now = marked(now, marks);
        match (page.children.get(at), was.get(at)) {
            (Some(cell), Some((text, marks))) => {
                let before = marked(Block::of("paragraph").with_text(text.clone()), marks);
                if before != now {
                    content::text((cell, &before, &now), ops);
                }
            }
            _ => ops.push(make(page, now)),
        }
    }
    for cell in page.children.iter().skip(is.len()) {
        ops.push(Op::BlockDelete { id: cell.id.clone() });
    }
}

fn marked(mut block: Block, marks: &[Mark]) -> Block {
    block.marks = marks.to_vec();
    block
}

fn make(row: &Block, cell: Block) -> Op {
    Op::BlockInsert {
        block: NewBlock {
            kind: cell.kind.clone(),
            text: cell.text.clone(),
            marks: cell.marks.clone(),
            ..NewBlock::default()
        },
        place: Place {
            parent: Some(row.id.clone()),
            ..Place::default()
        },
    }
}

fn cells(row: &Block) -> Vec<(String, Vec<Mark>)> {
    if !row.children.is_empty() {
        return row.children.iter().map(|cell| (cell.text.clone(), cell.marks.clone())).collect();
    }
    let listed = row.props.get("cells").and_then(Value::as_array);
    listed
        .into_iter()
        .flatten()
        .map(|cell| (cell.as_str().unwrap_or_default().to_owned(), Vec::new()))
        .collect()
}

/// A row that has its cells by column keeps the columns, as long as there are as many.
fn set_cells(page: &Block, cells: &[(String, Vec<Mark>)]) -> Op {
    let texts = || cells.iter().map(|(text, _)| json!(text));
    let columns = page.props.get("cells").and_then(Value::as_object);
    let value = match columns.filter(|columns| columns.len() == cells.len()) {
        Some(columns) => {
            let mut names: Vec<&String> = columns.keys().collect();
            names.sort_by_key(|column| (column.len(), column.as_str()));
            Value::Object(names.into_iter().cloned().zip(texts()).collect::<Map<_, _>>())
        }
        None => texts().collect(),
    };
    Op::BlockSet {
        id: page.id.clone(),
        key: "props.cells".to_owned(),
        value,
    }
}
