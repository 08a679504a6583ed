//! What stands in a paragraph, a heading or a cell: text with formats, and the pictures in it.

use super::{
    html::{Tag, Token, tokens},
    media,
    note::{Loss, Notes},
    rich::{Draft, Rich},
};
use crate::{
    kinds::{Mention, is_color, is_link, read_mention},
    markdown::{rich::MENTION, span::Format},
    view::Block,
};
use comrak::{
    arena_tree::NodeEdge,
    nodes::{Node, NodeLink, NodeMath, NodeValue},
};
use serde_json::json;
use std::{collections::BTreeMap, mem};

/// The most formats that are open at a place; more are dropped.
const MAX_OPEN: usize = 64;

/// Where the text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a block of its own: pictures part it.
    Block,
    /// On one line, where a picture is a link to it.
    Line,
    /// In a cell or a summary, which may have lines.
    Cell,
}

/// A part of a paragraph.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(Rich),
    Image(Block),
}

/// What links become: `None` keeps them.
pub(super) type Links<'l> = &'l dyn Fn(&str) -> Option<String>;

/// A text that is being read.
pub(super) struct Inline<'w, 'l> {
    place: Place,
    links: Links<'l>,
    notes: &'w mut Notes,
    draft: Draft,
    /// The formats that nodes around this place say, with where they begin; none for what is no format.
    open: Vec<(Option<Format>, usize)>,
    /// The same of tags, by their name.
    tags: BTreeMap<String, Vec<(Option<Format>, usize)>>,
    parts: Vec<Part>,
    /// How many images are around this place, and their words.
    images: usize,
    alt: String,
}

impl<'w, 'l> Inline<'w, 'l> {
    pub(super) fn new(place: Place, links: Links<'l>, notes: &'w mut Notes) -> Self {
        Self {
            place,
            links,
            notes,
            draft: Draft::default(),
            open: Vec::new(),
            tags: BTreeMap::new(),
            parts: Vec::new(),
            images: 0,
            alt: String::new(),
        }
    }

    /// Reads everything in a node.
    pub(super) fn read(mut self, node: Node<'_>) -> Vec<Part> {
        for edge in node.traverse() {
            match edge {
                NodeEdge::Start(at) if !at.same_node(node) => self.enter(&at.data().value),
                NodeEdge::End(at) if !at.same_node(node) => self.leave(&at.data().value),
                NodeEdge::Start(_) | NodeEdge::End(_) => {}
            }
        }
        self.finish()
    }

    /// Ends the text.
    pub(super) fn finish(mut self) -> Vec<Part> {
        self.flush();
        self.parts
    }

    fn enter(&mut self, value: &NodeValue) {
        match value {
            NodeValue::Text(text) => self.text(text),
            NodeValue::Raw(text) => self.text(text),
            NodeValue::SoftBreak => self.text(" "),
            NodeValue::LineBreak => self.line_break(),
            NodeValue::Code(code) => self.code(&code.literal),
            NodeValue::Math(math) => self.math(math),
            NodeValue::HtmlInline(html) => tokens(html).iter().for_each(|token| self.html(token)),
            NodeValue::Image(_) => self.images += 1,
            NodeValue::Emph => self.open(Some(Format::Italic)),
            NodeValue::Strong => self.open(Some(Format::Bold)),
            NodeValue::Strikethrough => self.open(Some(Format::Strike)),
            NodeValue::Link(link) => {
                let format = self.link(link);
                self.open(format);
            }
            _ => self.open(None),
        }
    }

    fn leave(&mut self, value: &NodeValue) {
        match value {
            NodeValue::Text(_) | NodeValue::Raw(_) | NodeValue::SoftBreak | NodeValue::LineBreak => {}
            NodeValue::Code(_) | NodeValue::Math(_) | NodeValue::HtmlInline(_) => {}
            NodeValue::Image(link) => self.image(link),
            _ => {
                if let Some((Some(format), start)) = self.open.pop() {
                    self.draft.close(format, start);
                }
            }
        }
    }

    fn open(&mut self, format: Option<Format>) {
        let format = format.filter(|_| self.open.len() < MAX_OPEN);
        self.open.push((format, self.draft.text.len()));
    }

    /// Takes in text without line breaks.
    pub(super) fn text(&mut self, text: &str) {
        let out = if self.images > 0 { &mut self.alt } else { &mut self.draft.text };
        match self.place {
            Place::Line => out.extend(text.chars().map(|c| if c == '\n' { ' ' } else { c })),
            Place::Block | Place::Cell => out.push_str(text),
        }
    }

    fn line_break(&mut self) {
        self.text(if self.images > 0 { " " } else { "\n" });
    }

