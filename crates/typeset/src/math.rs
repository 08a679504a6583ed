//! A formula in LaTeX as a tree of plain data, which the template turns into the engine's own formulas.
//!
//! The LaTeX is read by pulldown-latex; nothing of it reaches the engine as source. What cannot be read, or is larger or
//! deeper than a formula has reason to be, is set as text.

mod build;
#[cfg(test)]
mod tests;

use pulldown_latex::{Event, Parser, Storage};
use serde::Serialize;

/// The longest formula that is read, in bytes. The reader recurses over what it finds.
pub const MAX_BYTES: usize = 4_000;
/// The most events of a formula. Macros may make much out of little.
const MAX_EVENTS: usize = 20_000;
/// The deepest tree. The engine stops at 80 calls, and the blocks around a formula need some.
const MAX_DEPTH: usize = 32;

/// A part of a formula.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum Node {
    /// Parts beside one another.
    Row { of: Vec<Node> },
    /// A symbol, slanted if it is a letter; with a class when the engine would guess another.
    Sym { c: String, class: Option<&'static str> },
    /// Upright text.
    Text { t: String },
    /// A function.
    Op { t: String },
    /// A fraction.
    Frac { a: Box<Node>, b: Box<Node> },
    /// One above the other, without a line.
    Stack { a: Box<Node>, b: Box<Node> },
    /// A square root.
    Sqrt { of: Box<Node> },
    /// Another root.
    Root { of: Box<Node>, index: Box<Node> },
    /// Scripts, beside or above and below.
    Attach {
        base: Box<Node>,
        top: Option<Box<Node>>,
        bottom: Option<Box<Node>>,
        limits: bool,
    },
    /// A mark over something.
    Accent { base: Box<Node>, c: char },
    /// A brace or line over or under something.
    Brace { base: Box<Node>, which: &'static str },
    /// Something in delimiters that grow with it.
    Fenced {
        open: Option<char>,
        close: Option<char>,
        of: Box<Node>,
    },
    /// A delimiter of a size.
    Big { c: char, em: f32, class: &'static str },
    /// Cells.
    Mat {
        rows: Vec<Vec<Node>>,
        align: &'static str,
        vlines: Vec<usize>,
        hlines: Vec<usize>,
    },
    /// Cases with one brace.
    Cases { rows: Vec<Vec<Node>>, left: bool },
    /// Lines that are aligned to one another.
    Lines { rows: Vec<Vec<Node>> },
    /// Room.
    Space { em: f32 },
    /// In another font.
    Font { font: &'static str, of: Box<Node> },
    /// In another size.
    Size { size: &'static str, of: Box<Node> },
    /// In another colour.
    Color { color: String, of: Box<Node> },
    /// Struck out.
    Neg { of: Box<Node> },
}

/// Reads a formula; none when it cannot be read or is too large.
pub fn read(latex: &str) -> Option<Node> {
    if latex.len() > MAX_BYTES || latex.trim().is_empty() {
        return None;
    }
    let storage = Storage::new();
    let mut events: Vec<Event<'_>> = Vec::new();
    for event in Parser::new(latex, &storage) {
        events.push(event.ok()?);
        if events.len() > MAX_EVENTS {
            return None;
        }
    }
    build::tree(&events)
}
