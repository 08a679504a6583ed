//! The tree of the parser as a tree of blocks.
//!
//! Two stacks take the place of recursion: the nodes that are still to be read, and the blocks that are open. A remark
//! (`<!-- column_list -->`) or a tag (`<details>`) opens a block in the midst of a row of nodes; it is closed where it
//! says so, and at the latest where the row ends.

use super::{
    MAX_BLOCKS, Read, Unreadable,
    inline::{Inline, Links, Part, Place},
    media,
    note::{Loss, Notes},
    rich::Rich,
};
use crate::{kinds::is_word, markdown::MAX_NESTING, view::Block};
use comrak::nodes::{AlertType, ListType, Node, NodeCodeBlock, NodeHeading, NodeList, NodeValue};
/// The longest title, in characters.
const MAX_TITLE: usize = 500;

/// A row of nodes that is being read.
struct Source<'a> {
    next: Option<Node<'a>>,
    /// How many blocks were open before what is in this row.
    base: usize,
    /// Whether the last of those was opened for this row.
    owns: bool,
    /// The number that the next item of this list begins with.
    start: Option<u64>,
    /// Opening remarks and tags that opened nothing, because they stand too deep.
    unopened: usize,
}

/// Something that is given blocks.
pub(super) struct Walk<'a, 's> {
    text: &'s str,
    lines: Vec<usize>,
    pub(super) links: Links<'s>,
    origin: Option<&'s dyn Fn(Node<'a>) -> Option<String>>,
    pub(super) notes: Notes,
    sources: Vec<Source<'a>>,
    /// The blocks that are open; the first stands for the page.
    open: Vec<Block>,
    title: Option<String>,
    /// Whether a heading would not be the title any more.
    begun: bool,
    count: usize,
    pub(super) failed: Option<Unreadable>,
}

