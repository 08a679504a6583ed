//! A page as what the typesetting engine takes: a [`Sheet`] of plain data.

use super::{
    around::{Around, flag_prop, label, level, number_prop, text_prop},
    palette,
    runs::{self, Style},
    table,
};
use documents::view::Block;
use std::{iter::Peekable, slice};
use typeset::sheet::{self, Column, Item, Look, Marker, Run, Sheet};

/// Points that a pixel takes.
const POINTS_PER_PIXEL: f64 = 0.75;

/// Makes a sheet of a page.
pub fn sheet(title: &str, icon: Option<&str>, blocks: &[Block], around: &Around) -> Sheet {
    let mut setting = Setting {
        around,
        images: Vec::new(),
    };
    let shallow = flatten(blocks, 1);
    let blocks = setting.blocks(&shallow);
    Sheet {
        title: or(title, "Untitled").to_owned(),
        // An icon may be the address of a picture; that is none to be set.
        icon: icon.filter(|icon| is_emoji(icon)).map(str::to_owned),
        note: format!("Exported {}", around.date),
        blocks,
        images: setting.images,
    }
}

/// Blocks no deeper than the engine goes: what is deeper follows the block it hangs under.
fn flatten(blocks: &[Block], level: usize) -> Vec<Block> {
    let mut flat = Vec::new();
    for block in blocks {
        let mut copy = clone_alone(block);
        if takes_its_children(block) {
            copy.children.clone_from(&block.children);
            flat.push(copy);
        } else if level < sheet::MAX_NESTING {
            copy.children = flatten(&block.children, level + 1);
            flat.push(copy);
        } else {
            flat.push(copy);
            flat.extend(flatten(&block.children, level));
        }
    }
    flat
}

fn clone_alone(block: &Block) -> Block {
    Block {
        id: block.id.clone(),
        kind: block.kind.clone(),
        text: block.text.clone(),
        marks: block.marks.clone(),
        props: block.props.clone(),
        children: Vec::new(),
    }
}

fn takes_its_children(block: &Block) -> bool {
    matches!(block.kind.as_str(), "table" | "table_row")
}

fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.trim().is_empty() { other } else { text }
}

fn is_emoji(icon: &str) -> bool {
    icon.chars().count() <= 8 && !icon.trim().is_empty() && !icon.contains('/')
}

fn is_item(block: &Block) -> bool {
    matches!(block.kind.as_str(), "bulleted_list_item" | "numbered_list_item" | "todo" | "toggle")
}

struct Setting<'a> {
    around: &'a Around,
    images: Vec<Vec<u8>>,
}

