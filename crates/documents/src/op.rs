//! Edits as clients write them: by block and position, without Automerge. REST, the JSON protocol and imports all
//! end as a list of these, applied as one change.
//!
//! Positions are UTF-16 code units inside one block's text. `block` left out means the page's plain text: all blocks
//! in reading order, joined by one newline each. The title is addressed as the block [`TITLE`].

use crate::view::Mark;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The address of the page's title among the blocks. No block can have this id.
pub const TITLE: &str = "@title";

/// Where a block shall stand. `order` beats `after` beats `before`; none of them means behind its siblings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The block it hangs under; empty or left out for the top of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The sibling it follows; empty for the first place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The sibling it precedes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// An order key of the client's own making.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
}

/// A block to be made, with everything under it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewBlock {
    /// The client's own id; made here when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its type.
    #[serde(rename = "type", default = "paragraph")]
    pub kind: String,
    /// Its text.
    #[serde(default)]
    pub text: String,
    /// Ranges of its text.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// Values by type.
    #[serde(default)]
    pub props: Map<String, Value>,
    /// Blocks under it.
    #[serde(default)]
    pub children: Vec<NewBlock>,
}

fn paragraph() -> String {
    "paragraph".to_owned()
}

/// A position: a number, or an Automerge cursor, which stays right under any concurrency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Pos {
    /// UTF-16 units from the start.
    At(usize),
    /// An Automerge cursor as text.
    Cursor {
        /// As `cursor` of the presence messages gives it.
        cursor: String,
    },
}

/// How a mark grows when text is typed at its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expand {
    /// Typing before it joins it.
    Before,
    /// Typing behind it joins it.
    #[default]
    After,
    /// Both.
    Both,
    /// Neither.
    None,
}

/// One edit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// Put text in.
    Insert {
        /// The block, the title, or the page's plain text.
        #[serde(default)]
        block: Option<String>,
        /// Where.
        pos: Pos,
        /// What.
        text: String,
        /// Marks on exactly this text: name to value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        marks: Option<Map<String, Value>>,
    },
    /// Take text out.
    Delete {
        /// The block, the title, or the page's plain text.
        #[serde(default)]
        block: Option<String>,
        /// From where.
        pos: Pos,
        /// UTF-16 units.
        #[serde(alias = "length")]
        len: usize,
    },
    /// Take text out and put other text in its place.
    Replace {
        /// The block, the title, or the page's plain text.
        #[serde(default)]
        block: Option<String>,
        /// From where.
        pos: Pos,
        /// UTF-16 units to take out.
        #[serde(alias = "length")]
        len: usize,
        /// What to put in.
        text: String,
    },
    /// Set a mark on a range, or take it away with `null`.
    Format {
        /// The block, or the page's plain text.
        #[serde(default)]
        block: Option<String>,
        /// From where.
        pos: Pos,
        /// UTF-16 units.
        #[serde(alias = "length")]
        len: usize,
        /// The mark: bold, italic, link …
        name: String,
        /// Its value.
        value: Value,
        /// How it grows.
        #[serde(default)]
        expand: Expand,
    },
    /// Make a block.
    BlockInsert {
        /// What.
        #[serde(flatten)]
        block: NewBlock,
        /// Where.
        #[serde(flatten)]
        place: Place,
    },
    /// Move a block with everything under it.
    BlockMove {
        /// The block.
        id: String,
        /// Where to.
        #[serde(flatten)]
        place: Place,
    },
    /// Set the title: `path` is `title`, the only one there is so far.
    Put {
        /// What.
        path: String,
        /// To what. It is merged with what others type.
        value: String,
    },
    /// Set `type`, `text`, `marks`, `props` as a whole, or one of `props.<name>`; `null` takes a prop away. A text is
    /// merged: only where it differs from the one at the base is it changed.
    BlockSet {
        /// The block.
        id: String,
        /// Which value.
        key: String,
        /// To what.
        value: Value,
    },
    /// Delete a block with everything under it that is there now.
    BlockDelete {
        /// The block.
        id: String,
    },
    /// Cut a block in two; the tail becomes its next sibling.
    BlockSplit {
        /// The block.
        id: String,
        /// Where to cut.
        pos: Pos,
        /// The id of the new block; made here when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        new_id: Option<String>,
    },
    /// Join a block to the end of another, by default its previous sibling.
    BlockMerge {
        /// The block that goes.
        id: String,
        /// The block that stays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        into: Option<String>,
    },
}

impl Op {
    /// The blocks whose text positions this edit refers to; `None` for the whole page's plain text.
    pub fn positions_in(&self) -> Positions<'_> {
        match self {
            Self::Insert { block, .. } | Self::Delete { block, .. } | Self::Replace { block, .. } | Self::Format { block, .. } => {
                block.as_deref().map_or(Positions::Page, Positions::Block)
            }
            Self::BlockSplit { id, .. } => Positions::Block(id),
            Self::BlockSet { id, key, .. } if key == "text" || key == "marks" => Positions::Block(id),
            Self::Put { .. } => Positions::Block(TITLE),
            Self::BlockInsert { .. }
            | Self::BlockMove { .. }
            | Self::BlockSet { .. }
            | Self::BlockDelete { .. }
            | Self::BlockMerge { .. } => Positions::Nowhere,
        }
    }
}

/// What text an edit's positions count in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Positions<'a> {
    /// None.
    Nowhere,
    /// One block's.
    Block(&'a str),
    /// The whole page's.
    Page,
}
