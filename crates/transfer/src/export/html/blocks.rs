//! One block as HTML, by type.

use super::{MAX_NESTING, Writer, direction, escaped};
use crate::export::{
    around::{flag_prop, level, number_prop, text_prop},
    palette, runs, table,
};
use documents::view::{self, Block};
use std::{iter::Peekable, slice};

/// Level, id and text of the headings of a page, in order.
pub(super) fn headings(blocks: &[Block]) -> Vec<(u8, String, String)> {
    view::walk(blocks)
        .filter(|(_, block)| block.kind == "heading" && !block.text.trim().is_empty())
        .map(|(_, block)| (level(block), anchor(block), block.text.trim().to_owned()))
        .collect()
}

/// The id of a block in the file. Ids of blocks are somebody's text.
fn anchor(block: &Block) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
            c
        } else {
            '-'
        }
    };
    format!("b-{}", block.id.chars().take(64).map(plain).collect::<String>())
}

/// The list that an item stands in, if it is one.
fn list_of(block: &Block) -> Option<(&'static str, &'static str)> {
    Some(match block.kind.as_str() {
        "bulleted_list_item" => ("ul", ""),
        "numbered_list_item" => ("ol", ""),
        "todo" => ("ul", " class=\"todo\""),
        _ => return None,
    })
}

