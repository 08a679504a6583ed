//! Properties: what was typed and how it was formatted is shown by any reader as it was, whatever it was.

use super::*;
use crate::view::Mark;
use comrak::{nodes::AstNode, parse_document};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, json};

/// As GitHub reads it.
fn github() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.table = true;
    extension.tasklist = true;
    extension.strikethrough = true;
    extension.autolink = true;
    extension.footnotes = true;
    extension.math_dollars = true;
    extension.alerts = true;
    options
}

/// Bold, italic, strike, code, link.
type Formats = [bool; 5];

/// Every character of a document that a reader would show, with its formats. Blocks end in a line break.
fn read(markdown: &str) -> Vec<(char, Formats)> {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &github());
    let mut shown = Vec::new();
    let mut tags: Formats = Formats::default();
    for node in root.descendants() {
        let mut formats = around(node);
        formats.iter_mut().zip(tags).for_each(|(format, tag)| *format |= tag);
        let mut show = |text: &str, formats: Formats| shown.extend(text.chars().map(|c| (c, formats)));
        match &node.data().value {
            NodeValue::Text(text) => show(text, formats),
            NodeValue::Code(code) => {
                formats[3] = true;
                show(&code.literal, formats);
            }
            NodeValue::LineBreak | NodeValue::SoftBreak => show("\n", Formats::default()),
            NodeValue::HtmlInline(tag) => match tag.as_str() {
                "<br>" => show("\n", Formats::default()),
                "<strong>" | "</strong>" => tags[0] = !tag.starts_with("</"),
                "<em>" | "</em>" => tags[1] = !tag.starts_with("</"),
                "<del>" | "</del>" => tags[2] = !tag.starts_with("</"),
                "<code>" | "</code>" => tags[3] = !tag.starts_with("</"),
                "<u>" | "</u>" | "<!-- -->" => {}
                tag => panic!("not a tag of ours: {tag}"),
            },
            NodeValue::HtmlBlock(html) if html.literal == "<!-- untitled -->\n" => {}
            NodeValue::Document | NodeValue::Paragraph | NodeValue::Heading(_) | NodeValue::List(_) | NodeValue::Item(_) => {}
            NodeValue::TaskItem(_) | NodeValue::BlockQuote | NodeValue::Table(_) | NodeValue::TableRow(_) | NodeValue::TableCell => {}
            NodeValue::Strong | NodeValue::Emph | NodeValue::Strikethrough | NodeValue::Link(_) => {}
            other => panic!("nobody wrote {other:?} in {markdown:?}"),
        }
    }
    shown
}

fn around<'a>(node: &'a AstNode<'a>) -> Formats {
    let mut formats = Formats::default();
    for ancestor in node.ancestors() {
        match &ancestor.data().value {
            NodeValue::Strong => formats[0] = true,
            NodeValue::Emph => formats[1] = true,
            NodeValue::Strikethrough => formats[2] = true,
            NodeValue::Link(link) if link.url == "/a" => formats[4] = true,
            _ => {}
        }
    }
    formats
}

fn text_of(shown: &[(char, Formats)]) -> String {
    shown.iter().map(|(c, _)| c).collect()
}

/// The rule of blanks: those at the ends of lines go, and empty lines around the text; NUL is not a character.
fn expected(text: &str) -> String {
    let lines: Vec<_> = text
        .trim_end()
        .split('\n')
        .map(|line| line.trim_end_matches([' ', '\t', '\r']))
        .collect();
    let lines: Vec<_> = lines.into_iter().skip_while(|line| line.is_empty()).collect();
    lines.join("\n").replace('\0', "\u{fffd}")
}

fn block(kind: &str, text: &str, marks: Vec<Mark>) -> Block {
    Block {
        id: "b".into(),
        kind: kind.into(),
        text: text.into(),
        marks,
        props: Map::new(),
        children: vec![],
    }
}

