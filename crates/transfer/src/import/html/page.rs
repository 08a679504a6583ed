//! The page while its blocks are gathered: what is open, and the line of text that grows.

use super::{style::Format, table};
use crate::import::{
    draft::{block, text_block, with},
    report::Notes,
    rich::Rich,
};
use documents::{kinds, op::NewBlock};

/// The name of what is open without being a block: a caption of what stands before it.
const CAPTION: &str = "@caption";

/// What an open block does with text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// The first line is its own.
    First,
    /// Every line is its own: a cell.
    Every,
    /// None is; lines become paragraphs in it.
    Never,
}

/// A block that is not closed yet.
pub(super) struct Open {
    pub block: NewBlock,
    pub text: Text,
    /// How deep its element lies.
    depth: usize,
    pub rows: table::Facts,
}

struct Formatting {
    format: Format,
    start: usize,
    depth: usize,
}

/// The page so far.
pub(super) struct Page {
    open: Vec<Open>,
    pub rich: Rich,
    formats: Vec<Formatting>,
    pub notes: Notes,
}

impl Page {
    pub fn new() -> Self {
        let root = Open {
            block: NewBlock::default(),
            text: Text::Never,
            depth: 0,
            rows: table::Facts::default(),
        };
        Self {
            open: vec![root],
            rich: Rich::default(),
            formats: Vec::new(),
            notes: Notes::default(),
        }
    }

    /// The innermost open block.
    pub fn top(&mut self) -> &mut Open {
        self.open.last_mut().expect("the page itself stays open")
    }

    /// The innermost open block of a type.
    pub fn innermost(&mut self, kind: &str) -> Option<&mut Open> {
        self.open.iter_mut().rev().find(|open| open.block.kind == kind)
    }

    /// Ends the line: it becomes the text of the open block, or a paragraph in it.
    pub fn flush(&mut self) {
        for formatting in &mut self.formats {
            let (name, value) = &formatting.format;
            self.rich.mark(name, value, formatting.start);
            formatting.start = 0;
        }
        let (text, marks) = self.rich.take();
        if text.is_empty() {
            return;
        }
        let top = self.top();
        match top.text {
            Text::First => {
                (top.block.text, top.block.marks) = (text, marks);
                top.text = Text::Never;
            }
            Text::Every if top.block.children.is_empty() => {
                let gap = if top.block.text.is_empty() { "" } else { "\n" };
                top.block.text.push_str(gap);
                let start = top.block.text.encode_utf16().count();
                top.block.text.push_str(&text);
                top.block.marks.extend(marks.into_iter().map(|mut mark| {
                    mark.start += start;
                    mark.end += start;
                    mark
                }));
            }
            Text::Every | Text::Never => top.block.children.push(text_block("paragraph", text, marks)),
        }
    }

    /// Opens a block for an element.
    pub fn begin(&mut self, block: NewBlock, text: Text, depth: usize) {
        self.flush();
        self.seal();
        self.open.push(Open {
            block,
            text,
            depth,
            rows: table::Facts::default(),
        });
    }

    /// What comes first in a block takes the place of its text.
    fn seal(&mut self) {
        let top = self.top();
        if top.text == Text::First {
            top.text = Text::Never;
        }
    }

    /// Adds a block that holds nothing.
    pub fn leaf(&mut self, block: NewBlock) {
        self.flush();
        self.seal();
        self.top().block.children.push(block);
    }

    /// Goes on inside the last block of the open one, if it is an item of a list.
    pub fn reopen(&mut self, depth: usize) -> bool {
        self.flush();
        let is_item = |block: &NewBlock| matches!(block.kind.as_str(), "bulleted_list_item" | "numbered_list_item" | "todo" | "toggle");
        let children = &mut self.top().block.children;
        let Some(last) = children.pop_if(|last| is_item(last)) else {
            return false;
        };
        self.open.push(Open {
            block: last,
            text: Text::Never,
            depth,
            rows: table::Facts::default(),
        });
        true
    }

    /// Begins a format.
    pub fn format(&mut self, format: Format, depth: usize) {
        self.rich.settle();
        self.formats.push(Formatting {
            format,
            start: self.rich.end(),
            depth,
        });
    }

    /// Whether text is formatted so.
    pub fn has_format(&self, name: &str) -> bool {
        self.formats.iter().any(|formatting| formatting.format.0 == name)
    }

    /// An element ends: so does what it opened.
    pub fn end(&mut self, depth: usize) {
        while let Some(formatting) = self.formats.pop_if(|formatting| formatting.depth >= depth) {
            let (name, value) = &formatting.format;
            self.rich.mark(name, value, formatting.start);
        }
        while self.open.len() > 1 && self.top().depth >= depth {
            self.flush();
            self.close();
        }
    }

    fn close(&mut self) {
        let Some(Open { block, rows, .. }) = self.open.pop() else { return };
        let Self { open, notes, .. } = self;
        let Some(parent) = open.last_mut() else { return };
        match block.kind.as_str() {
            CAPTION => caption(&mut parent.block.children, block),
            "table" => parent.block.children.extend(table::finish(block, rows, notes)),
            "table_row" => {
                parent.rows.end_row(&rows);
                parent.block.children.push(block);
            }
            _ => parent.block.children.push(block),
        }
    }

    /// Begins the caption of what stands before it.
    pub fn begin_caption(&mut self, depth: usize) {
        self.begin(block(CAPTION), Text::Every, depth);
    }

    /// Begins preformatted text. Line by line as it is, without formats.
    pub fn take_code(&mut self) -> String {
        self.formats.iter_mut().for_each(|formatting| formatting.start = 0);
        self.rich.take_plain()
    }

    /// All blocks.
    pub fn finish(mut self) -> (Vec<NewBlock>, Notes) {
        self.end(1);
        self.flush();
        let root = self.open.pop().map(|open| open.block).unwrap_or_default();
        (root.children, self.notes)
    }
}

/// The longest caption a block takes, in characters; a longer one is a paragraph.
const MAX_CAPTION: usize = 2_000;

fn caption(before: &mut Vec<NewBlock>, caption: NewBlock) {
    let takes_one = |block: &NewBlock| kinds::find(&block.kind).is_some_and(|kind| kind.props.iter().any(|prop| prop.name == "caption"));
    let is_short = caption.children.is_empty() && caption.text.chars().count() <= MAX_CAPTION;
    match before.pop_if(|block| is_short && takes_one(block)) {
        Some(block) => before.push(with(block, "caption", caption.text)),
        None => {
            let NewBlock { text, marks, children, .. } = caption;
            if !text.is_empty() {
                before.push(text_block("paragraph", text, marks));
            }
            before.extend(children);
        }
    }
}