    fn code(&mut self, code: &str) {
        let start = self.draft.text.len();
        self.text(code);
        if self.images == 0 {
            self.draft.close(Format::Code, start);
        }
    }

    /// There are no formulas inside a text.
    fn math(&mut self, math: &NodeMath) {
        let dollars = if math.display_math { "$$" } else { "$" };
        self.text(dollars);
        self.text(&math.literal);
        self.text(dollars);
    }

    fn link(&mut self, link: &NodeLink) -> Option<Format> {
        if link.title == MENTION
            && let Some(mention) = mention(&link.url)
        {
            return Some(Format::Mention(mention));
        }
        if !link.title.is_empty() {
            self.notes.lost(Loss::Detail);
        }
        self.leads(&link.url).map(Format::Link)
    }

    /// Where a link leads, if we keep it.
    fn leads(&mut self, url: &str) -> Option<String> {
        let url = (self.links)(url).unwrap_or_else(|| url.to_owned());
        let kept = Some(url).filter(|url| is_link(url));
        if kept.is_none() {
            self.notes.lost(Loss::Link);
        }
        kept
    }

    fn image(&mut self, link: &NodeLink) {
        self.images -= 1;
        if self.images == 0 {
            let alt = mem::take(&mut self.alt);
            self.picture(&link.url, alt.trim(), link.title.trim());
        }
    }

    /// A picture: a block of its own, or where there can be none, a link.
    fn picture(&mut self, url: &str, alt: &str, caption: &str) {
        let Some(url) = self.leads(url) else {
            return self.text(alt);
        };
        if self.place == Place::Block {
            self.flush();
            self.parts.push(Part::Image(media::image(url, alt, caption)));
            return;
        }
        let start = self.draft.text.len();
        self.text(if alt.is_empty() { &url } else { alt });
        self.draft.close(Format::Link(url), start);
    }

    /// Takes in HTML that stands in a text.
    pub(super) fn html(&mut self, token: &Token<'_>) {
        match token {
            Token::Text(text) => self.text(&text.replace(['\n', '\r'], " ")),
            Token::Tag(tag) => self.tag(tag),
            Token::Comment("") => {}
            Token::Comment(_) | Token::Other => self.notes.lost(Loss::Comment),
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        match tag.name.as_str() {
            "br" => return self.line_break(),
            "img" => {
                let attribute = |name| tag.attribute(name).unwrap_or_default();
                return self.picture(&attribute("src"), attribute("alt").trim(), attribute("title").trim());
            }
            _ => {}
        }
        if tag.is_closing {
            let opened = self.tags.get_mut(&tag.name).and_then(Vec::pop);
            if let Some((Some(format), start)) = opened {
                self.draft.close(format, start);
            }
            return;
        }
        let format = self.format_of(tag);
        let start = self.draft.text.len();
        let same = self.tags.entry(tag.name.clone()).or_default();
        if same.len() < MAX_OPEN {
            same.push((format, start));
        }
    }

    fn format_of(&mut self, tag: &Tag<'_>) -> Option<Format> {
        let color = |property| tag.style(property).filter(|color| is_color(color));
        let format = match tag.name.as_str() {
            "b" | "strong" => Some(Format::Bold),
            "i" | "em" => Some(Format::Italic),
            "u" | "ins" => Some(Format::Underline),
            "s" | "del" | "strike" => Some(Format::Strike),
            "code" | "kbd" | "samp" => Some(Format::Code),
            "mark" => Some(Format::Highlight(color("background-color"))),
            "span" => color("color").map(Format::Color),
            "time" => tag.attribute("datetime").and_then(date),
            "a" => {
                let url = tag.attribute("href").unwrap_or_default();
                let title = tag.attribute("title").unwrap_or_default();
                return self.link(&NodeLink { url, title });
            }
            _ => None,
        };
        if format.is_none() {
            self.notes.lost(Loss::Tag);
        }
        format
    }

    /// Ends the text so far. Formats that are open go on in what follows.
    fn flush(&mut self) {
        let end = self.draft.text.len();
        for (format, start) in self.open.iter_mut().chain(self.tags.values_mut().flatten()) {
            if let Some(format) = format.clone().filter(|_| *start < end) {
                self.draft.close(format, *start);
            }
            *start = 0;
        }
        self.parts.extend(self.draft.finish().into_iter().map(Part::Text));
    }
}

/// Whom a link with that title means.
fn mention(url: &str) -> Option<Mention> {
    let value = match url.strip_prefix("/users/") {
        Some(id) => json!({"kind": "user", "id": id}),
        None => json!({"kind": "page", "id": url.strip_prefix("/documents/")?}),
    };
    read_mention(&value.to_string())
}

fn date(date: String) -> Option<Format> {
    read_mention(&json!({"kind": "date", "id": date}).to_string()).map(Format::Mention)
}
