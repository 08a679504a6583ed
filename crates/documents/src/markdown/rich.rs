//! Rich text into comrak's tree, and into HTML where Markdown is not read.

use super::{
    Page, emphasis,
    escape::{Spot, escape},
    inline::{Piece, plain},
    span::Format,
};
use crate::kinds::Mention;
use comrak::nodes::{Node, NodeCode, NodeLink, NodeValue};
use std::{borrow::Cow, fmt::Write, mem};

/// The title of a link that is a mention.
pub(super) const MENTION: &str = "mention";

/// What the text stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Paragraph,
    Heading,
    Cell,
    /// The words of a link or an image.
    Label,
}

/// A piece with what is written for it.
#[derive(Debug)]
pub(super) struct Part<'t> {
    pub(super) piece: Piece<'t>,
    /// Its text, escaped, where it is written as text.
    pub(super) source: String,
    /// Written as tags, though there is a delimiter for it.
    pub(super) is_tag: bool,
}

impl<'a> Page<'a> {
    /// Writes text into a node. What needs no node of its own is gathered: a node a line would cost far more than its text.
    pub(super) fn rich(self, into: Node<'a>, pieces: &[Piece<'_>], place: Place) {
        let mut parts = parts(pieces, place);
        emphasis::decide(&mut parts);
        let (mut open, mut inside) = (Vec::new(), into);
        let mut raw = String::new();
        for (index, part) in parts.iter().enumerate() {
            let is_link = is_bare_link(&parts, index);
            if let Some(text) = part.raw(place).filter(|_| !is_link) {
                raw.push_str(&text);
                continue;
            }
            self.raw(inside, &mut raw);
            match &part.piece {
                Piece::Open(format) => {
                    open.push(inside);
                    inside = span(format, part.is_tag).map_or(inside, |span| self.append(inside, span));
                }
                Piece::Close(_) => inside = open.pop().unwrap_or(into),
                Piece::Text(text) => self.text(inside, text),
                Piece::Code(code) => self.code_span(inside, code),
                Piece::Break => {}
            }
        }
        self.raw(inside, &mut raw);
    }

    /// The words of a link or an image.
    pub(super) fn label(self, link: Node<'a>, label: &str) {
        self.rich(link, &plain(label), Place::Label);
    }

    fn text(self, into: Node<'a>, text: &str) {
        self.append(into, NodeValue::Text(text.to_owned().into()));
    }

    fn raw(self, into: Node<'a>, raw: &mut String) {
        if !raw.is_empty() {
            self.append(into, NodeValue::Raw(mem::take(raw)));
        }
    }

    fn code_span(self, into: Node<'a>, code: &str) {
        let literal = code.replace(|c: char| c < ' ', " ");
        self.append(into, NodeValue::Code(NodeCode { num_backticks: 1, literal }));
    }
}

impl Part<'_> {
    /// What is written for it, if it needs no node of its own.
    fn raw(&self, place: Place) -> Option<Cow<'_, str>> {
        match &self.piece {
            Piece::Open(format) if span(format, self.is_tag).is_none() => Some(opening_tag(format).into()),
            Piece::Close(format) if span(format, self.is_tag).is_none() => Some(closing_tag(format).into()),
            Piece::Text(_) => Some(self.source.as_str().into()),
            Piece::Code(_) if self.is_tag => Some(format!("<code>{}</code>", self.source).into()),
            Piece::Break => Some(line_break(place).into()),
            Piece::Open(_) | Piece::Close(_) | Piece::Code(_) => None,
        }
    }
}

fn line_break(place: Place) -> &'static str {
    match place {
        Place::Paragraph => "\\\n",
        Place::Cell => "<br>",
        Place::Heading | Place::Label => " ",
    }
}

/// What holds the text of a format in comrak's tree, if anything does.
fn span(format: &Format, is_tag: bool) -> Option<NodeValue> {
    match format {
        Format::Link(url) => Some(NodeValue::Link(link_node(url, ""))),
        Format::Mention(_) => format.url().map(|url| NodeValue::Link(link_node(&url, MENTION))),
        Format::Bold if !is_tag => Some(NodeValue::Strong),
        Format::Italic if !is_tag => Some(NodeValue::Emph),
        Format::Strike if !is_tag => Some(NodeValue::Strikethrough),
        _ => None,
    }
}