/// What Markdown cares about.
const SPECIAL: &[&str] = &[
    "#",
    "*",
    "_",
    "`",
    "~",
    "[",
    "]",
    "(",
    ")",
    "!",
    "<",
    ">",
    "&",
    "\\",
    "|",
    "-",
    "+",
    "=",
    ":",
    ".",
    "$",
    "^",
    "\"",
    "'",
    "@",
    "%",
    "{",
    "}",
    "/",
    ";",
    ",",
    "?",
    "\n",
    "\t",
    " ",
    "  ",
    "    ",
    "1",
    "23. ",
    "- ",
    "a",
    "b",
    "é",
    "😀",
    "\u{a0}",
    "\u{301}",
    "、",
    "€",
    "---",
    "```",
    "$$",
    "**",
    "~~",
    "&amp;",
    "&#65;",
    "<b>",
    "</b>",
    "<!--",
    "-->",
    "http://",
    "https://a.b",
    "www.",
    "a@b.co",
    "mailto:",
    "[x] ",
    "](",
    "![",
    "[^1]",
    ":-",
    "|-|",
    "\r",
    "\0",
    "\u{b}",
    "\u{feff}",
    "\u{2028}",
    "ftp://",
    "xmpp:",
    "[a]: ",
    "{{",
    "//",
];

/// Text made of what Markdown cares about, and any text.
pub(super) fn texts() -> impl Strategy<Value = String> {
    let special = select(SPECIAL);
    let structured = vec(special, 0..24).prop_map(|parts| parts.concat());
    prop_oneof![4 => structured, 1 => any::<String>(), 1 => "\\PC{0,40}"]
}

pub(super) fn marks() -> impl Strategy<Value = Vec<Mark>> {
    let values = [
        ("bold", json!(true)),
        ("italic", json!(true)),
        ("strike", json!(true)),
        ("code", json!(true)),
        ("link", json!("/a")),
        ("underline", json!(true)),
    ];
    let mark = (select(values.to_vec()), 0..40_usize, 0..40_usize);
    let mark = mark.prop_map(|((name, value), start, len)| Mark {
        name: name.into(),
        value,
        start,
        end: start + len,
    });
    vec(mark, 0..7)
}

/// Blocks of the kinds that nest, in each other.
pub(super) fn trees() -> impl Strategy<Value = Vec<Block>> {
    let kinds = vec![
        "paragraph",
        "bulleted_list_item",
        "numbered_list_item",
        "numbered_list_item 5",
        "todo",
        "quote",
        "callout",
        "code",
        "heading",
        "divider",
    ];
    let texts = select(vec![
        "", "a", "b\nc", "- d", "1. e", "> f", "# g", "```", "    h", "i\n\n\tj", "---", "[x] k",
    ]);
    let leaf = (select(kinds), texts).prop_map(|(kind, text)| tree(kind, text));
    let nested = leaf.prop_recursive(5, 24, 4, |inner| {
        (inner.clone(), vec(inner, 0..4)).prop_map(|(mut block, children)| {
            block.children = children;
            block
        })
    });
    vec(nested, 0..5)
}

fn tree(kind: &str, text: &str) -> Block {
    let (kind, start) = kind.split_once(' ').unwrap_or((kind, ""));
    let mut block = block(kind, if kind == "todo" && text.is_empty() { "todo" } else { text }, vec![]);
    if !start.is_empty() {
        block.props.insert("start".into(), json!(5));
    }
    block.props.insert("tone".into(), json!("tip"));
    block
}

/// The blocks as nested words. Only items, quotes and callouts hold others in Markdown.
fn outline(blocks: &[Block], out: &mut String) {
    for block in blocks {
        let text = expected(&block.text);
        match block.kind.as_str() {
            "paragraph" => out.push_str(&text),
            "heading" => out.extend(["h:", &text.replace('\n', " ")]),
            "code" => out.extend(["code:", &block.text]),
            "divider" => out.push_str("hr"),
            kind => out.extend([kind, "(", &text]),
        }
        out.push(' ');
        outline(&block.children, out);
        if !matches!(block.kind.as_str(), "paragraph" | "heading" | "code" | "divider") {
            out.push_str(") ");
        }
    }
}

