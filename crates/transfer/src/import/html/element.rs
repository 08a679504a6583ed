//! What each element does to the page.

use super::{
    page::{Page, Text},
    style::{Sheet, colour, of_notion, of_tag},
    table,
};
use crate::import::{
    draft::{Draft, Links, block, with},
    report::Reason,
};
use documents::op::NewBlock;
use scraper::ElementRef;
use serde_json::Value;

/// Levels that Google Docs says lists have.
const MAX_LIST_LEVEL: usize = 9;

/// A list that is open.
pub(super) struct List {
    kind: &'static str,
    start: Option<i64>,
    depth: usize,
}

/// Preformatted text that is open.
pub(super) struct Code {
    depth: usize,
    language: Option<String>,
}

/// The document while it is read.
pub(super) struct Reader<'n> {
    pub page: Page,
    pub links: Links<'n>,
    pub sheet: Sheet,
    pub lists: Vec<List>,
    pub draft: Draft,
    /// The title in the head, which counts when the page begins with none.
    pub heading_title: Option<String>,
    pub code: Option<Code>,
    /// How deep elements lie that stand on lines of their own.
    pub blocks: Vec<usize>,
    /// Cells that span columns behind their own: how deep they lie, and how many columns.
    pub spanned: Vec<(usize, usize)>,
    /// Cells that may still be added where others span them.
    pub spare: usize,
}

