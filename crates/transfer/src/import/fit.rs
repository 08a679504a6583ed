//! Blocks as a page takes them: what is too long is cut in pieces, what is too deep is lifted, what is not valid is left
//! out, and each of it is noted. After this, making the page cannot fail for what is in a block.

use super::{
    draft::{block, text_block, with},
    report::{Notes, Reason},
    text::is_dropped,
};
use documents::{
    kinds::{self, TextRule},
    mirror::MAX_DEPTH,
    op::NewBlock,
    view::Mark,
};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Bytes of a text that goes into one block; blocks take a little more, so that one can go on typing.
const MAX_TEXT: usize = 192 << 10;
/// Formats of one text.
const MAX_MARKS: usize = 20_000;

/// What is kept in mind about a page.
struct Fit<'n> {
    notes: &'n mut Notes,
    ids: HashSet<String>,
}

/// Makes blocks fit.
pub fn fit(blocks: Vec<NewBlock>, notes: &mut Notes) -> Vec<NewBlock> {
    let ids = HashSet::new();
    Fit { notes, ids }.row(blocks, None, 0)
}

impl Fit<'_> {
    fn row(&mut self, blocks: Vec<NewBlock>, parent: Option<&str>, depth: usize) -> Vec<NewBlock> {
        let mut row = Vec::with_capacity(blocks.len());
        for block in blocks {
            self.block(block, (parent, depth), &mut row);
        }
        row
    }

    fn block(&mut self, mut block: NewBlock, (parent, depth): (Option<&str>, usize), into: &mut Vec<NewBlock>) {
        self.props(&mut block);
        if let Some(blocks) = self.placed(&mut block, parent) {
            return blocks.into_iter().for_each(|block| self.block(block, (parent, depth), into));
        }
        self.text(&mut block, into);
        self.id(&mut block);
        let children = std::mem::take(&mut block.children);
        if depth + 1 < MAX_DEPTH || children.is_empty() {
            block.children = self.row(children, Some(&block.kind), depth + 1);
            self.pieces(block, into);
        } else {
            self.notes.add(Reason::Flattened, format!("blocks nest {MAX_DEPTH} deep at most"));
            self.pieces(held(block), into);
            self.lift(children, (parent, depth), into);
        }
    }

    /// What nests too deep follows what it was in.
    fn lift(&mut self, children: Vec<NewBlock>, place: (Option<&str>, usize), into: &mut Vec<NewBlock>) {
        for child in children {
            self.block(held(child), place, into);
        }
    }

    /// Other blocks in the place of one that must not stand there.
    fn placed(&mut self, block: &mut NewBlock, parent: Option<&str>) -> Option<Vec<NewBlock>> {
        let holds = parent.and_then(kinds::find).and_then(|kind| kind.holds);
        let needs = kinds::find(&block.kind).and_then(|kind| kind.parent);
        if let Some(holds) = holds.filter(|holds| *holds != block.kind) {
            let mut holder = super::draft::block(holds);
            holder.children = vec![std::mem::take(block)];
            return Some(vec![holder]);
        }
        match needs {
            Some("table") if parent != Some("table") => {
                let mut table = super::draft::block("table");
                table.children = vec![std::mem::take(block)];
                Some(vec![table])
            }
            Some(needed) if parent != Some(needed) => Some(std::mem::take(&mut block.children)),
            _ => None,
        }
    }

    fn id(&mut self, block: &mut NewBlock) {
        let is_good = |id: &String| (1..=64).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
        block.id = block.id.take().filter(is_good).filter(|id| self.ids.insert(id.clone()));
    }

    /// Leaves out what is not valid of a block's props; without one that it needs, it is a paragraph.
    fn props(&mut self, block: &mut NewBlock) {
        if !kinds::is_name(&block.kind) {
            self.notes.add(Reason::Unsupported, &block.kind);
            block.kind = "paragraph".to_owned();
        }
        block.props.retain(|_, value| !value.is_null());
        block.props.values_mut().for_each(scrub);
        // One that was made of another block may have none, and is shown as a large one everywhere.
        if block.kind == "heading" && !block.props.contains_key("level") {
            block.props.insert("level".to_owned(), 1.into());
        }
        let parent = kinds::find(&block.kind).and_then(|kind| kind.parent);
        for _ in 0..=block.props.len() {
            let problems = kinds::check(&block.kind, &block.props, false, parent).err().unwrap_or_default();
            let Some(problem) = problems.first() else { return };
            self.notes.add(
                Reason::ValueRemoved,
                format!("{}{}: {}", block.kind, problem.pointer, problem.detail),
            );
            match (problem.code, problem.pointer.strip_prefix("/props/")) {
                ("required", _) => break,
                (_, Some(name)) if block.props.contains_key(name) => drop(block.props.remove(name)),
                _ => block.props.clear(),
            }
        }
        let words = ["title", "caption", "name", "alt"]
            .iter()
            .find_map(|name| block.props.get(*name)?.as_str());
        if block.text.is_empty() {
            block.text = words.unwrap_or_default().to_owned();
        }
        block.kind = "paragraph".to_owned();
        block.props = Map::new();
    }

    fn text(&mut self, block: &mut NewBlock, into: &mut Vec<NewBlock>) {
        if block.text.contains(is_dropped) {
            // Positions are of the text as it was.
            block.marks = moved(&block.text, std::mem::take(&mut block.marks));
            block.text.retain(|c| !is_dropped(c));
        }
        let rule = kinds::find(&block.kind).map_or(TextRule::Rich, |kind| kind.text);
        if rule == TextRule::None && !block.text.is_empty() {
            let (text, marks) = (std::mem::take(&mut block.text), std::mem::take(&mut block.marks));
            let mut said = text_block("paragraph", text, marks);
            match block.kind.as_str() {
                "table_row" => block.children.insert(0, said),
                "table" | "column_list" | "column" => {
                    self.marks(&mut said);
                    self.pieces(said, into);
                }
                _ => block.children.insert(0, said),
            }
        }
        if rule != TextRule::Rich {
            block.marks.clear();
        }
        self.marks(block);
    }

    fn marks(&mut self, block: &mut NewBlock) {
        let end = block.text.encode_utf16().count();
        let notes = &mut *self.notes;
        block.marks.retain(|mark| {
            let is_good = mark.start < mark.end && mark.end <= end;
            match kinds::check_mark(&mark.name, &mark.value) {
                Ok(()) => is_good && !mark.value.is_null(),
                Err(problem) => {
                    notes.add(Reason::ValueRemoved, format!("{}: {}", mark.name, problem.detail));
                    false
                }
            }
        });
        if block.marks.len() > MAX_MARKS {
            self.notes
                .add(Reason::ValueRemoved, format!("a text has {MAX_MARKS} formats at most"));
            block.marks.truncate(MAX_MARKS);
        }
    }

    /// A block, or as many as its text needs. What is in it goes with the last.
    fn pieces(&mut self, mut block: NewBlock, into: &mut Vec<NewBlock>) {
        while block.text.len() > MAX_TEXT {
            self.notes.add(Reason::TextSplit, format!("a text has {} bytes", block.text.len()));
            let at = cut(&block.text);
            let rest = block.text.split_off(at);
            let units = block.text.encode_utf16().count();
            let (here, there) = divide(std::mem::take(&mut block.marks), units);
            let mut next = text_block(&block.kind, rest, there);
            next.props.clone_from(&block.props);
            next.children = std::mem::take(&mut block.children);
            block.marks = here;
            into.push(std::mem::replace(&mut block, next));
        }
        into.push(block);
    }
}

