//! List items: neighbours of one kind make one list.

use super::{Page, inline::Piece};
use crate::view::Block;
use comrak::nodes::{ListType, Node, NodeList, NodeTaskItem, NodeValue};
use serde_json::Value;

impl<'a> Page<'a> {
    /// Writes an item into the list that ends the node, or into a new one.
    pub(super) fn list_item(self, into: Node<'a>, block: &Block) -> Node<'a> {
        let list_type = if block.kind == "numbered_list_item" {
            ListType::Ordered
        } else {
            ListType::Bullet
        };
        let item = match block.kind.as_str() {
            "todo" => NodeValue::TaskItem(task(block.props.get("checked") == Some(&Value::Bool(true)))),
            _ => NodeValue::Item(NodeList {
                list_type,
                ..NodeList::default()
            }),
        };
        let item = self.append(self.list(into, list_type, start(block)), item);
        let pieces = Piece::of(block);
        self.own_text(item, block, &pieces);
        if item.first_child().is_none() {
            // So that comrak parts it from what follows.
            self.append(item, NodeValue::Paragraph);
        }
        item
    }

    fn list(self, into: Node<'a>, list_type: ListType, start: Option<usize>) -> Node<'a> {
        let last = into
            .last_child()
            .filter(|last| matches!(last.data().value, NodeValue::List(list) if list.list_type == list_type));
        match last {
            Some(last) if start.is_none() => return last,
            // Comrak parts lists of one kind by a comment.
            Some(_) => {}
            None => self.separate(into),
        }
        self.append(
            into,
            NodeValue::List(NodeList {
                list_type,
                start: start.unwrap_or(1),
                ..NodeList::default()
            }),
        )
    }

    /// Keeps comrak from writing a comment between a list and what follows, where what follows is not of the same kind.
    pub(super) fn separate(self, into: Node<'a>) {
        if into
            .last_child()
            .is_some_and(|last| matches!(last.data().value, NodeValue::List(_)))
        {
            self.append(into, NodeValue::Paragraph);
        }
    }
}

/// Lets the lists of a finished tree go without blank lines where they can.
pub(super) fn tighten(root: Node<'_>) {
    for node in root.descendants() {
        if let NodeValue::List(list) = &mut node.data_mut().value {
            list.tight = node.children().all(is_tight);
        }
    }
}

/// Without a blank line nothing but one list may follow the text of an item.
fn is_tight(item: Node<'_>) -> bool {
    let mut children = item.children().peekable();
    children.next_if(|first| matches!(first.data().value, NodeValue::Paragraph));
    children.next().is_none_or(interrupts) && children.next().is_none()
}

/// Whether a list may interrupt a paragraph: its first item is not empty, and is number 1 if it has a number.
fn interrupts(list: Node<'_>) -> bool {
    let NodeValue::List(kind) = list.data().value else { return false };
    let has_text = |item: Node<'_>| {
        matches!(item.data().value, NodeValue::TaskItem(_)) || item.first_child().is_some_and(|text| text.first_child().is_some())
    };
    (kind.list_type == ListType::Bullet || kind.start == 1) && list.first_child().is_some_and(has_text)
}

fn task(checked: bool) -> NodeTaskItem {
    NodeTaskItem {
        symbol: checked.then_some('x'),
        symbol_sourcepos: (0, 0, 0, 0).into(),
    }
}

/// The number an item starts a new count with, if it does.
fn start(block: &Block) -> Option<usize> {
    let start = block.props.get("start")?.as_u64().filter(|_| block.kind == "numbered_list_item")?;
    usize::try_from(start.min(999_999_999)).ok()
}