fn parts<'t>(pieces: &[Piece<'t>], place: Place) -> Vec<Part<'t>> {
    let mut spot = Spot {
        place,
        starts_line: true,
        in_link: place == Place::Label,
    };
    let mut parts: Vec<Part<'t>> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let (mut source, mut is_tag) = (String::new(), false);
        match piece {
            Piece::Text(text) => {
                source = escape(text, spot);
                spot.starts_line = false;
            }
            Piece::Code(code) => {
                // At the start of a paragraph this would define what a link leads to, and be gone.
                is_tag = spot.in_link && code.contains("]:");
                source = if is_tag { escape(code, spot) } else { String::new() };
                spot.starts_line = false;
            }
            Piece::Break => spot.starts_line = true,
            Piece::Open(format) if format.is_whole() => {
                spot.in_link = true;
                if let Some(before) = parts.last_mut().filter(|_| format.url().is_some()) {
                    unmake_image(&mut before.source);
                }
            }
            Piece::Close(format) if format.is_whole() => spot.in_link = place == Place::Label,
            Piece::Open(_) | Piece::Close(_) => {}
        }
        parts.push(Part {
            piece: piece.clone(),
            source,
            is_tag,
        });
    }
    parts
}

/// `!` before a link would make it an image.
fn unmake_image(source: &mut String) {
    if source.ends_with('!') {
        source.insert(source.len() - 1, '\\');
    }
}

/// Whether the text is all of a link and is where it leads.
fn is_bare_link(parts: &[Part<'_>], index: usize) -> bool {
    let around = index.checked_sub(1).and_then(|before| parts.get(before)).zip(parts.get(index + 1));
    let Some((before, after)) = around else { return false };
    match (&before.piece, &parts[index].piece, &after.piece) {
        (Piece::Open(Format::Link(url)), Piece::Text(text), Piece::Close(Format::Link(_))) => url == text && is_autolink(url),
        _ => false,
    }
}

fn is_autolink(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && !url.contains(['<', '>', '&', '|', '\\'])
}

/// A link; its title says what more than a link it is.
pub(super) fn link_node(url: &str, title: &str) -> Box<NodeLink> {
    // A reader decodes `&copy;` in a URL as in any text.
    let url = if url.contains(';') {
        url.replace('&', "&amp;")
    } else {
        url.to_owned()
    };
    Box::new(NodeLink {
        url,
        title: title.to_owned(),
    })
}

fn opening_tag(format: &Format) -> String {
    match format {
        Format::Bold => "<strong>".to_owned(),
        Format::Italic => "<em>".to_owned(),
        Format::Strike => "<del>".to_owned(),
        Format::Underline => "<u>".to_owned(),
        Format::Highlight(None) => "<mark>".to_owned(),
        Format::Highlight(Some(color)) => format!("<mark style=\"background-color: {color}\">"),
        Format::Color(color) => format!("<span style=\"color: {color}\">"),
        Format::Link(url) => format!("<a href=\"{}\">", html_text(url)),
        Format::Mention(Mention::Date(date)) => format!("<time datetime=\"{}\">", html_text(date)),
        Format::Mention(_) => format!("<a href=\"{}\" title=\"{MENTION}\">", html_text(&format.url().unwrap_or_default())),
        Format::Code => "<code>".to_owned(),
    }
}

fn closing_tag(format: &Format) -> &'static str {
    match format {
        Format::Bold => "</strong>",
        Format::Italic => "</em>",
        Format::Strike => "</del>",
        Format::Underline => "</u>",
        Format::Highlight(_) => "</mark>",
        Format::Color(_) => "</span>",
        Format::Mention(Mention::Date(_)) => "</time>",
        Format::Link(_) | Format::Mention(_) => "</a>",
        Format::Code => "</code>",
    }
}

/// Rich text as HTML on one line, for inside a block of HTML.
pub(super) fn to_html(pieces: &[Piece<'_>]) -> String {
    let mut html = String::new();
    for piece in pieces {
        match piece {
            Piece::Open(format) => html.push_str(&opening_tag(format)),
            Piece::Close(format) => html.push_str(closing_tag(format)),
            Piece::Text(text) => html.push_str(&html_text(text)),
            Piece::Code(code) => html.extend(["<code>", &html_text(code), "</code>"]),
            Piece::Break => html.push_str("<br>"),
        }
    }
    html
}

/// Also without line ends: a blank line would end the block of HTML.
fn html_text(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\0' => html.push('\u{fffd}'),
            c if c < ' ' => {
                let _ = write!(html, "&#{};", u32::from(c));
            }
            c => html.push(c),
        }
    }
    html
}
