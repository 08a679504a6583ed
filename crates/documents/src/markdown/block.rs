//! One block as Markdown, by type.

use super::{
    Opened, Page,
    inline::{Piece, plain},
    rich::Place,
};
use crate::{kinds::is_name, view::Block};
use comrak::nodes::{AlertType, Node, NodeAlert, NodeCodeBlock, NodeHeading, NodeMath, NodeValue};
use serde_json::Value;
use std::iter;

/// Remarks that stand for what Markdown has no word for.
pub(super) const UNTITLED: &str = "untitled";
pub(super) const CONTENTS: &str = "table of contents";
/// Before the type of a block of which there is nothing else to say.
pub(super) const BLOCK: &str = "block: ";
pub(super) const COLUMNS: &str = "<!-- column_list -->";
pub(super) const COLUMN: &str = "<!-- column -->";
pub(super) const COLUMNS_END: &str = "<!-- /column_list -->";
pub(super) const SYNCED: &str = "<!-- synced_block -->";
pub(super) const SYNCED_END: &str = "<!-- /synced_block -->";

/// Whether a block writes its children itself.
pub(super) fn takes_its_children(block: &Block) -> bool {
    matches!(block.kind.as_str(), "table" | "table_row")
}

/// The text of a prop, if it has one.
pub(super) fn text_prop<'b>(block: &'b Block, name: &str) -> Option<&'b str> {
    block.props.get(name)?.as_str().filter(|text| !text.trim().is_empty())
}

impl<'a> Page<'a> {
    /// Writes a block into a node, without its children.
    pub(super) fn block(self, into: Node<'a>, block: &Block) -> Opened<'a> {
        let mut opened = Opened {
            inside: None,
            closing: None,
        };
        match block.kind.as_str() {
            "heading" => self.heading(into, block),
            "bulleted_list_item" | "numbered_list_item" | "todo" => opened.inside = Some(self.list_item(into, block)),
            "toggle" => {
                let summary = super::rich::to_html(&Piece::of(block));
                let open = if block.props.get("open") == Some(&Value::Bool(true)) {
                    " open"
                } else {
                    ""
                };
                self.html(into, format!("<details{open}>\n<summary>{summary}</summary>"));
                opened.closing = Some("</details>");
            }
            "quote" => opened.inside = Some(self.quote(into, block)),
            "callout" => opened.inside = Some(self.callout(into, block)),
            "code" => self.code(into, language(block), &block.text),
            "mermaid" => self.code(into, "mermaid", &block.text),
            "equation" => self.equation(into, &block.text),
            "divider" => {
                self.append(into, NodeValue::ThematicBreak);
            }
            "image" => self.image(into, block),
            "video" | "audio" | "file" | "bookmark" | "embed" => self.media(into, block),
            "child_page" | "link_to_page" => self.page_link(into, block),
            "board_embed" => self.board_link(into, block),
            "synced_block" => {
                if !self.synced(into, block) {
                    self.html(into, SYNCED);
                    opened.closing = Some(SYNCED_END);
                }
            }
            "column_list" => {
                self.html(into, COLUMNS);
                opened.closing = Some(COLUMNS_END);
            }
            "column" => self.html(into, COLUMN),
            "table" => self.table(into, &block.children, block.props.get("has_header_row") == Some(&Value::Bool(true))),
            "table_row" => self.table(into, std::slice::from_ref(block), false),
            "table_of_contents" => self.comment(into, CONTENTS),
            "paragraph" => self.paragraph(into, &Piece::of(block)),
            _ => self.custom(into, block),
        }
        opened
    }

    /// Puts the title in front of everything. Where there is none, a remark keeps a heading from being read as one.
    pub(super) fn title(self, root: Node<'a>, title: &str) {
        let is_heading = |first: Node<'a>| matches!(first.data().value, NodeValue::Heading(heading) if heading.level == 1);
        if !title.trim().is_empty() {
            let heading = NodeHeading {
                level: 1,
                ..NodeHeading::default()
            };
            let heading = self.node(NodeValue::Heading(heading));
            root.prepend(heading);
            self.rich(heading, &plain(title), Place::Heading);
        } else if root.first_child().is_some_and(is_heading) {
            root.prepend(self.remark(UNTITLED));
        }
    }

    /// A paragraph, if there is anything to say.
    pub(super) fn paragraph(self, into: Node<'a>, pieces: &[Piece<'_>]) {
        if !pieces.is_empty() {
            let paragraph = self.append(into, NodeValue::Paragraph);
            self.rich(paragraph, pieces, Place::Paragraph);
        }
    }

