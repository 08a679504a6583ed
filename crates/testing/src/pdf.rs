//! The text of a PDF, as whoever selects it on a sheet gets it: characters and not only shapes.

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, GlyphDrawMode, Image, InterpreterCache, InterpreterSettings, Paint, PathDrawMode, SoftMask,
    font::Glyph, hayro_cmap::BfString, hayro_syntax::Pdf, interpret_page,
};
use kurbo::{Affine, BezPath, Rect};

/// Points between the beginnings of two characters from which on they belong to different columns.
const GAP: f64 = 25.0;

/// What stands on each sheet: its lines from top to bottom, each from left to right, columns with a tab between them. A
/// shape without a character is U+FFFD. Words that run from right to left are read from the left here.
///
/// # Panics
/// When it is no PDF.
pub fn read_pdf(bytes: Vec<u8>) -> Vec<Vec<String>> {
    let pdf = Pdf::new(bytes).expect("a PDF");
    let cache = InterpreterCache::new();
    let pages = pdf.pages().iter();
    pages
        .map(|page| {
            // Where the sheet lies, and how large it is, is of no interest.
            let bounds = Rect::new(0.0, 0.0, 1.0, 1.0);
            let mut context = Context::new(Affine::IDENTITY, bounds, &cache, pdf.xref(), InterpreterSettings::default());
            let mut sheet = Sheet::default();
            interpret_page(page, &mut context, &mut sheet);
            sheet.lines()
        })
        .collect()
}

/// A sheet being read: its characters, and where each stands.
#[derive(Default)]
struct Sheet(Vec<(f64, f64, String)>);

impl Sheet {
    fn lines(mut self) -> Vec<String> {
        // Upwards is more; what stands on one line differs by less than a hair.
        let height = |y: f64| (-y * 4.0).round() as i64;
        self.0
            .sort_by(|a, b| (height(a.1), a.0).partial_cmp(&(height(b.1), b.0)).expect("numbers"));
        let rows = self.0.chunk_by(|a, b| height(a.1) == height(b.1));
        rows.map(line).collect()
    }
}

fn line(row: &[(f64, f64, String)]) -> String {
    let mut line = String::new();
    let mut before = row.first().map_or(0.0, |(x, ..)| *x);
    for (x, _, text) in row {
        if x - before > GAP {
            line.push('\t');
        }
        line.push_str(text);
        before = *x;
    }
    line
}

impl Device<'_> for Sheet {
    fn draw_glyph(&mut self, glyph: &Glyph<'_>, transform: Affine, place: Affine, _: &Paint<'_>, _: &GlyphDrawMode) {
        let at = (transform * place).translation();
        let text = match glyph.as_unicode() {
            Some(BfString::Char(c)) => c.to_string(),
            Some(BfString::String(text)) => text,
            None => char::REPLACEMENT_CHARACTER.to_string(),
        };
        self.0.push((at.x, at.y, text));
    }

    fn set_soft_mask(&mut self, _: Option<SoftMask<'_>>) {}
    fn set_blend_mode(&mut self, _: BlendMode) {}
    fn draw_path(&mut self, _: &BezPath, _: Affine, _: &Paint<'_>, _: &PathDrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'_, '_>, _: Affine) {}
    fn pop_clip_path(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