impl Writer<'_> {
    pub(super) fn blocks(&mut self, blocks: &[Block]) {
        let mut rest = blocks.iter().peekable();
        while let Some(block) = rest.next() {
            match list_of(block) {
                Some(list) => self.list(list, block, &mut rest),
                None => self.block(block),
            }
        }
    }

    /// What hangs under a block, in an element of its own if there is one to be had.
    fn children(&mut self, block: &Block) {
        if block.children.is_empty() {
            return;
        }
        self.depth += 1;
        let indents = self.depth < MAX_NESTING;
        self.raw(if indents { "<div class=\"under\">\n" } else { "" });
        self.blocks(&block.children);
        self.raw(if indents { "</div>\n" } else { "" });
        self.depth -= 1;
    }

    fn list<'b>(&mut self, list: (&'static str, &'static str), first: &'b Block, rest: &mut Peekable<slice::Iter<'b, Block>>) {
        let (tag, attributes) = list;
        let start = first.props.get("start").and_then(serde_json::Value::as_u64).filter(|_| tag == "ol");
        let start = start.map(|start| format!(" start=\"{start}\"")).unwrap_or_default();
        self.raw(&format!("<{tag}{attributes}{start}>\n"));
        let mut next = Some(first);
        while let Some(item) = next {
            self.raw(&format!("<li{}>", look(item)));
            if item.kind == "todo" {
                let is_done = flag_prop(item, "checked");
                self.raw(if is_done {
                    "<input type=\"checkbox\" disabled checked> <span class=\"done\">"
                } else {
                    "<input type=\"checkbox\" disabled> <span>"
                });
                self.text(item);
                self.raw("</span>");
            } else {
                self.text(item);
            }
            self.depth += 1;
            self.raw(if item.children.is_empty() { "" } else { "\n" });
            self.blocks(&item.children);
            self.depth -= 1;
            self.raw("</li>\n");
            next = rest.next_if(|block| list_of(block) == Some(list));
        }
        self.raw(&format!("</{tag}>\n"));
    }

    fn block(&mut self, block: &Block) {
        match block.kind.as_str() {
            "paragraph" => self.paragraph(block),
            "heading" => self.heading(block),
            "toggle" => self.toggle(block),
            "quote" => {
                self.raw(&format!("<blockquote{}>", look(block)));
                self.text(block);
                self.children(block);
                self.raw("</blockquote>\n");
            }
            "callout" => self.callout(block),
            "code" | "mermaid" => self.code(block),
            "equation" => self.equation(block),
            "divider" => self.raw("<hr>\n"),
            "table" => self.table(&block.children, block),
            "table_row" => self.table(slice::from_ref(block), block),
            "column_list" => self.columns(block),
            "table_of_contents" => self.contents(block),
            "image" => self.image(block),
            "video" | "audio" | "file" | "bookmark" | "embed" => self.card(block, &block.kind),
            "child_page" | "link_to_page" => self.page_link(block, "Page", "document_id", "/documents/"),
            "board_embed" => self.page_link(block, "Board", "board_id", "/boards/"),
            "synced_block" if block.children.is_empty() => self.page_link(block, "Synced block", "source_document_id", "/documents/"),
            "synced_block" | "column" => self.blocks(&block.children),
            _ => self.unknown(block),
        }
        let has_written_them = matches!(
            block.kind.as_str(),
            "paragraph" | "heading" | "toggle" | "quote" | "callout" | "table" | "table_row" | "column_list" | "column" | "synced_block"
        ) || documents::kinds::find(&block.kind).is_none_or(|kind| kind.is_open);
        if !has_written_them {
            self.children(block);
        }
    }

    fn paragraph(&mut self, block: &Block) {
        if !block.text.trim().is_empty() {
            self.raw(&format!("<p{}>", look(block)));
            self.text(block);
            self.raw("</p>\n");
        }
        self.children(block);
    }

    /// The title of the page is the heading of the first level.
    fn heading(&mut self, block: &Block) {
        let (tag, id) = (level(block) + 1, anchor(block));
        let folds = flag_prop(block, "toggleable");
        self.raw(if folds { "<details open>\n<summary>" } else { "" });
        self.raw(&format!("<h{tag} id=\"{id}\"{}>", look(block)));
        self.text(block);
        self.raw(&format!("</h{tag}>"));
        self.raw(if folds { "</summary>\n" } else { "\n" });
        self.children(block);
        self.raw(if folds { "</details>\n" } else { "" });
    }

    fn toggle(&mut self, block: &Block) {
        self.raw(&format!("<details open><summary{}>", look(block)));
        self.text(block);
        self.raw("</summary>\n");
        self.children(block);
        self.raw("</details>\n");
    }

    fn callout(&mut self, block: &Block) {
        let (tone, icon) = match text_prop(block, "tone") {
            Some("note") => ("note", "ℹ️"),
            Some("tip") => ("tip", "💡"),
            Some("important") => ("important", "❗"),
            Some("warning") => ("warning", "⚠️"),
            Some("caution") => ("caution", "🛑"),
            _ => ("plain", "💬"),
        };
        let icon = text_prop(block, "icon").unwrap_or(icon);
        self.raw(&format!(
            "<aside class=\"callout {tone}\" role=\"note\"><span class=\"sign\" aria-hidden=\"true\">{}</span><div{}>",
            escaped(icon),
            look(block)
        ));
        self.text(block);
        self.children(block);
        self.raw("</div></aside>\n");
    }

    fn code(&mut self, block: &Block) {
        let language = if block.kind == "mermaid" {
            Some("mermaid")
        } else {
            text_prop(block, "language")
        };
        self.raw("<figure class=\"code\">");
        if let Some(language) = language {
            self.element("span", " class=\"language\"", language);
        }
        let class = language
            .map(|language| format!(" class=\"language-{}\"", escaped(language)))
            .unwrap_or_default();
        self.raw(&format!("<pre><code{class}>{}</code></pre>", escaped(&block.text)));
        self.caption(text_prop(block, "caption"));
        self.raw("</figure>\n");
    }

    pub(super) fn caption(&mut self, caption: Option<&str>) {
        if let Some(caption) = caption {
            self.element("figcaption", &direction(caption), caption);
        }
    }

    fn table(&mut self, rows: &[Block], table: &Block) {
        let (has_row, has_column) = (flag_prop(table, "has_header_row"), flag_prop(table, "has_header_column"));
        self.raw("<div class=\"wide\"><table>\n");
        for (number, row) in table::cells(rows).iter().enumerate() {
            let heads = has_row && number == 0;
            self.raw(match (has_row, number) {
                (true, 0) => "<thead>\n<tr>",
                (true, 1) | (false, 0) => "<tbody>\n<tr>",
                _ => "<tr>",
            });
            for (at, cell) in row.iter().enumerate() {
                let (tag, scope) = match (heads, has_column && at == 0) {
                    (true, _) => ("th", " scope=\"col\""),
                    (false, true) => ("th", " scope=\"row\""),
                    (false, false) => ("td", ""),
                };
                let text: String = cell.iter().map(|run| run.text).collect();
                self.raw(&format!("<{tag}{scope}{}>", direction(&text)));
                for run in cell {
                    self.run(run);
                }
                self.raw(&format!("</{tag}>"));
            }
            self.raw(if heads { "</tr>\n</thead>\n" } else { "</tr>\n" });
        }
        let has_body = rows.len() > usize::from(has_row);
        self.raw(if has_body {
            "</tbody>\n</table></div>\n"
        } else {
            "</table></div>\n"
        });
    }

    fn columns(&mut self, block: &Block) {
        self.raw("<div class=\"columns\">\n");
        for column in &block.children {
            let ratio = number_prop(column, "width_ratio", 0.05, 1.0).unwrap_or(1.0);
            self.raw(&format!("<div style=\"flex:{ratio} 1 0\">\n"));
            self.blocks(&column.children);
            self.raw("</div>\n");
        }
        self.raw("</div>\n");
    }

    fn contents(&mut self, block: &Block) {
        let most = number_prop(block, "max_level", 1.0, 4.0).unwrap_or(4.0);
        let listed: Vec<_> = self
            .headings
            .iter()
            .filter(|(level, ..)| f64::from(*level) <= most)
            .cloned()
            .collect();
        self.raw("<nav class=\"contents\" aria-label=\"Contents\"><ul>\n");
        for (level, id, text) in listed {
            self.raw(&format!("<li class=\"l{level}\"><a href=\"#{id}\">{}</a></li>\n", escaped(&text)));
        }
        self.raw("</ul></nav>\n");
    }

    /// A type we do not know: its name, its text, its props as data, and what hangs under it.
    fn unknown(&mut self, block: &Block) {
        let kind = escaped(&block.kind);
        self.raw(&format!(
            "<section class=\"unknown\" data-type=\"{kind}\"><p class=\"kind\">{kind}</p>\n"
        ));
        if !block.text.trim().is_empty() {
            self.raw("<p>");
            self.text(block);
            self.raw("</p>\n");
        }
        if !block.props.is_empty() {
            let props = serde_json::to_string_pretty(&block.props).unwrap_or_default();
            self.element("pre", " class=\"props\"", &props);
        }
        self.children(block);
        self.raw("</section>\n");
    }
}

/// Colour, alignment and direction of a block, as attributes.
pub(super) fn look(block: &Block) -> String {
    let mut css = Vec::new();
    if let Some(color) = text_prop(block, "color").and_then(palette::text) {
        css.push(format!("color:{color}"));
    }
    if let Some(side @ ("left" | "center" | "right")) = text_prop(block, "align") {
        css.push(format!("text-align:{side}"));
    }
    let style = if css.is_empty() {
        String::new()
    } else {
        format!(" style=\"{}\"", css.join(";"))
    };
    format!("{}{style}", if runs::is_rtl(&block.text) { " dir=\"rtl\"" } else { "" })
}