impl Reader<'_> {
    /// Text between elements.
    pub fn text(&mut self, text: &str) {
        match self.code {
            Some(_) => self.page.rich.verbatim(text),
            None => self.page.rich.flow(text),
        }
    }

    /// An element begins. Whether to go inside.
    pub fn open(&mut self, element: ElementRef<'_>, depth: usize) -> bool {
        self.check_handlers(element);
        let tag = element.value().name();
        if self.is_left_out(element, tag) {
            return false;
        }
        if self.code.is_some() {
            self.in_code(element, tag);
            return true;
        }
        if self.media(element) {
            return false;
        }
        self.structure(element, tag, depth);
        self.formats(element, tag, depth);
        true
    }

    /// An element ends.
    pub fn close(&mut self, depth: usize) {
        if self.code.as_ref().is_some_and(|code| code.depth >= depth) {
            self.end_code();
        }
        if self.blocks.pop_if(|open| *open >= depth).is_some() {
            self.page.flush();
        }
        self.page.end(depth);
        while self.lists.pop_if(|list| list.depth >= depth).is_some() {}
        if let Some((_, columns)) = self.spanned.pop_if(|(of, _)| *of >= depth) {
            let row = &mut self.page.top().block;
            row.children.extend((0..columns).map(|_| table::empty()));
        }
    }

    fn check_handlers(&mut self, element: ElementRef<'_>) {
        for (name, _) in element.value().attrs() {
            if name.len() > 2 && name.get(..2).is_some_and(|on| on.eq_ignore_ascii_case("on")) {
                self.page.notes.add(Reason::ScriptRemoved, name);
            }
        }
    }

    /// What gives nothing to a page, with what is in it.
    fn is_left_out(&mut self, element: ElementRef<'_>, tag: &str) -> bool {
        match tag {
            "script" => self.page.notes.add(Reason::ScriptRemoved, "script"),
            "title" if self.heading_title.is_none() => {
                let title = one_line(element.text().take(64).collect::<String>().as_str());
                self.heading_title = Some(title).filter(|title| !title.is_empty());
            }
            "svg" | "canvas" | "object" | "embed" | "applet" | "select" | "textarea" | "frameset" | "dialog" | "template" => {
                self.page.notes.add(Reason::Unsupported, tag);
            }
            "style" | "title" | "meta" | "link" | "base" | "noscript" | "noframes" | "param" | "track" | "source" | "rp" | "area"
            | "map" => {}
            _ => return false,
        }
        true
    }

    fn structure(&mut self, element: ElementRef<'_>, tag: &str, depth: usize) {
        match tag {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = tag[1..].parse().unwrap_or(4).min(4);
                self.begin(with(block("heading"), "level", level), element, (Text::First, depth));
            }
            "ul" | "ol" | "menu" => self.begin_list(element, tag, depth),
            "li" => self.begin_item(element, depth),
            "blockquote" => self.begin(block("quote"), element, (Text::First, depth)),
            "aside" => self.begin(block("callout"), element, (Text::First, depth)),
            "details" => self.begin(toggle(element), element, (Text::First, depth)),
            "pre" | "listing" | "xmp" => self.begin_code(element, depth),
            "table" => self.page.begin(block("table"), Text::Never, depth),
            "tr" if self.is_in("table") => self.page.begin(table::row(), Text::Never, depth),
            "td" | "th" if self.is_in("table_row") => self.begin_cell(element, tag, depth),
            "figcaption" => self.page.begin_caption(depth),
            "hr" => self.page.leaf(block("divider")),
            "br" => self.page.rich.line(),
            "input" => self.check_box(element.attr("type") == Some("checkbox"), element.attr("checked").is_some()),
            "q" => self.page.rich.flow("“"),
            _ if is_block(tag) => self.begin_section(element, depth),
            _ => {}
        }
    }

    /// An element that ends the line before it and after it.
    fn begin_section(&mut self, element: ElementRef<'_>, depth: usize) {
        self.page.flush();
        self.blocks.push(depth);
        let has = |class| element.value().classes().any(|of| of == class);
        if has("column-list") {
            self.page.begin(block("column_list"), Text::Never, depth);
        } else if has("column") && self.page.top().block.kind == "column_list" {
            self.page.begin(column(element), Text::Never, depth);
        } else if has("callout") {
            self.begin(block("callout"), element, (Text::First, depth));
        } else if has("checkbox") {
            self.check_box(true, has("checkbox-on"));
        } else if has("indented") {
            self.page.top().text = Text::Never;
        }
    }

    fn begin(&mut self, block: NewBlock, element: ElementRef<'_>, (text, depth): (Text, usize)) {
        let colours = element.value().classes().filter_map(|class| of_notion(class, "block-color-"));
        let colour = colours.map(|(_, colour)| colour).next();
        let takes_one = documents::kinds::find(&block.kind).is_some_and(|kind| kind.props.iter().any(|prop| prop.name == "color"));
        let block = match colour.filter(|_| takes_one) {
            Some(colour) => with(block, "color", colour),
            None => block,
        };
        self.page.begin(block, text, depth);
    }

    fn is_in(&mut self, kind: &str) -> bool {
        self.page.top().block.kind == kind
    }

    fn begin_list(&mut self, element: ElementRef<'_>, tag: &str, depth: usize) {
        self.page.flush();
        let classes = || element.value().classes();
        let level = classes().find_map(google_level).unwrap_or_default();
        let is_loose = !self.lists.is_empty()
            && element
                .parent()
                .and_then(ElementRef::wrap)
                .is_some_and(|above| above.value().name() != "li");
        // A list beside an item, and one of Google's levels, belong to the item before.
        for _ in 0..level.max(usize::from(
            is_loose && self.lists.last().is_some_and(|list| list.depth + 1 == depth),
        )) {
            if !self.page.reopen(depth) {
                break;
            }
        }
        let kind = match tag {
            _ if classes().any(|class| class == "to-do-list") => "todo",
            _ if classes().any(|class| class == "toggle") => "",
            "ol" => "numbered_list_item",
            _ => "bulleted_list_item",
        };
        let start = element.attr("start").and_then(|start| start.trim().parse().ok());
        let start = start.filter(|start| (0..=999_999_999).contains(start) && *start != 1);
        self.lists.push(List { kind, start, depth });
    }

    fn begin_item(&mut self, element: ElementRef<'_>, depth: usize) {
        let (kind, start) = match self.lists.last_mut() {
            Some(list) => (list.kind, list.start.take()),
            None => ("bulleted_list_item", None),
        };
        match (kind, start) {
            ("", _) => self.page.flush(),
            ("numbered_list_item", Some(start)) => {
                self.begin(with(block(kind), "start", start), element, (Text::First, depth));
            }
            _ => self.begin(block(kind), element, (Text::First, depth)),
        }
    }

    fn check_box(&mut self, is_one: bool, is_checked: bool) {
        let top = self.page.top();
        let is_item = matches!(top.block.kind.as_str(), "bulleted_list_item" | "numbered_list_item" | "todo");
        if is_one && is_item && top.text == Text::First {
            top.block.kind = "todo".to_owned();
            top.block.props.remove("start");
            top.block.props.insert("checked".to_owned(), Value::Bool(is_checked));
        }
    }

    fn begin_cell(&mut self, element: ElementRef<'_>, tag: &str, depth: usize) {
        let (columns, rows) = (table::span(element.attr("colspan")), table::span(element.attr("rowspan")));
        if columns > 1 || rows > 1 {
            table::note_span(&mut self.page.notes);
        }
        let column = self.page.top().block.children.len();
        let above = self.page.innermost("table");
        let reached = above.map_or(0, |table| {
            let reached = table.rows.reached(column);
            table.rows.span(column + reached, (columns, rows));
            reached
        });
        let reached = self.spare(reached);
        let columns = self.spare(columns - 1);
        let row = self.page.top();
        row.rows.cell(tag == "th");
        row.block.children.extend((0..reached).map(|_| table::empty()));
        self.page.begin(table::empty(), Text::Every, depth);
        // The columns it spans besides its own come behind it.
        self.spanned.push((depth, columns));
    }

    fn spare(&mut self, cells: usize) -> usize {
        let cells = cells.min(self.spare);
        self.spare -= cells;
        cells
    }

    fn formats(&mut self, element: ElementRef<'_>, tag: &str, depth: usize) {
        let mut formats = self.sheet.formats(element);
        let is_heading = self.page.top().block.kind == "heading";
        formats.retain(|(name, _)| !(is_heading && *name == "bold"));
        let by_class = element.value().classes().find_map(|class| of_notion(class, "highlight-"));
        match (of_tag(tag), by_class) {
            (Some("highlight"), Some(by_class)) => formats.push(by_class),
            (Some(name), _) => formats.push((name, Value::Bool(true))),
            (None, _) => {}
        }
        if tag == "font" {
            formats.extend(element.attr("color").and_then(colour).map(|colour| ("color", colour.into())));
        }
        if tag == "a" {
            formats.extend(self.link(element).map(|url| ("link", url.into())));
        }
        for format in formats.into_iter().filter(|_| !matches!(tag, "html" | "body")) {
            if !self.page.has_format(format.0) {
                self.page.format(format, depth);
            }
        }
    }

    fn link(&mut self, element: ElementRef<'_>) -> Option<String> {
        let reference = element.attr("href")?;
        (self.links)(reference).address(reference, &mut self.page.notes)
    }

    fn begin_code(&mut self, element: ElementRef<'_>, depth: usize) {
        self.page.begin(block("code"), Text::Never, depth);
        self.code = Some(Code {
            depth,
            language: language(element),
        });
    }

    fn in_code(&mut self, element: ElementRef<'_>, tag: &str) {
        if tag == "br" {
            self.page.rich.verbatim("\n");
        }
        if let Some(code) = self.code.as_mut().filter(|code| code.language.is_none() && tag == "code") {
            code.language = language(element);
        }
    }

    fn end_code(&mut self) {
        let Some(code) = self.code.take() else { return };
        let text = self.page.take_code();
        let block = &mut self.page.top().block;
        block.text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
        match code.language.as_deref() {
            Some("mermaid") => block.kind = "mermaid".to_owned(),
            Some(language) => drop(block.props.insert("language".to_owned(), language.into())),
            None => {}
        }
    }

    /// The page as it was read.
    pub fn finish(mut self) -> Draft {
        let (mut blocks, notes) = self.page.finish();
        let is_title =
            |block: &NewBlock| block.kind == "heading" && block.props.get("level") == Some(&Value::from(1)) && block.children.is_empty();
        if self.draft.title.is_none() {
            self.draft.title = match blocks.first().is_some_and(is_title) {
                true => Some(one_line(&blocks.remove(0).text)),
                false => self.heading_title,
            };
        }
        self.draft.blocks = blocks;
        self.draft.notes = notes;
        self.draft
    }
}

