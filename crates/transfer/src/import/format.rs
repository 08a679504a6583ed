//! What was sent: found out by looking at it, unless whoever sent it says so.

use super::{archive::name, csv};
use serde::{Deserialize, Serialize};

/// What a file is taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Whatever it looks like.
    #[default]
    Auto,
    /// One page in Markdown.
    Markdown,
    /// One page in HTML.
    Html,
    /// One table.
    Csv,
    /// An archive of pages in folders.
    Zip,
    /// An archive as Notion makes it.
    Notion,
    /// An archive of our own.
    Bundle,
}

impl Format {
    /// Every format, with the name it has for clients.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Auto, "auto"),
        (Self::Markdown, "markdown"),
        (Self::Html, "html"),
        (Self::Csv, "csv"),
        (Self::Zip, "zip"),
        (Self::Notion, "notion"),
        (Self::Bundle, "bundle"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(format, _)| *format == self)
            .map_or("auto", |(_, name)| name)
    }

    /// The format of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, of)| *of == name).map(|(format, _)| *format)
    }

    /// Whether it is one of those that are archives.
    pub fn is_archive(self) -> bool {
        matches!(self, Self::Zip | Self::Notion | Self::Bundle)
    }
}

/// What begins an archive: with files in it, empty, or in parts.
pub fn is_zip(head: &[u8]) -> bool {
    [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"]
        .iter()
        .any(|magic| head.starts_with(*magic))
}

/// What a single file is, by its name, else by its text.
pub fn of_file(file_name: &str, text: &str) -> Format {
    match of_name(file_name) {
        Some(format) => format,
        None if is_html(text) => Format::Html,
        None if csv::is_table(text) => Format::Csv,
        None => Format::Markdown,
    }
}

/// What the ending of a name says.
pub fn of_name(file_name: &str) -> Option<Format> {
    match name::split(file_name).1.as_str() {
        "md" | "markdown" | "mdown" | "mkd" | "txt" => Some(Format::Markdown),
        "html" | "htm" | "xhtml" => Some(Format::Html),
        "csv" | "tsv" => Some(Format::Csv),
        _ => None,
    }
}

fn is_html(text: &str) -> bool {
    let head: String = text.trim_start().chars().take(64).collect::<String>().to_ascii_lowercase();
    [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<?xml",
        "<meta",
        "<div",
        "<h1",
        "<p>",
        "<p ",
        "<table",
        "<article",
    ]
    .iter()
    .any(|begin| head.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_it_looks_like() {
        assert_eq!(of_file("a.MD", "<html>"), Format::Markdown);
        assert_eq!(of_file("upload", "\n <!DOCTYPE html><p>a"), Format::Html);
        assert_eq!(of_file("upload", "a,b\n1,2\n"), Format::Csv);
        assert_eq!(of_file("upload", "# Plan\n\nText"), Format::Markdown);
        assert!(is_zip(b"PK\x03\x04..") && !is_zip(b"PKunzip"));
        assert!(
            Format::ALL
                .iter()
                .all(|(format, name)| Format::named(name) == Some(*format) && format.name() == *name)
        );
    }
}
