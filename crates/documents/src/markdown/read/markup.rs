//! HTML that stands between blocks: remarks of ours, toggles, and what can be taken for paragraphs and pictures.

use super::{
    Unreadable,
    html::{Tag, Token, tokens},
    inline::{Inline, Part, Place},
    note::Loss,
    rich::{Rich, lengths},
    walk::Walk,
};
use crate::{
    kinds,
    markdown::block::{BLOCK, CONTENTS, UNTITLED},
    view::Block,
};
use comrak::nodes::Node;
use std::mem;

impl<'a> Walk<'a, '_> {
    pub(super) fn html_block(&mut self, node: Node<'a>, literal: &str) {
        let tokens = tokens(literal);
        if !tokens.iter().all(is_understood) {
            self.notes.lost(Loss::Html);
            for text in lengths(literal.trim_end_matches('\n')) {
                self.push(Block::of("code").with_text(text).with_prop("language", "html"));
            }
            return;
        }
        let mut id = self.origin(node);
        // The tokens of one text, which is read when it is over.
        let mut text: Vec<&Token<'_>> = Vec::new();
        for token in &tokens {
            match token {
                Token::Comment(words) => {
                    self.html_text(mem::take(&mut text));
                    self.remark(words, mem::take(&mut id));
                }
                Token::Tag(tag) if is_block(tag) => {
                    let ended = mem::take(&mut text);
                    if tag.name == "summary" && tag.is_closing {
                        self.summary(ended);
                    } else {
                        self.html_text(ended);
                        self.block_tag(tag, &mut id);
                    }
                }
                Token::Text(_) | Token::Tag(_) | Token::Other => text.push(token),
            }
        }
        self.html_text(text);
    }

    fn block_tag(&mut self, tag: &Tag<'_>, id: &mut String) {
        match (tag.name.as_str(), tag.is_closing) {
            ("details", false) => {
                let mut toggle = Block::of("toggle").with_id(mem::take(id));
                if tag.attribute("open").is_some() {
                    toggle = toggle.with_prop("open", true);
                }
                self.open_until_closed(toggle);
            }
            ("details", true) => self.close_opened("toggle"),
            ("hr", _) => self.push(Block::of("divider")),
            ("summary", _) => {}
            _ => self.notes.lost(Loss::Tag),
        }
    }

    fn inline(&mut self, place: Place, tokens: &[&Token<'_>]) -> Vec<Part> {
        let mut inline = Inline::new(place, self.links, &mut self.notes);
        tokens.iter().for_each(|token| inline.html(token));
        inline.finish()
    }

    /// Text between tags is a paragraph, if it says anything. Blanks at its beginning are none of it.
    fn html_text(&mut self, tokens: Vec<&Token<'_>>) {
        let is_blank = |token: &&Token<'_>| matches!(token, Token::Text(text) if text.trim().is_empty());
        let begin = tokens.iter().position(|token| !is_blank(token)).unwrap_or(tokens.len());
        let first = match tokens.get(begin) {
            Some(Token::Text(text)) => Some(Token::Text(text.trim_start().into())),
            _ => None,
        };
        let rest = &tokens[(begin + usize::from(first.is_some())).min(tokens.len())..];
        let tokens: Vec<&Token<'_>> = first.iter().chain(rest.iter().copied()).collect();
        let parts = self.inline(Place::Block, &tokens);
        self.put(parts, String::new());
    }

    fn summary(&mut self, tokens: Vec<&Token<'_>>) {
        let mut parts = self.inline(Place::Cell, &tokens).into_iter();
        let rich = match parts.next() {
            Some(Part::Text(rich)) => rich,
            Some(Part::Image(_)) | None => Rich::default(),
        };
        match self.opened().filter(|open| open.kind == "toggle" && open.text.is_empty()) {
            Some(toggle) => (toggle.text, toggle.marks) = (rich.text, rich.marks),
            None if rich.text.is_empty() => {}
            None => self.put(vec![Part::Text(rich)], String::new()),
        }
        self.put(parts.collect(), String::new());
    }

    /// A remark that stands for what Markdown has no word for.
    fn remark(&mut self, words: &str, id: String) {
        let block = |kind: &str| Block::of(kind).with_id(id);
        match words {
            "" | "end list" => {}
            UNTITLED => self.untitled(),
            CONTENTS => self.push(block("table_of_contents")),
            "column_list" | "synced_block" => self.open_until_closed(block(words)),
            "/column_list" | "/synced_block" => self.close_opened(&words[1..]),
            "column" => self.column(block(words)),
            words if words.starts_with("cut:") => self.failed = Some(Unreadable::Cut),
            words => match words.strip_prefix(BLOCK).filter(|kind| kinds::is_name(kind)) {
                Some(kind) if kinds::find(kind).is_none_or(|kind| kind.is_open) => self.push(block(kind)),
                _ => self.notes.lost(Loss::Comment),
            },
        }
    }

    /// A column ends the one before it. Outside a list of columns there is none.
    fn column(&mut self, column: Block) {
        if self.opened().is_some_and(|open| open.kind == "column") {
            self.close();
        }
        if self.opened().is_some_and(|open| open.kind == "column_list") {
            // Closed by the next one, or with the list: one that is not open needs no closing.
            self.open(column);
        } else {
            self.notes.lost(Loss::Comment);
        }
    }
}

fn is_block(tag: &Tag<'_>) -> bool {
    matches!(
        tag.name.as_str(),
        "details" | "summary" | "p" | "div" | "center" | "hr" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "picture" | "source"
    )
}

fn is_understood(token: &Token<'_>) -> bool {
    const INLINE: &[&str] = &[
        "b", "strong", "i", "em", "u", "ins", "s", "del", "strike", "code", "kbd", "samp", "mark", "span", "time", "a", "br", "img", "sub",
        "sup", "small", "font", "abbr",
    ];
    match token {
        Token::Text(_) | Token::Comment(_) => true,
        Token::Tag(tag) => is_block(tag) || INLINE.contains(&tag.name.as_str()),
        Token::Other => false,
    }
}
