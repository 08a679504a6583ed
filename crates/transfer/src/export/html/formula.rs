//! Formulas in LaTeX as MathML, which browsers draw by themselves; what cannot be read stands as it was written.

use super::{Writer, escaped};
use documents::view::Block;
use pulldown_latex::{Parser, RenderConfig, Storage, config::DisplayMode, push_mathml};
use std::thread;

/// The longest formula that is read, in bytes.
const MAX_BYTES: usize = 4_000;
/// The longest MathML that is kept of one.
const MAX_MATHML: usize = 1 << 20;
/// The reader recurses over what it finds, a few times a byte.
const STACK: usize = 64 << 20;

impl Writer<'_> {
    pub(super) fn equation(&mut self, block: &Block) {
        let latex = block.text.trim();
        match mathml(latex) {
            Some(mathml) => self.raw(&format!("<div class=\"math\">{mathml}</div>\n")),
            None if latex.is_empty() => {}
            None => self.raw(&format!("<div class=\"math\"><code>{}</code></div>\n", escaped(latex))),
        }
    }
}

/// A formula as MathML; none when it cannot be read.
fn mathml(latex: &str) -> Option<String> {
    if latex.is_empty() || latex.len() > MAX_BYTES {
        return None;
    }
    let latex = latex.to_owned();
    let reading = thread::Builder::new().stack_size(STACK).spawn(move || read(&latex)).ok()?;
    // A panic of the reader costs the formula, not the page.
    reading.join().ok().flatten()
}

fn read(latex: &str) -> Option<String> {
    let storage = Storage::new();
    let events: Vec<_> = Parser::new(latex, &storage).collect::<Result<_, _>>().ok()?;
    let config = RenderConfig {
        display_mode: DisplayMode::Block,
        ..RenderConfig::default()
    };
    let mut html = String::new();
    let events = events.into_iter().map(Ok::<_, std::convert::Infallible>);
    push_mathml(&mut html, events, config).ok()?;
    (html.len() <= MAX_MATHML).then_some(html)
}