fn toggle(element: ElementRef<'_>) -> NewBlock {
    match element.attr("open") {
        Some(_) => with(block("toggle"), "open", true),
        None => block("toggle"),
    }
}

fn column(element: ElementRef<'_>) -> NewBlock {
    let style = element.attr("style").unwrap_or_default();
    let width = style
        .split(';')
        .find_map(|part| part.trim().strip_prefix("width:")?.trim().strip_suffix('%')?.parse::<f64>().ok());
    match width.filter(|width| *width > 0.0 && *width <= 100.0) {
        Some(width) => with(block("column"), "width_ratio", width / 100.0),
        None => block("column"),
    }
}

/// `lst-kix_abc-2`: a list of the third level.
fn google_level(class: &str) -> Option<usize> {
    let (_, level) = class.strip_prefix("lst-kix_")?.rsplit_once('-')?;
    level.parse().ok().filter(|level| *level <= MAX_LIST_LEVEL)
}

/// The language of `language-rust`, `lang-rust` or `highlight-source-rust`, as a word.
fn language(element: ElementRef<'_>) -> Option<String> {
    let prefixes = ["language-", "lang-", "highlight-source-", "brush:"];
    let named = element
        .value()
        .classes()
        .find_map(|class| prefixes.iter().find_map(|prefix| class.strip_prefix(prefix)));
    let word: String = named?
        .to_ascii_lowercase()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "_+#.-".contains(*c))
        .take(64)
        .collect();
    Some(word).filter(|word| !word.is_empty())
}

/// Text as one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Elements that stand on lines of their own.
fn is_block(tag: &str) -> bool {
    const BLOCKS: &[&str] = &[
        "address", "article", "body", "caption", "center", "dd", "dir", "div", "dl", "dt", "fieldset", "figure", "footer", "form",
        "header", "hgroup", "html", "legend", "main", "nav", "optgroup", "option", "p", "section", "summary", "tbody", "tfoot", "thead",
        "tr", "td", "th",
    ];
    BLOCKS.contains(&tag)
}