impl<'a, 's> Walk<'a, 's> {
    pub(super) fn new(text: &'s str, links: Links<'s>) -> Self {
        let lines = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            lines: std::iter::once(0).chain(lines).collect(),
            links,
            origin: None,
            notes: Notes::default(),
            sources: Vec::new(),
            open: vec![Block::default()],
            title: None,
            begun: false,
            count: 0,
            failed: None,
        }
    }

    /// With ids for the blocks, by the node that they are made of.
    pub(super) fn with_origins(mut self, origin: &'s dyn Fn(Node<'a>) -> Option<String>) -> Self {
        self.origin = Some(origin);
        self
    }

    pub(super) fn read(mut self, root: Node<'a>) -> Result<Read, Unreadable> {
        self.source(root.first_child(), false);
        while let Some(source) = self.sources.last_mut() {
            let Some(node) = source.next else {
                self.end_of_row();
                continue;
            };
            source.next = node.next_sibling();
            self.notes.line = node.data().sourcepos.start.line;
            self.node(node);
            if let Some(failed) = self.failed {
                return Err(failed);
            }
        }
        Ok(Read {
            title: self.title,
            blocks: self
                .open
                .pop()
                .map(|mut page| std::mem::take(&mut page.children))
                .unwrap_or_default(),
            notes: self.notes.all,
        })
    }

    fn end_of_row(&mut self) {
        let Some(source) = self.sources.pop() else { return };
        while self.open.len() > source.base {
            self.close();
        }
        if source.owns {
            self.close();
        }
    }

    fn source(&mut self, next: Option<Node<'a>>, owns: bool) {
        self.sources.push(Source {
            next,
            base: self.open.len(),
            owns,
            start: None,
            unopened: 0,
        });
    }

    fn node(&mut self, node: Node<'a>) {
        match &node.data().value {
            NodeValue::Paragraph => self.paragraph(node),
            NodeValue::Heading(heading) => self.heading(node, heading),
            NodeValue::ThematicBreak => self.leaf(node, "divider", Rich::default()),
            NodeValue::CodeBlock(code) => self.code(node, code),
            NodeValue::HtmlBlock(html) => self.html_block(node, &html.literal),
            NodeValue::List(list) => self.list(node, list),
            NodeValue::Item(list) => self.item(node, list.list_type),
            NodeValue::TaskItem(task) => {
                let todo = Block::of("todo").with_prop("checked", task.symbol.is_some());
                self.container(node, todo, None);
            }
            NodeValue::BlockQuote => self.container(node, Block::of("quote"), None),
            NodeValue::Alert(alert) => {
                let callout = Block::of("callout").with_prop("tone", tone(alert.alert_type));
                self.container(node, callout, alert.title.clone());
            }
            NodeValue::Table(table) => {
                let table = self.table(node, table);
                self.push(table);
            }
            _ => self.source(node.first_child(), false),
        }
    }

    /// The id of the block that a node was written for.
    pub(super) fn origin(&self, node: Node<'a>) -> String {
        self.origin.and_then(|origin| origin(node)).unwrap_or_default()
    }

    fn leaf(&mut self, node: Node<'a>, kind: &str, rich: Rich) {
        let block = rich.into_block(kind).with_id(self.origin(node));
        self.push(block);
    }

    /// Puts a block behind those of the block that is open. In a list of columns only columns can stand.
    pub(super) fn push(&mut self, block: Block) {
        self.begun = true;
        self.count += 1 + block.children.len();
        if self.count > MAX_BLOCKS {
            self.failed = Some(Unreadable::TooManyBlocks);
            return;
        }
        let Some(open) = self.open.last_mut() else { return };
        if open.kind != "column_list" || block.kind == "column" {
            return open.children.push(block);
        }
        if open.children.is_empty() {
            open.children.push(Block::of("column"));
        }
        if let Some(column) = open.children.last_mut() {
            column.children.push(block);
        }
    }

    /// Opens a block; one that stands too deep is put beside what would be in it. Says whether it is open.
    pub(super) fn open(&mut self, block: Block) -> bool {
        if block.kind != "column" && self.open.last().is_some_and(|open| open.kind == "column_list") && self.open.len() <= MAX_NESTING {
            self.open.push(Block::of("column"));
        }
        if self.open.len() > MAX_NESTING {
            self.notes.lost(Loss::Nesting);
            self.push(block);
            return false;
        }
        self.begun = true;
        self.open.push(block);
        true
    }

    pub(super) fn close(&mut self) {
        if self.open.len() > 1
            && let Some(block) = self.open.pop()
        {
            self.push(block);
        }
    }

    /// Opens a block until it is closed by [`close_opened`](Self::close_opened), or the row ends.
    pub(super) fn open_until_closed(&mut self, block: Block) {
        if !self.open(block)
            && let Some(source) = self.sources.last_mut()
        {
            source.unopened += 1;
        }
    }

    /// Closes the innermost block of a type that was opened in this row, and what is open in it.
    pub(super) fn close_opened(&mut self, kind: &str) {
        let Some(source) = self.sources.last_mut() else { return };
        if source.unopened > 0 {
            source.unopened -= 1;
            return;
        }
        let base = source.base;
        match self.open[base..].iter().rposition(|open| open.kind == kind) {
            Some(at) => (at + base..self.open.len()).for_each(|_| self.close()),
            None => self.notes.lost(Loss::Tag),
        }
    }

    /// The block that the last remark or tag opened in this row.
    pub(super) fn opened(&mut self) -> Option<&mut Block> {
        let base = self.sources.last()?.base;
        if self.open.len() > base { self.open.last_mut() } else { None }
    }

    /// What follows is no title.
    pub(super) fn untitled(&mut self) {
        self.begun = true;
    }

    pub(super) fn parts(&mut self, node: Node<'a>, place: Place) -> Vec<Part> {
        Inline::new(place, self.links, &mut self.notes).read(node)
    }

    /// Puts in what a paragraph consists of. Only its first block can be one that was there before.
    pub(super) fn put(&mut self, parts: Vec<Part>, mut id: String) {
        for (number, part) in parts.into_iter().enumerate() {
            if number > 0 && matches!(part, Part::Text(_)) {
                self.notes.lost(Loss::Length);
            }
            let block = match part {
                Part::Text(rich) => rich.into_block("paragraph"),
                Part::Image(image) => image,
            };
            self.push(block.with_id(std::mem::take(&mut id)));
        }
    }

    /// A block that a paragraph stands for as a whole: a formula, or something that a link points at.
    fn lone(&self, node: Node<'a>) -> Option<Block> {
        let only = node.first_child().filter(|only| only.next_sibling().is_none())?;
        if let NodeValue::Math(math) = &only.data().value
            && math.display_math
        {
            let equation = Block::of("equation").with_text(math.literal.trim());
            return Some(equation.with_id(self.origin(node)));
        }
        Some(media::link_block(node, self.links)?.with_id(self.origin(node)))
    }

    fn paragraph(&mut self, node: Node<'a>) {
        match self.lone(node) {
            Some(block) => self.push(block),
            None => {
                let parts = self.parts(node, Place::Block);
                self.put(parts, self.origin(node));
            }
        }
    }

    fn heading(&mut self, node: Node<'a>, heading: &NodeHeading) {
        let mut parts = self.parts(node, Place::Line).into_iter();
        let rich = match parts.next() {
            Some(Part::Text(rich)) => rich,
            Some(Part::Image(_)) | None => Rich::default(),
        };
        if heading.level == 1 && !self.begun && rich.text.chars().nth(MAX_TITLE).is_none() {
            self.begun = true;
            self.title = Some(rich.text).filter(|title| !title.trim().is_empty());
            return;
        }
        if heading.level > 4 {
            self.notes.lost(Loss::Level);
        }
        let block = rich.into_block("heading").with_prop("level", heading.level.min(4));
        self.push(block.with_id(self.origin(node)));
        self.put(parts.collect(), String::new());
    }

    fn code(&mut self, node: Node<'a>, code: &NodeCodeBlock) {
        let (info, rest) = code.info.split_once(char::is_whitespace).unwrap_or((&code.info, ""));
        if !rest.trim().is_empty() {
            self.notes.lost(Loss::Detail);
        }
        let mut text = code.literal.strip_suffix('\n').unwrap_or(&code.literal);
        let kind = match info {
            "math" => "equation",
            "mermaid" => "mermaid",
            _ => "code",
        };
        if kind == "equation" {
            text = text.trim();
            if text.is_empty() {
                return;
            }
        }
        let mut id = self.origin(node);
        for text in super::rich::lengths(text) {
            let mut block = Block::of(kind).with_text(text).with_id(std::mem::take(&mut id));
            if kind == "code" && is_word(info) {
                block = block.with_prop("language", info);
            }
            self.push(block);
        }
    }

    fn list(&mut self, node: Node<'a>, list: &NodeList) {
        let follows_numbers = || {
            let before = self.open.last().and_then(|open| open.children.last());
            before.is_some_and(|block| block.kind == "numbered_list_item")
        };
        let is_counting = list.list_type == ListType::Ordered && (list.start != 1 || follows_numbers());
        let start = is_counting.then_some(list.start as u64);
        self.source(node.first_child(), false);
        if let Some(source) = self.sources.last_mut() {
            source.start = start;
        }
    }

    fn item(&mut self, node: Node<'a>, list_type: ListType) {
        let start = self.sources.last_mut().and_then(|source| source.start.take());
        if list_type == ListType::Ordered {
            let mut item = Block::of("numbered_list_item");
            if let Some(start) = start {
                item = item.with_prop("start", start);
            }
            return self.container(node, item, None);
        }
        if let Some(checked) = self.empty_task(node) {
            let todo = Block::of("todo").with_prop("checked", checked);
            return self.push(todo.with_id(self.origin(node)));
        }
        self.container(node, Block::of("bulleted_list_item"), None);
    }

    /// Whether an item is a box without words, which the parser does not take for a task, and whether it is ticked.
    fn empty_task(&self, item: Node<'a>) -> Option<bool> {
        let text = item.first_child().filter(|only| only.next_sibling().is_none())?;
        let at = text.data().sourcepos.start;
        let line = self.lines.get(at.line.checked_sub(1)?)?;
        let line = self.text.get(line + at.column.checked_sub(1)?..)?;
        match line.split('\n').next()?.trim_end() {
            "[ ]" => Some(false),
            "[x]" | "[X]" => Some(true),
            _ => None,
        }
    }

    /// Opens a block that holds others. Its text is its title, or its first paragraph.
    fn container(&mut self, node: Node<'a>, block: Block, title: Option<String>) {
        let mut next = node.first_child();
        let (mut rich, mut rest) = (Rich::default(), Vec::new());
        match (title, next) {
            (Some(text), _) => rich.text = text.trim().replace('\n', " "),
            (None, Some(first)) if is_blank(first) => next = first.next_sibling(),
            (None, Some(first)) if matches!(first.data().value, NodeValue::Paragraph) && self.lone(first).is_none() => {
                rest = self.parts(first, Place::Block);
                if let Some(Part::Text(text)) = rest.first_mut() {
                    rich = std::mem::take(text);
                    rest.remove(0);
                }
                next = first.next_sibling();
            }
            (None, _) => {}
        }
        let is_open = self.open(rich.put_into(block).with_id(self.origin(node)));
        self.put(rest, String::new());
        self.source(next, is_open);
    }
}

/// Whether a node is the remark that stands for an empty text.
fn is_blank(node: Node<'_>) -> bool {
    match &node.data().value {
        NodeValue::HtmlBlock(html) => html.literal.trim() == "<!-- -->",
        NodeValue::Paragraph => match node.first_child() {
            Some(only) if only.next_sibling().is_none() => matches!(&only.data().value, NodeValue::HtmlInline(html) if html == "<!-- -->"),
            _ => false,
        },
        _ => false,
    }
}

fn tone(alert: AlertType) -> &'static str {
    match alert {
        AlertType::Note => "note",
        AlertType::Tip => "tip",
        AlertType::Important => "important",
        AlertType::Warning => "warning",
        AlertType::Caution => "caution",
    }
}
