//! What is typeset: a page as plain data. Texts are texts, whatever stands in them; nothing here is ever source.

use serde::{Deserialize, Serialize};

/// The deepest that blocks may stand in one another. The engine refuses to go much deeper; whoever makes a sheet lays
/// what is deeper beside the last level.
pub const MAX_NESTING: usize = 8;

/// A page to be typeset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sheet {
    /// Its title.
    pub title: String,
    /// An emoji before the title.
    pub icon: Option<String>,
    /// A line under the title: when and where it was exported.
    pub note: String,
    /// What stands on it.
    pub blocks: Vec<Block>,
    /// The pictures, which blocks name by their place here.
    #[serde(skip)]
    pub images: Vec<Vec<u8>>,
}

/// A piece of text that looks alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// The text; `\n` breaks the line.
    pub text: String,
    /// **Bold**.
    pub bold: bool,
    /// *Italic*.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Struck through.
    pub strike: bool,
    /// As code.
    pub code: bool,
    /// `#rrggbb`.
    pub color: Option<String>,
    /// `#rrggbb` behind it.
    pub highlight: Option<String>,
    /// Where it leads: http, https or mailto.
    pub link: Option<String>,
}

impl Run {
    /// A text without formatting.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
}

/// How a block looks, whatever it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// `left`, `center` or `right`; none follows the text's direction.
    pub align: Option<String>,
    /// `#rrggbb` of the text.
    pub color: Option<String>,
    /// Whether the text runs from right to left.
    pub rtl: bool,
}

/// What stands before an item of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marker {
    /// A bullet.
    Bullet,
    /// A number.
    Number(u64),
    /// A box, ticked or not.
    Todo(bool),
    /// A triangle: it was folded, and is open here.
    Toggle,
}

/// An item of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What stands before it.
    pub marker: Marker,
    /// Its text.
    pub text: Vec<Run>,
    /// How it looks.
    pub look: Look,
    /// What stands under it.
    pub children: Vec<Block>,
}

/// A column beside others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its share of the width.
    pub ratio: f64,
    /// What stands in it.
    pub children: Vec<Block>,
}

/// A block of a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// Text, and what is indented under it.
    Paragraph {
        /// The text.
        text: Vec<Run>,
        /// How it looks.
        look: Look,
        /// What stands under it.
        children: Vec<Block>,
    },
    /// A heading, which stands in the outline and in tables of contents.
    Heading {
        /// 1 to 4.
        level: u8,
        /// The text.
        text: Vec<Run>,
        /// How it looks.
        look: Look,
        /// What stands under it.
        children: Vec<Block>,
    },
    /// Items of lists that follow one another.
    List {
        /// The items.
        items: Vec<Item>,
    },
    /// A quotation.
    Quote {
        /// The text.
        text: Vec<Run>,
        /// How it looks.
        look: Look,
        /// What stands under it.
        children: Vec<Block>,
    },
    /// Something in a box that catches the eye.
    Callout {
        /// `note`, `tip`, `important`, `warning`, `caution`, or none.
        tone: Option<String>,
        /// An emoji; drawn only when a font has it.
        icon: Option<String>,
        /// The text.
        text: Vec<Run>,
        /// How it looks.
        look: Look,
        /// What stands under it.
        children: Vec<Block>,
    },
    /// A program.
    Code {
        /// Its language.
        language: Option<String>,
        /// The program.
        text: String,
        /// What is said under it.
        caption: Option<String>,
    },
    /// A formula in LaTeX.
    Equation {
        /// The formula.
        latex: String,
    },
    /// A line.
    Divider,
    /// A picture.
    Image {
        /// Its place in [`Sheet::images`].
        image: usize,
        /// What it shows, for those who do not see it.
        alt: String,
        /// What is said under it.
        caption: Vec<Run>,
        /// How wide it is, in points; less when the page is narrower.
        width: Option<f64>,
        /// `left`, `center` or `right`.
        align: Option<String>,
    },
    /// Something that stands elsewhere: a file, a site, another page.
    Card {
        /// What it is, in a word or two.
        label: String,
        /// An emoji before its name; drawn only when a font has it.
        icon: Option<String>,
        /// Its name.
        title: String,
        /// More about it.
        detail: String,
        /// Where it is: http, https or mailto.
        link: Option<String>,
    },
    /// A table. Short rows are filled up.
    Table {
        /// How many columns it has.
        columns: usize,
        /// Whether the first row is a heading, repeated on every sheet.
        has_header_row: bool,
        /// Whether the first column is one.
        has_header_column: bool,
        /// The cells.
        rows: Vec<Vec<Vec<Run>>>,
    },
    /// Columns beside one another.
    Columns {
        /// They.
        columns: Vec<Column>,
    },
    /// The headings of the page with the sheets they stand on.
    Contents {
        /// Headings of deeper levels are left out.
        max_level: u8,
    },
    /// What has no form of its own: its name, its text, and what stands in it.
    Unknown {
        /// What it calls itself.
        label: String,
        /// The text.
        text: Vec<Run>,
        /// What stands in it.
        children: Vec<Block>,
    },
}

impl Block {
    /// The blocks inside, in order, however they stand there.
    pub(crate) fn inside_mut(&mut self) -> Vec<&mut Vec<Block>> {
        match self {
            Self::Paragraph { children, .. }
            | Self::Heading { children, .. }
            | Self::Quote { children, .. }
            | Self::Callout { children, .. }
            | Self::Unknown { children, .. } => vec![children],
            Self::List { items } => items.iter_mut().map(|item| &mut item.children).collect(),
            Self::Columns { columns } => columns.iter_mut().map(|column| &mut column.children).collect(),
            Self::Code { .. }
            | Self::Equation { .. }
            | Self::Divider
            | Self::Image { .. }
            | Self::Card { .. }
            | Self::Table { .. }
            | Self::Contents { .. } => Vec::new(),
        }
    }
}
