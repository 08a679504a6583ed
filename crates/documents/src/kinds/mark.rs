//! The formats of text: their names and values.
//!
//! In Automerge a mark's value is a scalar, so a mention is JSON inside a string. `null` clears any mark.

use super::{Problem, link::is_link, rule::is_uuid};
use serde::Serialize;
use serde_json::Value;

/// What the value of a mark may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkRule {
    /// `true`, or `false` to clear.
    Flag,
    /// A colour: one of [`COLORS`] or `#rrggbb`.
    Color,
    /// A colour, or `true` for the client's own.
    ColorOrFlag,
    /// A URL: http, https, mailto, or a path of this site.
    Link,
    /// `{"kind": "user"|"page"|"date", "id": …}` as JSON in a string.
    Mention,
}

/// A format: its name and what its value may be.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MarkKind {
    /// Its name.
    pub name: &'static str,
    /// What its value may be.
    pub value: MarkRule,
}

/// Whom or what a mention means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mention {
    /// A person, by id.
    User(String),
    /// A page, by id.
    Page(String),
    /// A day or a moment, in ISO 8601.
    Date(String),
}

/// Every format we know.
pub const MARKS: &[MarkKind] = &[
    MarkKind {
        name: "bold",
        value: MarkRule::Flag,
    },
    MarkKind {
        name: "italic",
        value: MarkRule::Flag,
    },
    MarkKind {
        name: "underline",
        value: MarkRule::Flag,
    },
    MarkKind {
        name: "strike",
        value: MarkRule::Flag,
    },
    MarkKind {
        name: "code",
        value: MarkRule::Flag,
    },
    MarkKind {
        name: "highlight",
        value: MarkRule::ColorOrFlag,
    },
    MarkKind {
        name: "color",
        value: MarkRule::Color,
    },
    MarkKind {
        name: "link",
        value: MarkRule::Link,
    },
    MarkKind {
        name: "mention",
        value: MarkRule::Mention,
    },
];

/// The colours that have a name; clients choose the shade.
pub const COLORS: &[&str] = &[
    "default", "black", "white", "gray", "brown", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink",
];

/// The longest value of a mark, in bytes.
const MAX_VALUE_LEN: usize = 2048;
/// The longest name of a mark of somebody else's.
const MAX_NAME_LEN: usize = 64;

/// Says what is wrong with a mark: its name or its value. A name of somebody else's (`x_…`, `__ext__…`) may have any scalar.
pub fn check_mark(name: &str, value: &Value) -> Result<(), Problem> {
    let wrong = match MARKS.iter().find(|mark| mark.name == name) {
        None if !is_foreign(name) => return Err(Problem::new("/name", "unknown_mark", "not a mark; one of your own begins with x_")),
        _ if value.is_null() => None,
        Some(mark) => check_value(mark.value, value).err(),
        None => (!is_scalar(value)).then_some("is a scalar, 2048 bytes at most"),
    };
    match wrong {
        None => Ok(()),
        Some(detail) => Err(Problem::new("/value", "invalid_value", format!("{name} {detail}"))),
    }
}

/// Whether it is one of [`COLORS`] or `#rrggbb`.
pub fn is_color(color: &str) -> bool {
    let hex = |digits: &str| digits.len() == 6 && digits.bytes().all(|c| c.is_ascii_hexdigit());
    COLORS.contains(&color) || color.strip_prefix('#').is_some_and(hex)
}

fn check_value(rule: MarkRule, value: &Value) -> Result<(), &'static str> {
    let text = value.as_str();
    let (fits, detail) = match rule {
        MarkRule::Flag => (value.is_boolean(), "is true or false"),
        MarkRule::Color => (text.is_some_and(is_color), "is the name of a colour or #rrggbb"),
        MarkRule::ColorOrFlag => (
            value.is_boolean() || text.is_some_and(is_color),
            "is true, the name of a colour or #rrggbb",
        ),
        MarkRule::Link => (text.is_some_and(is_link), "is an http, https or mailto URL or a path of this site"),
        MarkRule::Mention => (
            text.and_then(read_mention).is_some(),
            "is JSON in a string: {\"kind\": \"user\", \"page\" or \"date\", \"id\": …}",
        ),
    };
    if fits { Ok(()) } else { Err(detail) }
}

/// Reads the value of a mention, if it is one.
pub fn read_mention(value: &str) -> Option<Mention> {
    if value.len() > MAX_VALUE_LEN {
        return None;
    }
    let mention: Value = serde_json::from_str(value).ok()?;
    let id = mention.get("id")?.as_str()?.to_owned();
    match mention.get("kind")?.as_str()? {
        "user" => is_uuid(&id).then_some(Mention::User(id)),
        "page" => is_uuid(&id).then_some(Mention::Page(id)),
        "date" => is_date(&id).then_some(Mention::Date(id)),
        _ => None,
    }
}

/// `2026-10-01`, optionally with a time and a zone after it.
fn is_date(date: &str) -> bool {
    let (day, time) = date.split_at_checked(10).unwrap_or((date, ""));
    let shape = |(c, like): (u8, u8)| if like == b'-' { c == b'-' } else { c.is_ascii_digit() };
    day.len() == 10
        && day.bytes().zip(*b"0000-00-00").all(shape)
        && date.len() <= 40
        && (time.is_empty() || time.starts_with('T') && time.bytes().skip(1).all(|c| c.is_ascii_digit() || b":.+-Z".contains(&c)))
}

fn is_foreign(name: &str) -> bool {
    let short = name.len() <= MAX_NAME_LEN && name.bytes().all(|c| c.is_ascii_graphic());
    short && (name.len() > "x_".len() && name.starts_with("x_") || name.len() > "__ext__".len() && name.starts_with("__ext__"))
}

fn is_scalar(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= MAX_VALUE_LEN,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::Array(_) | Value::Object(_) => false,
    }
}
