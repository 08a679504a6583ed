//! Pictures, players, frames, formulas, and what Notion writes in figures.

use super::element::{Reader, one_line};
use crate::import::{
    draft::{block, text_block, with},
    report::Reason,
};
use documents::op::NewBlock;
use scraper::ElementRef;

/// Elements that are looked through for a part of a figure.
const MAX_PARTS: usize = 200;

impl Reader<'_> {
    /// Takes an element that is more than the text in it, if it is one.
    pub(super) fn media(&mut self, element: ElementRef<'_>) -> bool {
        let has = |class: &str| element.value().classes().any(|of| of == class);
        match element.value().name() {
            "img" => self.picture(element),
            "video" => self.player(element, "video"),
            "audio" => self.player(element, "audio"),
            "iframe" | "frame" => self.frame(element),
            "math" => return self.formula(element),
            "span" if has("katex") || has("notion-text-equation-token") || has("katex-display") => return self.formula(element),
            "figure" if has("equation") => return self.formula(element),
            "span" if has("icon") => self.icon(element),
            "h1" if has("page-title") => self.draft.title = Some(one_line(&words(element))),
            "a" if has("bookmark") => self.bookmark(element),
            "nav" if has("table_of_contents") => self.page.leaf(block("table_of_contents")),
            _ => return false,
        }
        true
    }

    fn address(&mut self, reference: Option<&str>) -> Option<String> {
        let reference = reference.filter(|reference| !reference.trim().is_empty())?;
        (self.links)(reference).address(reference, &mut self.page.notes)
    }

    fn picture(&mut self, element: ElementRef<'_>) {
        if element.value().classes().any(|class| class == "icon") {
            return;
        }
        let lazy = element
            .attr("data-src")
            .filter(|_| element.attr("src").is_none_or(|src| src.starts_with("data:")));
        let Some(url) = self.address(lazy.or(element.attr("src"))) else {
            return self.alternative(element);
        };
        let picture = with(block("image"), "url", url);
        let alt = element.attr("alt").map(one_line).filter(|alt| !alt.is_empty());
        self.page.leaf(match alt {
            Some(alt) => with(picture, "alt", alt),
            None => picture,
        });
    }

    /// What stands for a picture that is not kept.
    fn alternative(&mut self, element: ElementRef<'_>) {
        if let Some(alt) = element.attr("alt") {
            self.page.rich.flow(alt);
        }
    }

    fn player(&mut self, element: ElementRef<'_>, kind: &str) {
        let source = element.child_elements().find(|child| child.value().name() == "source");
        let source = element.attr("src").or_else(|| source.and_then(|source| source.attr("src")));
        if let Some(url) = self.address(source) {
            self.page.leaf(with(block(kind), "url", url));
        }
    }

    fn frame(&mut self, element: ElementRef<'_>) {
        if element.attr("srcdoc").is_some() {
            self.page.notes.add(Reason::ScriptRemoved, "iframe with a document of its own");
        }
        let Some(url) = self.address(element.attr("src")) else { return };
        if url.starts_with("http") {
            self.page.leaf(with(block("embed"), "url", url));
        } else {
            self.page.notes.add(Reason::Unsupported, "iframe of a file");
        }
    }

    /// Takes a formula, as TeX where the markup says it; not an element that holds none.
    fn formula(&mut self, element: ElementRef<'_>) -> bool {
        let is_tex = |part: &ElementRef<'_>| part.attr("encoding") == Some("application/x-tex");
        let found = element.descendent_elements().take(MAX_PARTS).find(is_tex);
        let is_math = element.value().name() == "math";
        let tex = match found {
            Some(part) => words(part),
            None if is_math => {
                self.page.notes.add(Reason::Unsupported, "a formula without its source");
                words(element)
            }
            None => return false,
        };
        let tex = tex.trim();
        let above = element.ancestors().take(4).filter_map(ElementRef::wrap);
        let displays = |of: ElementRef<'_>| {
            let by_class = of
                .value()
                .classes()
                .any(|class| matches!(class, "equation" | "katex-display" | "equation-container"));
            by_class || of.attr("display") == Some("block")
        };
        if std::iter::once(element).chain(above).any(displays) {
            self.page.leaf(text_block("equation", tex, Vec::new()));
        } else if !tex.is_empty() {
            self.page.rich.flow(" ");
            self.page.rich.flow(&format!("${tex}$"));
        }
        true
    }

    /// Notion's emoji: of a page, of a callout, or beside a link.
    fn icon(&mut self, element: ElementRef<'_>) {
        let emoji = one_line(&words(element));
        if emoji.is_empty() || emoji.chars().count() > 16 {
            return;
        }
        let is_of_page = element
            .ancestors()
            .take(4)
            .filter_map(ElementRef::wrap)
            .any(|above| above.value().classes().any(|class| class == "page-header-icon"));
        let top = self.page.top();
        if is_of_page {
            self.draft.icon = Some(emoji);
        } else if top.block.kind == "callout" && top.block.text.is_empty() {
            top.block.props.insert("icon".to_owned(), emoji.into());
        }
    }

    fn bookmark(&mut self, element: ElementRef<'_>) {
        let Some(url) = self.address(element.attr("href")).filter(|url| url.starts_with("http")) else {
            self.page.rich.flow(&words(element));
            return;
        };
        let mut bookmark: NewBlock = with(block("bookmark"), "url", url);
        for part in element.descendent_elements().take(MAX_PARTS) {
            let text = || one_line(&words(part));
            for class in part.value().classes() {
                let (name, most) = match class {
                    "bookmark-title" => ("title", 500),
                    "bookmark-description" => ("description", 2_000),
                    _ => continue,
                };
                let text: String = text().chars().take(most).collect();
                if !text.is_empty() {
                    bookmark = with(bookmark, name, text);
                }
            }
        }
        self.page.leaf(bookmark);
    }
}

/// All text in an element.
fn words(element: ElementRef<'_>) -> String {
    element.text().collect()
}