impl Setting<'_> {
    fn blocks(&mut self, blocks: &[Block]) -> Vec<sheet::Block> {
        let mut set = Vec::new();
        let mut rest = blocks.iter().peekable();
        while let Some(block) = rest.next() {
            if is_item(block) {
                let items = self.items(block, &mut rest);
                set.push(sheet::Block::List { items });
            } else if !takes_its_children(block) || block.kind == "table" {
                set.extend(self.block(block));
            } else {
                set.push(grid(slice::from_ref(block), block));
            }
        }
        set
    }

    /// The items that follow one another, numbered as they are.
    fn items<'b>(&mut self, first: &'b Block, rest: &mut Peekable<slice::Iter<'b, Block>>) -> Vec<Item> {
        let (mut items, mut number) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(block) = next {
            let marker = match block.kind.as_str() {
                "numbered_list_item" => {
                    number = match start(block) {
                        Some(start) if number == 0 => start,
                        _ => number + 1,
                    };
                    Marker::Number(number)
                }
                "todo" => Marker::Todo(flag_prop(block, "checked")),
                "toggle" => Marker::Toggle,
                _ => Marker::Bullet,
            };
            if !matches!(marker, Marker::Number(_)) {
                number = 0;
            }
            items.push(Item {
                marker,
                text: self.text(block),
                look: look(block),
                children: self.blocks(&block.children),
            });
            next = rest.next_if(|block| is_item(block));
        }
        items
    }

    fn block(&mut self, block: &Block) -> Vec<sheet::Block> {
        let (text, look) = (self.text(block), look(block));
        vec![match block.kind.as_str() {
            "paragraph" => sheet::Block::Paragraph {
                text,
                look,
                children: self.blocks(&block.children),
            },
            "heading" => sheet::Block::Heading {
                level: level(block),
                text,
                look,
                children: self.blocks(&block.children),
            },
            "quote" => sheet::Block::Quote {
                text,
                look,
                children: self.blocks(&block.children),
            },
            "callout" => sheet::Block::Callout {
                tone: text_prop(block, "tone").map(str::to_owned),
                icon: text_prop(block, "icon").filter(|icon| is_emoji(icon)).map(str::to_owned),
                text,
                look,
                children: self.blocks(&block.children),
            },
            "code" | "mermaid" => code(block),
            "equation" => sheet::Block::Equation {
                latex: block.text.trim().to_owned(),
            },
            "divider" => sheet::Block::Divider,
            "table" => grid(&block.children, block),
            "table_of_contents" => sheet::Block::Contents {
                max_level: if block.props.contains_key("max_level") {
                    max_level(block)
                } else {
                    4
                },
            },
            "column_list" => sheet::Block::Columns {
                columns: self.columns(&block.children),
            },
            _ => return self.with_children(block),
        }]
    }

    /// Blocks that stand for something, and what hangs under them behind.
    fn with_children(&mut self, block: &Block) -> Vec<sheet::Block> {
        let head = match block.kind.as_str() {
            "image" => Some(self.image(block)),
            "column" => None,
            "synced_block" if !block.children.is_empty() => None,
            "video" | "audio" | "file" | "bookmark" | "embed" => Some(self.card(block, &block.kind.clone())),
            "child_page" | "link_to_page" => Some(self.page(block, "page", "document_id", "/documents/")),
            "synced_block" => Some(self.page(block, "synced block", "source_document_id", "/documents/")),
            "board_embed" => Some(self.page(block, "board", "board_id", "/boards/")),
            kind => {
                let label = kind.to_owned();
                let (text, children) = (self.text(block), self.blocks(&block.children));
                return vec![sheet::Block::Unknown { label, text, children }];
            }
        };
        head.into_iter().chain(self.blocks(&block.children)).collect()
    }

    fn columns(&mut self, blocks: &[Block]) -> Vec<Column> {
        blocks
            .iter()
            .map(|column| Column {
                ratio: number_prop(column, "width_ratio", 0.05, 1.0).unwrap_or(1.0 / f64::from(u32::try_from(blocks.len()).unwrap_or(1))),
                children: self.blocks(&column.children),
            })
            .collect()
    }

    fn text(&self, block: &Block) -> Vec<Run> {
        self.set(&runs::of(block))
    }

    fn set(&self, runs: &[runs::Run<'_>]) -> Vec<Run> {
        runs.iter().flat_map(|run| self.lines(run)).collect()
    }

    /// A run, cut at its line breaks: a break is a run of its own.
    fn lines(&self, run: &runs::Run<'_>) -> Vec<Run> {
        let mut set = Vec::new();
        for (number, line) in run.text.split('\n').enumerate() {
            if number > 0 {
                set.push(Run::plain("\n"));
            }
            if !line.is_empty() {
                set.push(self.run(line, &run.style));
            }
        }
        set
    }

    fn run(&self, text: &str, style: &Style) -> Run {
        Run {
            text: visible(text),
            bold: style.bold || matches!(style.mention, Some(documents::kinds::Mention::User(_))),
            italic: style.italic,
            underline: style.underline,
            strike: style.strike,
            code: style.code,
            color: style.color.clone(),
            highlight: style.highlight.clone(),
            link: match &style.mention {
                Some(documents::kinds::Mention::Page(id)) => self.around.page(id),
                _ => style.link.as_deref().and_then(|link| self.around.href(link)),
            },
        }
    }

    fn image(&mut self, block: &Block) -> sheet::Block {
        let Some((_, bytes)) = self.around.inside(block) else {
            return self.card(block, "picture");
        };
        self.images.push(bytes.to_owned());
        let caption = Some(self.text(block)).filter(|text| !text.is_empty());
        let prop = || self.set(&runs::plain(text_prop(block, "caption").unwrap_or_default()));
        sheet::Block::Image {
            image: self.images.len() - 1,
            alt: visible(label(block, &["alt", "caption", "name"])),
            caption: caption.unwrap_or_else(prop),
            width: number_prop(block, "width", 1.0, 20_000.0).map(|pixels| pixels * POINTS_PER_PIXEL),
            align: text_prop(block, "align").map(str::to_owned),
        }
    }

    fn card(&self, block: &Block, kind: &str) -> sheet::Block {
        let link = self.around.source(block);
        let title = label(block, &["title", "name", "caption", "alt"]);
        let detail = ["description", "caption"]
            .iter()
            .find_map(|name| text_prop(block, name))
            .filter(|detail| *detail != title);
        sheet::Block::Card {
            label: visible(text_prop(block, "provider").unwrap_or(kind)),
            icon: None,
            title: visible(or(title, link.as_deref().unwrap_or("Without a name"))),
            detail: visible(detail.or(text_prop(block, "url")).unwrap_or_default()),
            link,
        }
    }

    fn page(&self, block: &Block, what: &str, prop: &str, path: &str) -> sheet::Block {
        let id = text_prop(block, prop).unwrap_or_default();
        sheet::Block::Card {
            label: what.to_owned(),
            icon: text_prop(block, "icon").filter(|icon| is_emoji(icon)).map(str::to_owned),
            title: visible(or(label(block, &["title"]), "Untitled")),
            detail: String::new(),
            link: self.around.href(&format!("{path}{id}")),
        }
    }
}

/// Without characters that steer the terminal or the text's direction for others.
fn visible(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\t')).collect()
}

fn start(block: &Block) -> Option<u64> {
    block.props.get("start")?.as_u64()
}

fn max_level(block: &Block) -> u8 {
    let level = block.props.get("max_level").and_then(serde_json::Value::as_u64).unwrap_or(4);
    u8::try_from(level.clamp(1, 4)).unwrap_or(4)
}

fn look(block: &Block) -> Look {
    Look {
        align: text_prop(block, "align").map(str::to_owned),
        color: text_prop(block, "color").and_then(palette::text),
        rtl: runs::is_rtl(&block.text),
    }
}

fn code(block: &Block) -> sheet::Block {
    let language = if block.kind == "mermaid" {
        Some("mermaid")
    } else {
        text_prop(block, "language")
    };
    sheet::Block::Code {
        language: language.map(str::to_owned),
        text: block
            .text
            .replace("\r\n", "\n")
            .chars()
            .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
            .collect(),
        caption: text_prop(block, "caption").map(visible),
    }
}

fn grid(rows: &[Block], table: &Block) -> sheet::Block {
    let cells = table::cells(rows);
    let alone = Setting {
        around: &Around::default(),
        images: Vec::new(),
    };
    sheet::Block::Table {
        columns: cells.first().map_or(1, Vec::len),
        has_header_row: flag_prop(table, "has_header_row") && !cells.is_empty(),
        has_header_column: flag_prop(table, "has_header_column"),
        rows: cells.iter().map(|row| row.iter().map(|cell| alone.set(cell)).collect()).collect(),
    }
}
