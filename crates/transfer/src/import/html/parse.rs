//! HTML of strangers as a tree, within bounds. The parser goes on whatever comes, at a cost that grows with how deep
//! elements nest and how many formats are never closed; so it is fed a little at a time and looked at in between.

use crate::import::{archive::Refusal, report::Reason};
use html5ever::{
    driver::{ParseOpts, parse_document},
    tendril::{StrTendril, TendrilSink},
};
use scraper::{Html, HtmlTreeSink};

/// Bytes between two looks.
const BITE: usize = 512;
/// The most nodes of a page, and the deepest they nest. Browsers stop nesting at 512.
const MAX_NODES: usize = 400_000;
const MAX_DEPTH: usize = 256;
/// Nodes that are looked at: not each of them is in the tree yet.
const NEWEST: usize = 8;

/// Reads a document.
///
/// # Errors
/// [`Reason::TooComplex`].
pub(super) fn parse(html: &str) -> Result<Html, Refusal> {
    let mut parser = parse_document(HtmlTreeSink::new(Html::new_document()), ParseOpts::default());
    let mut rest = html;
    while !rest.is_empty() {
        let (bite, behind) = rest.split_at(boundary(rest));
        parser.process(StrTendril::from_slice(bite));
        check(&parser.tokenizer.sink.sink)?;
        rest = behind;
    }
    Ok(parser.finish())
}

/// Where a bite ends.
fn boundary(text: &str) -> usize {
    let most = text.len().min(BITE);
    (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(text.len()).max(1)
}

fn check(sink: &HtmlTreeSink) -> Result<(), Refusal> {
    let html = sink.0.borrow();
    let tree = &html.tree;
    if tree.values().len() > MAX_NODES {
        return Err(Refusal::new(Reason::TooComplex, format!("it has more than {MAX_NODES} parts")));
    }
    if depth(&html) > MAX_DEPTH {
        return Err(Refusal::new(Reason::TooComplex, format!("it nests more than {MAX_DEPTH} deep")));
    }
    Ok(())
}

/// How deep the newest nodes lie: the parser stands where it adds.
fn depth(html: &Html) -> usize {
    let newest = html.tree.nodes().rev().take(NEWEST);
    newest
        .map(|node| node.ancestors().take(MAX_DEPTH + 2).count())
        .max()
        .unwrap_or_default()
}
