//! Markdown as a page: what stands before the text, Notion's own, and texts too long to be read at once.

use super::{
    archive::Refusal,
    draft::{Draft, Links, text_block},
    grid, matter, notion,
    report::{Notes, Reason},
};
use documents::{
    markdown::{Loss, Read, Unreadable, read_with},
    op::NewBlock,
    view::Block,
};
use std::cell::RefCell;

/// Bytes that are read at once. A longer text is parted at headings.
const AT_ONCE: usize = 4 << 20;
/// The longest name of a property that is one.
const MAX_CELL: usize = 2_000;

/// What of Notion's habits a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// None.
    Plain,
    /// A page of Notion's.
    Notion,
    /// A row of one of its databases.
    NotionRow,
}

/// Reads a text.
///
/// # Errors
/// When it is beyond a bound.
pub fn read(text: &str, flavour: Flavour, links: Links<'_>) -> Result<Draft, Refusal> {
    let (matter, text) = matter::take(text);
    let (mut properties, mut text) = (matter.others, std::borrow::Cow::Borrowed(text));
    if flavour == Flavour::NotionRow {
        let (found, rest) = notion::take_properties(&text);
        properties.extend(found);
        text = rest.into();
    }
    if flavour != Flavour::Plain {
        text = notion::with_callouts(&text).into();
    }
    let mut draft = Draft {
        title: matter.title,
        icon: matter.icon,
        ..Draft::default()
    };
    draft.blocks.extend(table_of(properties, &mut draft.notes));
    let begins_with_title = draft.title.is_none();
    for (number, section) in sections(&text).into_iter().enumerate() {
        let read = section_of(section, links, &mut draft.notes)?;
        match read.title {
            Some(title) if number == 0 && (begins_with_title || draft.title.as_ref() == Some(&title)) => draft.title = Some(title),
            Some(title) => draft.blocks.push(heading(title)),
            None => {}
        }
        draft.blocks.extend(read.blocks.into_iter().map(new_block));
    }
    if flavour != Flavour::Plain {
        notion::take_icons(&mut draft.blocks);
    }
    Ok(draft)
}

fn heading(title: String) -> NewBlock {
    super::draft::with(text_block("heading", title, Vec::new()), "level", 1)
}

fn section_of(text: &str, links: Links<'_>, notes: &mut Notes) -> Result<Read, Refusal> {
    let lost = RefCell::new(Notes::default());
    let links = RefCell::new(links);
    let read = read_with(text, &|reference: &str| {
        let target = (links.borrow_mut())(reference);
        target.address(reference, &mut lost.borrow_mut())
    });
    notes.extend(lost.into_inner());
    let read = read.map_err(|error| match error {
        Unreadable::TooComplex | Unreadable::TooManyBlocks => Refusal::new(Reason::TooComplex, error.to_string()),
        Unreadable::TooLong => Refusal::new(Reason::TooLarge, error.to_string()),
        Unreadable::Cut => Refusal::new(Reason::Damaged, error.to_string()),
    })?;
    for note in &read.notes {
        let reason = match note.loss {
            Loss::Html | Loss::Tag => Reason::Unsupported,
            Loss::Nesting => Reason::Flattened,
            Loss::Length => Reason::TextSplit,
            // Where links lead was noted above, with the link.
            Loss::Link | Loss::Comment | Loss::Level | Loss::Detail => continue,
        };
        notes.add(reason, format!("line {}: {}", note.line, note.loss.detail()));
    }
    Ok(read)
}

/// The properties as a table of two columns.
fn table_of(properties: Vec<(String, String)>, notes: &mut Notes) -> Vec<NewBlock> {
    let short = |text: String| text.chars().take(MAX_CELL).collect::<String>();
    let cell = |text: String| text_block("paragraph", short(text), Vec::new());
    let rows = properties.into_iter().map(|(name, value)| vec![cell(name), cell(value)]).collect();
    let shape = grid::Shape {
        has_header_row: false,
        has_header_column: true,
    };
    grid::tables(rows, shape, notes)
}