    fn heading(self, into: Node<'a>, block: &Block) {
        let heading = NodeHeading {
            level: level(block),
            ..NodeHeading::default()
        };
        let heading = self.append(into, NodeValue::Heading(heading));
        self.rich(heading, &Piece::of(block), Place::Heading);
    }

    fn quote(self, into: Node<'a>, block: &Block) -> Node<'a> {
        let quote = self.append(into, NodeValue::BlockQuote);
        self.own_text(quote, block, &Piece::of(block));
        quote
    }

    /// The text of a block that holds others. Where it is empty, a remark stands for it, or the first of those others would
    /// be read as it.
    pub(super) fn own_text(self, into: Node<'a>, block: &Block, pieces: &[Piece<'_>]) {
        if pieces.is_empty() && !block.children.is_empty() {
            let paragraph = self.append(into, NodeValue::Paragraph);
            self.append(paragraph, NodeValue::HtmlInline("<!-- -->".to_owned()));
        }
        self.paragraph(into, pieces);
    }

    /// With a tone it is an alert; else a quote with the icon in front.
    fn callout(self, into: Node<'a>, block: &Block) -> Node<'a> {
        if let Some(alert_type) = text_prop(block, "tone").and_then(alert_type) {
            let alert = NodeAlert {
                alert_type,
                title: None,
                multiline: false,
                fence_length: 0,
                fence_offset: 0,
            };
            let alert = self.append(into, NodeValue::Alert(Box::new(alert)));
            self.own_text(alert, block, &Piece::of(block));
            return alert;
        }
        let quote = self.append(into, NodeValue::BlockQuote);
        let icon = text_prop(block, "icon")
            .into_iter()
            .flat_map(|icon| plain(icon).into_iter().chain(iter::once(Piece::Text(" "))));
        let pieces: Vec<_> = icon.chain(Piece::of(block)).collect();
        self.own_text(quote, block, &pieces);
        quote
    }

    pub(super) fn code(self, into: Node<'a>, info: &str, text: &str) {
        self.separate(into);
        let literal = format!("{}\n", text.replace("\r\n", "\n").replace('\r', "\n"));
        let code = NodeCodeBlock {
            fenced: true,
            info: info.to_owned(),
            literal,
            ..NodeCodeBlock::default()
        };
        self.append(into, NodeValue::CodeBlock(Box::new(code)));
    }

    /// `$$…$$` where it has one line; as a fenced block where it would read as something else.
    fn equation(self, into: Node<'a>, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let literal = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if literal != text || !fits_dollars(text) {
            return self.code(into, "math", text);
        }
        let paragraph = self.append(into, NodeValue::Paragraph);
        self.append(
            paragraph,
            NodeValue::Math(NodeMath {
                dollar_math: true,
                display_math: true,
                literal,
            }),
        );
    }

    /// A type we do not know: its text and its children, or a remark that it was there.
    fn custom(self, into: Node<'a>, block: &Block) {
        let pieces = Piece::of(block);
        if pieces.is_empty() && block.children.is_empty() {
            return match is_name(&block.kind) {
                true => self.html(into, format!("<!-- {BLOCK}{} -->", block.kind)),
                false => self.comment(into, &block.kind),
            };
        }
        self.paragraph(into, &pieces);
    }
}

fn level(block: &Block) -> u8 {
    let level = block.props.get("level").and_then(Value::as_f64).unwrap_or(1.0).clamp(1.0, 4.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 1 to 4")]
    let level = level as u8;
    level
}

fn language(block: &Block) -> &str {
    let word = |language: &&str| language.len() <= 64 && language.chars().all(|c| c.is_ascii_alphanumeric() || "_+#.-".contains(c));
    text_prop(block, "language").filter(word).unwrap_or_default()
}

fn alert_type(tone: &str) -> Option<AlertType> {
    Some(match tone {
        "note" => AlertType::Note,
        "tip" => AlertType::Tip,
        "important" => AlertType::Important,
        "warning" => AlertType::Warning,
        "caution" => AlertType::Caution,
        _ => return None,
    })
}

/// Whether a formula means the same between `$$` on one line, and no HTML where a reader does not know `$$`.
fn fits_dollars(text: &str) -> bool {
    let tag_like = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
    let safe = |c: char| !matches!(c, '$' | '`' | '%' | '|') && (c.is_whitespace() || !c.is_control());
    text.chars().all(safe) && !text.ends_with('\\') && !text.split('<').skip(1).any(tag_like)
}
