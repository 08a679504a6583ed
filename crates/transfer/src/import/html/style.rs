//! How elements format text: by their tag, by their style, and by classes that a style sheet in the document explains
//! (Google Docs says everything that way).

use documents::kinds::{COLORS, is_color};
use scraper::{ElementRef, Html};
use serde_json::Value;
use std::collections::HashMap;

/// Rules of style sheets that are read.
const MAX_RULES: usize = 5_000;

/// A format that an element gives to the text in it.
pub(super) type Format = (&'static str, Value);

/// The classes of the document that say something of text.
#[derive(Default)]
pub(super) struct Sheet(HashMap<String, String>);

impl Sheet {
    /// Reads the rules of single classes: `.c1{font-weight:700}`.
    pub fn of(html: &Html) -> Self {
        let mut rules = HashMap::new();
        let styles = html
            .root_element()
            .descendent_elements()
            .filter(|element| element.value().name() == "style");
        for style in styles {
            let css: String = style.text().collect();
            for rule in css.split('}').take(MAX_RULES) {
                let Some((selector, declarations)) = rule.rsplit_once('{') else {
                    continue;
                };
                let class = selector.trim().strip_prefix('.').filter(|class| is_plain(class));
                if let Some(class) = class.filter(|_| rules.len() < MAX_RULES) {
                    rules.insert(class.to_owned(), declarations.to_ascii_lowercase());
                }
            }
        }
        Self(rules)
    }

    /// What an element's style and classes say.
    pub fn formats(&self, element: ElementRef<'_>) -> Vec<Format> {
        let own = element.attr("style").map(str::to_ascii_lowercase);
        let classes = element.value().classes().filter_map(|class| self.0.get(class)).map(String::as_str);
        let mut formats: Vec<Format> = classes.chain(own.as_deref()).flat_map(declared).collect();
        formats.dedup();
        formats
    }
}

fn is_plain(class: &str) -> bool {
    !class.is_empty() && class.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
}

fn declared(style: &str) -> Vec<Format> {
    let mut formats = Vec::new();
    for declaration in style.split(';') {
        let Some((name, value)) = declaration.split_once(':') else {
            continue;
        };
        let value = value.trim().trim_end_matches("!important").trim();
        match name.trim() {
            "font-weight" if value == "bold" || value == "bolder" || value.parse().is_ok_and(|weight: u32| weight >= 600) => {
                formats.push(("bold", Value::Bool(true)));
            }
            "font-style" if value == "italic" || value == "oblique" => formats.push(("italic", Value::Bool(true))),
            "text-decoration" | "text-decoration-line" if value.contains("underline") => formats.push(("underline", Value::Bool(true))),
            "text-decoration" | "text-decoration-line" if value.contains("line-through") => formats.push(("strike", Value::Bool(true))),
            "color" => formats.extend(colour(value).filter(|c| !is_ink(c)).map(|c| ("color", c.into()))),
            "background-color" | "background" => formats.extend(colour(value).filter(|c| !is_paper(c)).map(|c| ("highlight", c.into()))),
            _ => {}
        }
    }
    formats
}

/// Text that is of the colour text has anyway.
fn is_ink(colour: &str) -> bool {
    matches!(colour, "#000000" | "black" | "default")
}

fn is_paper(colour: &str) -> bool {
    matches!(colour, "#ffffff" | "white" | "default")
}

/// A colour as blocks name it: `#rrggbb`, or one of our names.
pub(super) fn colour(value: &str) -> Option<String> {
    let value = value.trim().to_ascii_lowercase();
    if is_color(&value) {
        return Some(value);
    }
    if let Some(short) = value.strip_prefix('#').filter(|short| short.len() == 3 && short.is_ascii()) {
        let long: String = short.chars().flat_map(|c| [c, c]).collect();
        return Some(format!("#{long}")).filter(|long| is_color(long));
    }
    let parts = value.strip_prefix("rgb(")?.strip_suffix(')')?;
    let parts: Vec<u8> = parts.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    match parts[..] {
        [red, green, blue] => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        _ => None,
    }
}

/// A colour of Notion's, as its classes name it: `red`, `red_background`.
pub(super) fn of_notion(class: &str, prefix: &str) -> Option<Format> {
    let name = class.strip_prefix(prefix)?;
    let (name, format) = match name.strip_suffix("_background") {
        Some(name) => (name, "highlight"),
        None => (name, "color"),
    };
    COLORS.contains(&name).then(|| (format, name.into()))
}

/// What a tag says of the text in it.
pub(super) fn of_tag(tag: &str) -> Option<&'static str> {
    Some(match tag {
        "b" | "strong" => "bold",
        "i" | "em" | "cite" | "var" | "dfn" => "italic",
        "u" | "ins" => "underline",
        "s" | "del" | "strike" => "strike",
        "code" | "kbd" | "samp" | "tt" => "code",
        "mark" => "highlight",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_say_formats_and_colours() {
        let formats = declared("font-weight: 700; color: rgb(255, 0, 10); background-color:#FFF; text-decoration: underline");
        let names: Vec<_> = formats.iter().map(|(name, value)| (*name, value.clone())).collect();
        assert_eq!(
            names,
            [("bold", true.into()), ("color", "#ff000a".into()), ("underline", true.into())]
        );
        assert_eq!(colour("#1aF").as_deref(), Some("#11aaff"));
        assert_eq!(colour("url(javascript:x)"), None);
        assert_eq!(
            of_notion("highlight-red_background", "highlight-"),
            Some(("highlight", "red".into()))
        );
        assert_eq!(of_notion("highlight-evil", "highlight-"), None);
    }
}