/// Where to cut a text: behind a line, or a word, or a character.
fn cut(text: &str) -> usize {
    let most = (0..=MAX_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let head = &text[..most];
    let behind = |at: usize| at + 1;
    head.rfind('\n')
        .or_else(|| head.rfind(' '))
        .map(behind)
        .filter(|at| *at > MAX_TEXT / 2)
        .unwrap_or(most)
}

fn divide(marks: Vec<Mark>, at: usize) -> (Vec<Mark>, Vec<Mark>) {
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for mark in marks {
        if mark.start < at {
            here.push(Mark {
                end: mark.end.min(at),
                ..mark.clone()
            });
        }
        if mark.end > at {
            there.push(Mark {
                start: mark.start.max(at) - at,
                end: mark.end - at,
                ..mark
            });
        }
    }
    (here, there)
}

/// Marks of a text from which the characters go that no text has.
fn moved(text: &str, mut marks: Vec<Mark>) -> Vec<Mark> {
    let mut at = vec![0_usize];
    for c in text.chars() {
        let units = if is_dropped(c) { 0 } else { 1 };
        for _ in 0..c.len_utf16() {
            let last = at.last().copied().unwrap_or_default();
            at.push(last + units);
        }
    }
    let end = at.last().copied().unwrap_or_default();
    let to = |position: usize| at.get(position).copied().unwrap_or(end);
    marks
        .iter_mut()
        .for_each(|mark| (mark.start, mark.end) = (to(mark.start), to(mark.end)));
    marks
}

/// A block that only makes sense with something in it, as one that does without.
fn held(mut block: NewBlock) -> NewBlock {
    let cells = match block.props.get("cells") {
        Some(Value::Array(cells)) => cells.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ => String::new(),
    };
    match block.kind.as_str() {
        "table" | "column_list" | "column" | "table_row" => {
            let mut plain = text_block("paragraph", cells, Vec::new());
            plain.children = std::mem::take(&mut block.children);
            plain
        }
        _ => block,
    }
}

/// Characters that no text has, wherever they stand in a value. Its nesting is checked afterwards, and was bounded by
/// whoever read it.
fn scrub(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|c| !is_dropped(c)),
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::Object(entries) => entries.values_mut().for_each(scrub),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A page that continues another.
pub fn continued(document: kernel::id::DocumentId, title: &str) -> NewBlock {
    let title: String = title.chars().take(500).collect();
    with(with(block("child_page"), "document_id", document.to_string()), "title", title)
}