/// A block that was read, as one to be made.
pub fn new_block(mut block: Block) -> NewBlock {
    NewBlock {
        id: Some(std::mem::take(&mut block.id)).filter(|id| !id.is_empty()),
        kind: std::mem::take(&mut block.kind),
        text: std::mem::take(&mut block.text),
        marks: std::mem::take(&mut block.marks),
        props: std::mem::take(&mut block.props),
        children: std::mem::take(&mut block.children).into_iter().map(new_block).collect(),
    }
}

/// The text in pieces of at most [`AT_ONCE`] bytes where it has headings, outside of code, to be parted at.
fn sections(text: &str) -> Vec<&str> {
    let (mut sections, mut start, mut at) = (Vec::new(), 0, 0);
    let mut fence: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark));
        match (fence, mark) {
            (None, Some(_)) => fence = mark,
            (Some(open), Some(mark)) if open == mark => fence = None,
            _ => {}
        }
        let is_heading = fence.is_none() && line.starts_with('#');
        if is_heading && at - start + line.len() > AT_ONCE / 2 {
            sections.push(&text[start..at]);
            start = at;
        }
        at += line.len();
    }
    sections.push(&text[start..]);
    sections
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::draft::{Reference, Target, read_reference};
    use proptest::prelude::*;

    fn links(reference: &str) -> Target {
        match read_reference(reference) {
            Reference::Whole(target) => target,
            Reference::Path(_) => Target::File(3),
        }
    }

    fn draft(text: &str, flavour: Flavour) -> Draft {
        read(text, flavour, &mut links).expect("is read")
    }

    #[test]
    fn a_row_of_a_database_has_its_properties() {
        let draft = draft(
            "# Buy gears\n\nStatus: Done\n\n<aside>\n💡 Mind the *gap*\n\n</aside>\n\n![x](a%20b/x.png)\n",
            Flavour::NotionRow,
        );
        assert_eq!(draft.title.as_deref(), Some("Buy gears"));
        let kinds: Vec<&str> = draft.blocks.iter().map(|block| block.kind.as_str()).collect();
        assert_eq!(kinds, ["table", "callout", "image"]);
        assert_eq!(draft.blocks[1].props["icon"], "💡");
        assert_eq!(draft.blocks[1].text, "Mind the gap");
        assert_eq!(draft.blocks[2].props["url"], "/@file/3");
    }

    #[test]
    fn a_title_may_stand_before_the_text() {
        let draft = draft(
            "---\ntitle: Plan\ntags: [a]\n---\n# Another\n\ntext <script>alert(1)</script>\n",
            Flavour::Plain,
        );
        assert_eq!(draft.title.as_deref(), Some("Plan"));
        assert_eq!(draft.blocks[1].text, "Another");
        assert!(draft.notes.has(Reason::Unsupported));
    }

    #[test]
    fn a_long_text_is_read_in_pieces_without_a_loss() {
        let chapter = format!("# Chapter\n\n```\n# no heading\n```\n\n{}\n\n", "word ".repeat(100_000));
        let text = chapter.repeat(12);
        assert!(sections(&text).len() > 1);
        assert_eq!(sections(&text).concat(), text);
        let draft = draft(&text, Flavour::Plain);
        let count = |kind: &str| draft.blocks.iter().filter(|block| block.kind == kind).count();
        assert_eq!((count("heading"), count("code")), (11, 12));
    }

    proptest! {
        #[test]
        fn any_text_is_a_page(text in "[a-z#*_`>|\\[\\]()!<\\-\n:~$ ]{0,300}") {
            for flavour in [Flavour::Plain, Flavour::NotionRow] {
                let mut notes = Notes::default();
                let blocks = crate::import::fit::fit(draft(&text, flavour).blocks, &mut notes);
                documents::page::Page::create("", &blocks, &documents::limits::Limits::default(), 0).expect("a page takes it");
            }
        }
    }
}
