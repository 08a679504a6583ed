//! The types of blocks and what each may hold.
//!
//! [`TYPES`] is the whole truth; the checks only read it. A type we do not know, and a prop we do not know on a type we
//! do, are kept as they came, within limits of size and nesting: an older server must not damage what a newer client
//! writes. Pointers in problems are relative to the block (`/props/level`).

mod link;
mod mark;
mod rule;
mod schema;
mod table;
#[cfg(test)]
mod tests;

pub use link::{MAX_URL_LEN, is_link};
pub use mark::{COLORS, MARKS, MarkKind, MarkRule, Mention, check_mark, is_color, read_mention};
pub use rule::{MAX_CELL_CHARS, MAX_COLUMNS, Rule, is_block_id, is_uuid, is_word};
pub use table::TYPES;

use serde::Serialize;
use serde_json::{Map, Value};

/// One thing that is wrong with a block.
pub type Problem = kernel::error::Field;

/// The most all props of a block may take, as JSON.
pub const MAX_PROPS_BYTES: usize = 32 * 1024;
/// The deepest a prop may nest; a scalar is at depth 1.
pub const MAX_PROPS_DEPTH: usize = 8;
/// The longest name of a type or a prop.
pub const MAX_NAME_LEN: usize = 64;

/// Whether blocks of a type have text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextRule {
    /// Text with marks.
    Rich,
    /// Text without formatting: code, a formula, a diagram.
    Plain,
    /// None.
    None,
}

/// A prop of a type: its name and what it may be.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Prop {
    /// Its name in `props`.
    pub name: &'static str,
    /// What it may be.
    pub rule: Rule,
}

/// A type of block.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Kind {
    /// Its name, as in `type`.
    pub name: &'static str,
    /// Whether it has text.
    pub text: TextRule,
    /// The type its parent must be, when only one makes sense.
    pub parent: Option<&'static str>,
    /// The type its children must be, when only one makes sense.
    pub holds: Option<&'static str>,
    /// The props it knows. All may be left out but those of `needs`.
    pub props: &'static [Prop],
    /// Of each group, at least one prop must be there.
    pub needs: &'static [&'static [&'static str]],
    /// Whether its other props may have any name, because they are somebody else's.
    pub is_open: bool,
}

/// The type of that name, if we know it.
pub fn find(name: &str) -> Option<&'static Kind> {
    TYPES.iter().find(|kind| kind.name == name)
}

/// Says everything that is wrong with a block of type `kind`; `parent_kind` is `None` at the root of the page.
///
/// A prop that is `null` counts as absent.
pub fn check(kind: &str, props: &Map<String, Value>, has_text: bool, parent_kind: Option<&str>) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    if !is_name(kind) {
        problems.push(Problem::new(
            "/type",
            "invalid_type",
            "a type is a lower-case letter, then letters, digits and _, 64 at most",
        ));
    }
    problems.extend(measure(props).err());
    match find(kind) {
        Some(known) => {
            problems.extend(check_place(known, parent_kind));
            if has_text && known.text == TextRule::None {
                problems.push(Problem::new("/text", "no_text", format!("a {kind} has no text")));
            }
            problems.extend(props.iter().filter_map(|(name, value)| check_prop(known, name, value)));
            problems.extend(known.needs.iter().filter_map(|group| check_need(group, props)));
        }
        None => problems.extend(check_holder(kind, parent_kind)),
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether it can name a type: `^[a-z][a-z0-9_]{0,63}$`.
pub fn is_name(name: &str) -> bool {
    let word = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    name.len() <= MAX_NAME_LEN && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(word)
}

fn check_place(kind: &Kind, parent_kind: Option<&str>) -> Option<Problem> {
    match kind.parent {
        Some(needed) if parent_kind != Some(needed) => Some(Problem::new(
            "/parent_id",
            "misplaced",
            format!("a {} stands in a {needed}", kind.name),
        )),
        Some(_) => None,
        None => check_holder(kind.name, parent_kind),
    }
}

fn check_holder(kind: &str, parent_kind: Option<&str>) -> Option<Problem> {
    let holder = find(parent_kind?)?;
    let needed = holder.holds.filter(|needed| *needed != kind)?;
    Some(Problem::new(
        "/parent_id",
        "misplaced",
        format!("a {} holds nothing but {needed}", holder.name),
    ))
}

fn check_prop(kind: &Kind, name: &str, value: &Value) -> Option<Problem> {
    match kind.props.iter().find(|prop| prop.name == name) {
        _ if value.is_null() => None,
        Some(prop) => prop
            .rule
            .check(value)
            .err()
            .map(|wrong| Problem::new(at(name), wrong.code, wrong.detail)),
        None if kind.is_open || is_name(name) => None,
        None => Some(Problem::new(
            at(name),
            "invalid_name",
            "a prop is named in snake_case, 64 characters at most",
        )),
    }
}

fn check_need(group: &[&str], props: &Map<String, Value>) -> Option<Problem> {
    let present = |name: &&str| props.get(*name).is_some_and(|value| !value.is_null());
    let missing = !group.iter().any(present);
    missing.then(|| {
        Problem::new(
            at(group.first().copied().unwrap_or_default()),
            "required",
            format!("needs {}", group.join(" or ")),
        )
    })
}

/// Where a prop stands, as a JSON pointer (RFC 6901), cut so that a hostile name does not fill the answer.
fn at(name: &str) -> String {
    let name: String = name.chars().take(MAX_NAME_LEN).collect();
    format!("/props/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn measure(props: &Map<String, Value>) -> Result<(), Problem> {
    if nests_deeper(props.values().collect(), MAX_PROPS_DEPTH) {
        return Err(Problem::new(
            "/props",
            "too_deep",
            format!("props nest at most {MAX_PROPS_DEPTH} deep"),
        ));
    }
    // Safe to recurse now: the depth is known.
    let bytes = serde_json::to_vec(props).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_PROPS_BYTES {
        return Err(Problem::new(
            "/props",
            "too_large",
            format!("props take at most {MAX_PROPS_BYTES} bytes as JSON"),
        ));
    }
    Ok(())
}

fn nests_deeper(mut level: Vec<&Value>, limit: usize) -> bool {
    for _ in 0..limit {
        level = level.into_iter().flat_map(inside).collect();
        if level.is_empty() {
            return false;
        }
    }
    true
}

fn inside(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
