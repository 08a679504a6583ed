//! A page as one HTML file that needs nothing else: its style stands in it, no script runs in it, and its policy says so to
//! the browser. Everything people wrote is escaped; links lead only where we would let them be stored.

mod blocks;
mod formula;
mod media;

use super::{
    around::Around,
    runs::{self, Run, Style},
};
use documents::{kinds::Mention, view::Block};
use std::fmt::Write;

const STYLE: &str = include_str!("html/style.css");
/// The deepest that blocks are nested; deeper ones stand on the last level.
const MAX_NESTING: usize = 64;

/// Writes a page as HTML.
pub fn page(title: &str, icon: Option<&str>, blocks: &[Block], around: &Around) -> String {
    let mut writer = Writer {
        html: String::new(),
        around,
        headings: super::html::blocks::headings(blocks),
        depth: 0,
    };
    let title = if title.trim().is_empty() { "Untitled" } else { title };
    writer.head(title);
    if let Some(icon) = icon.filter(|icon| icon.chars().count() <= 8 && !icon.contains('/')) {
        writer.element("p", " class=\"icon\" aria-hidden=\"true\"", icon);
    }
    writer.element("h1", &direction(title), title);
    writer.blocks(blocks);
    let date = &around.date;
    writer.raw(&format!(
        "\n<footer>Exported from Sheaf on {}</footer>\n</main>\n</body>\n</html>\n",
        escaped(date)
    ));
    writer.html
}

struct Writer<'a> {
    html: String,
    around: &'a Around,
    /// Level, id and text of the headings, for tables of contents.
    headings: Vec<(u8, String, String)>,
    depth: usize,
}

/// Text as it may stand in an element or an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => html.push(c),
        }
    }
    html
}

/// Says that a text runs from right to left, where it does.
fn direction(text: &str) -> String {
    if runs::is_rtl(text) {
        " dir=\"rtl\"".to_owned()
    } else {
        String::new()
    }
}

impl Writer<'_> {
    fn head(&mut self, title: &str) {
        // No script, no frame, no form; pictures and films of the page alone.
        let policy =
            "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; media-src * data:; base-uri 'none'; form-action 'none'";
        let title = escaped(title);
        self.raw(&format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"generator\" content=\"Sheaf\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        ));
    }

    /// What is HTML already.
    fn raw(&mut self, html: &str) {
        self.html.push_str(html);
    }

    /// An element around a text. The attributes are ours.
    fn element(&mut self, tag: &str, attributes: &str, text: &str) {
        let text = escaped(text);
        self.raw(&format!("<{tag}{attributes}>{text}</{tag}>\n"));
    }

    /// The text of a block.
    fn text(&mut self, block: &Block) {
        for run in runs::of(block) {
            self.run(&run);
        }
    }

    fn run(&mut self, run: &Run<'_>) {
        let tags = self.tags(&run.style);
        for (open, _) in &tags {
            self.html.push_str(open);
        }
        for (number, line) in run.text.split('\n').enumerate() {
            if number > 0 {
                self.raw("<br>\n");
            }
            let line = escaped(line);
            self.raw(&line);
        }
        for (_, close) in tags.iter().rev() {
            self.html.push_str(close);
        }
    }

    /// What opens and closes around a run, outermost first.
    fn tags(&self, style: &Style) -> Vec<(String, &'static str)> {
        let mut tags: Vec<(String, &'static str)> = Vec::new();
        let href = match &style.mention {
            Some(Mention::Page(id)) => self.around.page(id),
            Some(Mention::User(_)) => {
                tags.push(("<span class=\"mention\">".to_owned(), "</span>"));
                None
            }
            Some(Mention::Date(date)) => {
                tags.push((format!("<time datetime=\"{}\">", escaped(date)), "</time>"));
                None
            }
            None => style.link.as_deref().and_then(|link| self.around.href(link)),
        };
        if let Some(href) = href {
            tags.push((format!("<a href=\"{}\" rel=\"noopener noreferrer\">", escaped(&href)), "</a>"));
        }
        let mut css = String::new();
        if let Some(color) = &style.color {
            let _ = write!(css, "color:{color}");
        }
        if let Some(highlight) = &style.highlight {
            tags.push((format!("<mark style=\"background:{}\">", escaped(highlight)), "</mark>"));
        }
        if !css.is_empty() {
            tags.push((format!("<span style=\"{}\">", escaped(&css)), "</span>"));
        }
        let simple = [
            (style.bold, "<strong>", "</strong>"),
            (style.italic, "<em>", "</em>"),
            (style.underline, "<u>", "</u>"),
            (style.strike, "<s>", "</s>"),
            (style.code, "<code>", "</code>"),
        ];
        tags.extend(
            simple
                .into_iter()
                .filter(|(is_on, ..)| *is_on)
                .map(|(_, open, close)| (open.to_owned(), close)),
        );
        tags
    }
}
