//! PDF: a page comes in as data and leaves as typeset bytes. It knows no page, no database and no network.
//!
//! The engine is typst. What it reads is our template alone; the page is JSON to it, and texts of people are shown as texts
//! whatever stands in them. It sees no file system, no packages and no clock ([`world`]). What it may take of time and
//! memory it cannot bound itself, so the product runs it in a process of its own ([`pipe`]).

mod fonts;
mod math;
mod picture;
pub mod pipe;
mod prepare;
pub mod sheet;
mod world;

#[cfg(test)]
mod tests;

pub use fonts::Places;
pub use sheet::Sheet;

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use typst::{diag::SourceDiagnostic, foundations::Smart, layout::FrameItem, text::TextItem};
use typst_kit::fonts::FontStore;
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

/// The most characters without a glyph that are told.
const MAX_TOLD: usize = 100;

/// Why a page could not be typeset.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Blocks stand deeper in one another than the engine goes.
    #[error("blocks stand more than {} deep in one another", sheet::MAX_NESTING)]
    TooDeep,
    /// The engine refused it: a fault of our template.
    #[error("the engine refused the page: {0}")]
    Refused(String),
    /// What came through the pipe is no page.
    #[error("what came in is no page: {0}")]
    Unreadable(#[from] std::io::Error),
}

/// A typeset page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typeset {
    /// The PDF.
    pub pdf: Vec<u8>,
    /// What is to be said about it.
    pub report: Report,
}

/// What is to be said about a typeset page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How many sheets of paper it takes.
    pub sheets: usize,
    /// Characters that no font has, and that stand there as empty boxes; the first hundred.
    pub missing_glyphs: Vec<String>,
    /// Formulas that could not be read and stand there as they were written.
    pub formulas_as_text: usize,
    /// Pictures that could not be shown.
    pub pictures_left_out: usize,
}

/// Typesets a page. Takes seconds of CPU for hundreds of sheets: never on an async thread.
///
/// # Errors
/// [`Error::TooDeep`], or that the engine refuses.
pub fn typeset(mut sheet: Sheet, places: &Places) -> Result<Typeset, Error> {
    if prepare::is_deeper(&mut sheet.blocks, sheet::MAX_NESTING) {
        return Err(Error::TooDeep);
    }
    let mut prepared = prepare::prepare(sheet)?;
    let store = fonts::for_texts(places, prepare::texts(&prepared.sheet).into_iter());
    prepare::keep_drawable_icons(&mut prepared.sheet, store.book());
    let (document, formulas_as_text) = match compile(&prepared, store) {
        Ok(document) => (document, prepared.formulas_as_text),
        // Every formula that was read is a tree the engine should take; if it does not, the page is worth more than they.
        Err(_) if prepared.formulas > 0 => {
            let lost = prepare::forget_formulas(&mut prepared.sheet);
            let store = fonts::for_texts(places, prepare::texts(&prepared.sheet).into_iter());
            (compile(&prepared, store)?, prepared.formulas_as_text + lost)
        }
        Err(refused) => return Err(refused),
    };
    let pdf = typst_pdf::pdf(&document, &options()).map_err(|why| refused(&why))?;
    let report = Report {
        sheets: document.pages().len(),
        missing_glyphs: missing_glyphs(&document),
        formulas_as_text,
        pictures_left_out: prepared.pictures_left_out,
    };
    Ok(Typeset { pdf, report })
}

fn compile(prepared: &prepare::Prepared, store: FontStore) -> Result<PagedDocument, Error> {
    let data = serde_json::to_vec(&prepared.sheet).map_err(std::io::Error::other)?;
    let mut files = prepared.images.clone();
    files.push(("/sheet.json".to_owned(), data));
    let room = world::Room::new(store, files).ok_or_else(|| Error::Refused("a path of ours is none".to_owned()))?;
    typst::compile::<PagedDocument>(&room).output.map_err(|why| refused(&why))
}

/// What can be read on the sheets, in the order in which it was set.
#[cfg(test)]
fn words(sheet: Sheet, places: &Places) -> Result<String, Error> {
    let mut prepared = prepare::prepare(sheet)?;
    let store = fonts::for_texts(places, prepare::texts(&prepared.sheet).into_iter());
    prepare::keep_drawable_icons(&mut prepared.sheet, store.book());
    let document = compile(&prepared, store)?;
    let mut seen = String::new();
    each_text(&document, |text| seen.push_str(&text.text));
    Ok(seen)
}

fn options() -> PdfOptions {
    PdfOptions {
        creator: Smart::Custom(Some("Sheaf".to_owned())),
        ..PdfOptions::default()
    }
}

fn refused(why: &[SourceDiagnostic]) -> Error {
    let said: Vec<&str> = why.iter().take(3).map(|one| one.message.as_str()).collect();
    Error::Refused(said.join("; "))
}

/// The characters whose glyph is the one for what a font does not have.
fn missing_glyphs(document: &PagedDocument) -> Vec<String> {
    let mut found = BTreeSet::new();
    each_text(document, |text| {
        let lost = text.glyphs.iter().filter(|glyph| glyph.id == 0);
        let chars = lost.flat_map(|glyph| text.text.get(glyph.range()).unwrap_or_default().chars());
        found.extend(chars.filter(|c| !fonts::is_invisible(*c)));
    });
    found.into_iter().take(MAX_TOLD).map(String::from).collect()
}

/// Every text that was set, in order.
fn each_text(document: &PagedDocument, mut visit: impl FnMut(&TextItem)) {
    for page in document.pages() {
        let mut open: Vec<_> = vec![page.frame.items()];
        while let Some(items) = open.last_mut() {
            match items.next() {
                Some((_, FrameItem::Group(group))) => open.push(group.frame.items()),
                Some((_, FrameItem::Text(text))) => visit(text),
                Some((_, FrameItem::Shape(..) | FrameItem::Image(..) | FrameItem::Link(..) | FrameItem::Tag(_))) => {}
                None => drop(open.pop()),
            }
        }
    }
}
