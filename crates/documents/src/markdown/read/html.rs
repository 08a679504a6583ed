//! HTML as far as it is understood: tags, comments, text. No tree is built, and nothing of it is ever shown as HTML.

use std::borrow::Cow;

/// A piece of HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'h> {
    /// Text with its entities read.
    Text(Cow<'h, str>),
    Tag(Tag<'h>),
    /// What stands in a comment, without blanks around it.
    Comment(&'h str),
    /// A declaration, a processing instruction, or a tag without end.
    Other,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag<'h> {
    /// In lower case.
    pub(super) name: String,
    pub(super) is_closing: bool,
    attributes: &'h str,
}

/// The pieces of some HTML.
pub(super) fn tokens(html: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let (token, after) = match rest.find('<') {
            Some(0) => markup(rest),
            Some(at) => (Token::Text(unescaped(&rest[..at])), &rest[at..]),
            None => (Token::Text(unescaped(rest)), ""),
        };
        tokens.push(token);
        rest = after;
    }
    tokens
}

fn markup(html: &str) -> (Token<'_>, &str) {
    if let Some(comment) = html.strip_prefix("<!--") {
        return match comment.split_once("-->") {
            Some((words, after)) => (Token::Comment(words.trim()), after),
            None => (Token::Other, ""),
        };
    }
    let inside = &html[1..];
    let is_closing = inside.starts_with('/');
    let inside = inside.strip_prefix('/').unwrap_or(inside);
    if !inside.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let end = html.find('>').map_or(html.len(), |at| at + 1);
        return (Token::Other, &html[end..]);
    }
    let Some(end) = end_of_tag(inside) else { return (Token::Other, "") };
    let (tag, after) = inside.split_at(end);
    let name = tag.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(tag.len());
    let tag = Tag {
        name: tag[..name].to_ascii_lowercase(),
        is_closing,
        attributes: tag[name..].trim_end_matches('/'),
    };
    (Token::Tag(tag), &after[1..])
}

/// Where the `>` of a tag stands, which is not in quotes.
fn end_of_tag(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

impl Tag<'_> {
    /// The value of an attribute; empty for one without a value.
    pub(super) fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes.trim_start();
        while !rest.is_empty() {
            let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let (value, after) = value(after.trim_start());
            if name.eq_ignore_ascii_case(wanted) {
                return Some(unescaped(value).into_owned());
            }
            // What is no attribute is stepped over.
            rest = if after.len() < rest.len() {
                after
            } else {
                &rest[rest.chars().next().map_or(0, char::len_utf8)..]
            };
            rest = rest.trim_start();
        }
        None
    }

    /// A property of its `style`.
    pub(super) fn style(&self, wanted: &str) -> Option<String> {
        let style = self.attribute("style")?;
        let mut properties = style.split(';').filter_map(|property| property.split_once(':'));
        let (_, value) = properties.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
        Some(value.trim().to_owned())
    }
}

/// The value behind an attribute's name, and what follows it.
fn value(text: &str) -> (&str, &str) {
    let Some(text) = text.strip_prefix('=') else { return ("", text) };
    let text = text.trim_start();
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at(end)
}

/// Text with its entities read: those that everybody writes by name, and numbers.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.as_bytes().iter().take(12).position(|byte| *byte == b';');
        let read = end.and_then(|end| Some((entity(&rest[..end])?, end)));
        match read {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn entity(name: &str) -> Option<char> {
    let number = |digits: &str, radix| {
        u32::from_str_radix(digits, radix)
            .ok()
            .and_then(char::from_u32)
            .filter(|c| *c != '\0')
    };
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => match name.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => number(&hex[1..], 16),
            digits => number(digits, 10),
        },
    }
}
