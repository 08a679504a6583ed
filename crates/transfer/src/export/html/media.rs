//! Blocks that point at something: pictures, files, sites, pages.

use super::{Writer, escaped};
use crate::export::around::{label, number_prop, text_prop};
use base64::{Engine, prelude::BASE64_STANDARD};
use documents::view::Block;

/// Pictures that may stand in the file itself. Not SVG, which is a document with scripts.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

impl Writer<'_> {
    pub(super) fn image(&mut self, block: &Block) {
        let Some(source) = self.picture(block) else {
            return self.card(block, "image");
        };
        let size = |name| {
            number_prop(block, name, 1.0, 20_000.0)
                .map(|pixels| format!(" {name}=\"{pixels}\""))
                .unwrap_or_default()
        };
        let side = match text_prop(block, "align") {
            Some("center") => " class=\"center\"",
            Some("right") => " class=\"right\"",
            _ => "",
        };
        let alt = escaped(label(block, &["alt", "caption", "name"]));
        self.raw(&format!(
            "<figure{side}><img src=\"{}\" alt=\"{alt}\"{}{}>",
            escaped(&source),
            size("width"),
            size("height")
        ));
        if block.text.trim().is_empty() {
            self.caption(text_prop(block, "caption"));
        } else {
            self.raw("<figcaption>");
            self.text(block);
            self.raw("</figcaption>");
        }
        self.raw("</figure>\n");
    }

    /// Where a picture is: in the file, beside it, or on the web.
    fn picture(&self, block: &Block) -> Option<String> {
        match self.around.inside(block) {
            Some((media_type, bytes)) if PICTURES.contains(&media_type) => {
                Some(format!("data:{media_type};base64,{}", BASE64_STANDARD.encode(bytes)))
            }
            Some(_) => None,
            None => self.around.source(block).filter(|source| !source.starts_with("mailto:")),
        }
    }

    pub(super) fn card(&mut self, block: &Block, kind: &str) {
        let source = self.around.source(block);
        let title = label(block, &["title", "name", "caption", "alt"]);
        let title = if title.is_empty() {
            source.as_deref().unwrap_or("Without a name")
        } else {
            title
        };
        let detail = ["description", "caption"]
            .iter()
            .find_map(|name| text_prop(block, name))
            .filter(|detail| *detail != title);
        let kind = text_prop(block, "provider").unwrap_or(kind);
        self.raw(&format!("<p class=\"card\"><span class=\"kind\">{}</span><span>", escaped(kind)));
        match &source {
            Some(source) => self.raw(&format!(
                "<a href=\"{}\" rel=\"noopener noreferrer\">{}</a>",
                escaped(source),
                escaped(title)
            )),
            None => self.raw(&format!("<strong>{}</strong>", escaped(title))),
        }
        if let Some(detail) = detail.or(text_prop(block, "url")) {
            self.raw(&format!("<br><small>{}</small>", escaped(detail)));
        }
        self.raw("</span></p>\n");
    }

    pub(super) fn page_link(&mut self, block: &Block, what: &str, prop: &str, path: &str) {
        let href = self.around.href(&format!("{path}{}", text_prop(block, prop).unwrap_or_default()));
        let icon = text_prop(block, "icon").filter(|icon| icon.chars().count() <= 8).unwrap_or("📄");
        let title = label(block, &["title"]);
        let title = escaped(if title.is_empty() { what } else { title });
        let icon = escaped(icon);
        match href {
            Some(href) => self.raw(&format!(
                "<p class=\"page\"><span aria-hidden=\"true\">{icon}</span> <a href=\"{}\" rel=\"noopener noreferrer\">{title}</a></p>\n",
                escaped(&href)
            )),
            None => self.raw(&format!("<p class=\"page\"><span aria-hidden=\"true\">{icon}</span> {title}</p>\n")),
        }
    }
}