fn outline_read<'a>(parent: &'a AstNode<'a>, out: &mut String) {
    for node in parent.children() {
        let data = node.data();
        let (open, close) = match &data.value {
            NodeValue::List(_) => ("", ""),
            NodeValue::Item(list) if list.list_type == comrak::nodes::ListType::Ordered => ("numbered_list_item(", ") "),
            NodeValue::Item(_) => ("bulleted_list_item(", ") "),
            NodeValue::TaskItem(_) => ("todo(", ") "),
            NodeValue::BlockQuote => ("quote(", ") "),
            NodeValue::Alert(_) => ("callout(", ") "),
            NodeValue::Heading(_) => ("h:", " "),
            NodeValue::Paragraph => ("", " "),
            NodeValue::ThematicBreak => ("hr ", ""),
            NodeValue::CodeBlock(code) => {
                out.extend(["code:", code.literal.strip_suffix('\n').unwrap_or_default(), " "]);
                continue;
            }
            NodeValue::HtmlBlock(html) if html.literal.starts_with("<!--") => continue,
            NodeValue::Text(text) => (&**text, ""),
            NodeValue::LineBreak => ("\n", ""),
            NodeValue::SoftBreak => ("SOFT", ""),
            other => panic!("nobody wrote {other:?}"),
        };
        out.push_str(open);
        outline_read(node, out);
        out.push_str(close);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_reads_back_in_any_block(text in texts()) {
        for kind in ["paragraph", "heading", "bulleted_list_item", "numbered_list_item", "todo", "quote"] {
            let markdown = to_markdown("", &[block(kind, &text, vec![])]);
            let expected = expected(&text);
            let expected = if kind == "heading" { expected.replace('\n', " ") } else { expected };
            prop_assert_eq!(text_of(&read(&markdown)), expected, "{} {:?}", kind, markdown);
        }
    }

    #[test]
    fn any_tree_reads_back(blocks in trees()) {
        let markdown = to_markdown("", &blocks);
        let (mut wanted, mut seen) = (String::new(), String::new());
        outline(&blocks, &mut wanted);
        let arena = Arena::new();
        outline_read(parse_document(&arena, &markdown, &github()), &mut seen);
        let words = |outline: &str| outline.replace('(', "( ").split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        prop_assert_eq!(words(&seen), words(&wanted), "\n{}", markdown);
    }

    #[test]
    fn any_title_reads_back(text in texts()) {
        let expected = expected(&text).replace('\n', " ");
        let shown = if text.trim().is_empty() { String::new() } else { expected };
        prop_assert_eq!(text_of(&read(&to_markdown(&text, &[]))), shown);
    }

    #[test]
    fn any_cell_reads_back(text in texts()) {
        let mut row = block("table_row", "", vec![]);
        row.props.insert("cells".into(), json!([text, "end"]));
        let mut table = block("table", "", vec![]);
        table.children.push(row);
        let markdown = to_markdown("", &[table]);
        prop_assert_eq!(text_of(&read(&markdown)), expected(&text) + "end", "{:?}", markdown);
    }

    #[test]
    fn any_format_reads_back(text in texts(), marks in marks()) {
        let markdown = to_markdown("", &[block("paragraph", &text, marks.clone())]);
        let shown = read(&markdown);
        let wanted = formatted(&text, &marks);
        let blank = |c: char| c.is_whitespace() || c.is_control() || c == '\u{fffd}';
        let ink = |all: &[(char, Formats)]| all.iter().filter(|(c, _)| !blank(*c)).copied().collect::<Vec<_>>();
        prop_assert_eq!(ink(&shown), ink(&wanted), "{:?}", markdown);
    }

    #[test]
    fn code_and_toggles_let_nothing_out(text in texts()) {
        let mut toggle = block("toggle", &text, vec![]);
        toggle.children.push(block("code", &text, vec![]));
        let arena = Arena::new();
        let markdown = to_markdown("", &[toggle]);
        let root = parse_document(&arena, &markdown, &github());
        let kinds: Vec<_> = root.children().map(|node| node.data().value.xml_node_name()).collect();
        prop_assert_eq!(kinds, ["html_block", "code_block", "html_block"], "{:?}", markdown);
    }

    #[test]
    fn any_formula_stays_a_formula(text in texts()) {
        let arena = Arena::new();
        let markdown = to_markdown("", &[block("equation", &text, vec![])]);
        let root = parse_document(&arena, &markdown, &github());
        for node in root.descendants().skip(1) {
            let value = &node.data().value;
            prop_assert!(matches!(value, NodeValue::Paragraph | NodeValue::Math(_) | NodeValue::CodeBlock(_)), "{:?} {:?}", value, markdown);
        }
    }
}

/// Each character with the formats its marks ask for.
fn formatted(text: &str, marks: &[Mark]) -> Vec<(char, Formats)> {
    let mut unit = 0;
    let formats_at = |from: usize, to: usize| {
        let covers = |name: &str| {
            marks
                .iter()
                .any(|mark| mark.name == name && mark.start < mark.end && mark.start < to && from < mark.end)
        };
        ["bold", "italic", "strike", "code", "link"].map(covers)
    };
    text.chars()
        .map(|c| {
            let start = unit;
            unit += c.len_utf16();
            (c, formats_at(start, unit))
        })
        .collect()
}
