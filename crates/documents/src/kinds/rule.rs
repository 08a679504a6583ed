//! What a prop may be.

use super::{link::is_link, mark::is_color};
use serde::Serialize;
use serde_json::Value;
use std::ops::RangeInclusive;
use uuid::Uuid;

/// The most columns a table may have.
pub const MAX_COLUMNS: usize = 64;
/// The longest text in one cell, in characters.
pub const MAX_CELL_CHARS: usize = 8_192;

/// What a prop may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Rule {
    /// `true` or `false`.
    Bool,
    /// A whole number of the range.
    Int {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// A number above 0, at most 1.
    Ratio,
    /// A text.
    Text {
        /// The longest, in characters.
        max: usize,
    },
    /// One of these words.
    OneOf {
        /// The words.
        words: &'static [&'static str],
    },
    /// A word of letters, digits and `_ + # . -`, 64 at most: a programming language, a provider.
    Word,
    /// A URL: http, https, mailto, or a path of this site.
    Url,
    /// The id of a document, a board or an attachment: a UUID.
    Id,
    /// The id of a block.
    BlockId,
    /// A colour: one of our names or `#rrggbb`.
    Color,
    /// The cells of a row: texts in order, or texts by column.
    Cells,
}

/// Why a value does not fit: a stable code and a sentence.
pub struct Wrong {
    /// The code.
    pub code: &'static str,
    /// The sentence.
    pub detail: String,
}

fn wrong(code: &'static str, detail: impl Into<String>) -> Wrong {
    Wrong {
        code,
        detail: detail.into(),
    }
}

impl Rule {
    /// Whether the value fits.
    pub fn check(&self, value: &Value) -> Result<(), Wrong> {
        match *self {
            Self::Bool => value.as_bool().map(drop).ok_or_else(|| wrong("not_a_bool", "is true or false")),
            Self::Int { min, max } => check_int(value, min..=max),
            Self::Ratio => check_ratio(value),
            Self::Text { max } => check_text(value, max),
            Self::OneOf { words } => check_word(value, |word| words.contains(&word), || format!("is one of {}", words.join(", "))),
            Self::Word => check_word(value, is_word, || "is letters, digits and _ + # . -, 64 at most".into()),
            Self::Id => check_word(value, is_uuid, || "is a UUID".into()),
            Self::BlockId => check_word(value, is_block_id, || "is the id of a block".into()),
            Self::Color => check_word(value, is_color, || "is the name of a colour or #rrggbb".into()),
            Self::Url => check_url(value),
            Self::Cells => check_cells(value),
        }
    }
}

fn text_of(value: &Value) -> Result<&str, Wrong> {
    value.as_str().ok_or_else(|| wrong("not_a_string", "is a string"))
}

fn check_word(value: &Value, fits: impl Fn(&str) -> bool, detail: impl Fn() -> String) -> Result<(), Wrong> {
    if fits(text_of(value)?) {
        Ok(())
    } else {
        Err(wrong("invalid_value", detail()))
    }
}

fn check_text(value: &Value, max: usize) -> Result<(), Wrong> {
    match text_of(value)?.chars().nth(max) {
        None => Ok(()),
        Some(_) => Err(wrong("too_long", format!("is {max} characters at most"))),
    }
}

fn check_url(value: &Value) -> Result<(), Wrong> {
    if is_link(text_of(value)?) {
        return Ok(());
    }
    Err(wrong(
        "invalid_url",
        "is an http, https or mailto URL or a path of this site, 2048 bytes at most",
    ))
}

/// Clients in JavaScript may write `2` as `2.0`.
fn check_int(value: &Value, range: RangeInclusive<i64>) -> Result<(), Wrong> {
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is checked, and a cast saturates")]
    let whole = |float: f64| (float.fract() == 0.0).then_some(float as i64);
    let int = value
        .as_i64()
        .or_else(|| value.as_f64().and_then(whole))
        .ok_or_else(|| wrong("not_an_integer", "is a whole number"))?;
    if range.contains(&int) {
        return Ok(());
    }
    Err(wrong("out_of_range", format!("is from {} to {}", range.start(), range.end())))
}

fn check_ratio(value: &Value) -> Result<(), Wrong> {
    match value.as_f64() {
        Some(ratio) if ratio > 0.0 && ratio <= 1.0 => Ok(()),
        Some(_) => Err(wrong("out_of_range", "is above 0 and at most 1")),
        None => Err(wrong("not_a_number", "is a number")),
    }
}

fn check_cells(value: &Value) -> Result<(), Wrong> {
    let cells: Vec<&Value> = match value {
        Value::Array(cells) => cells.iter().collect(),
        Value::Object(cells) => cells.values().collect(),
        _ => return Err(wrong("not_cells", "is a list of texts or an object of texts by column")),
    };
    if cells.len() > MAX_COLUMNS {
        return Err(wrong("too_many", format!("is {MAX_COLUMNS} cells at most")));
    }
    cells.into_iter().try_for_each(|cell| check_text(cell, MAX_CELL_CHARS))
}

/// A programming language, a provider.
pub fn is_word(word: &str) -> bool {
    (1..=64).contains(&word.len()) && word.chars().all(|c| c.is_ascii_alphanumeric() || "_+#.-".contains(c))
}

/// What can stand as the id of a block: letters, digits, `-` and `_`, at most 64.
pub fn is_block_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-')
}

/// In the one spelling we use, with dashes.
pub fn is_uuid(id: &str) -> bool {
    id.len() == 36 && Uuid::try_parse(id).is_ok()
}
