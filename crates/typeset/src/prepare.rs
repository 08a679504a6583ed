//! The page as the template reads it: formulas read, pictures looked at, everything that could stop the engine taken out.

use crate::{Error, fonts, math, picture, sheet::Block, sheet::Sheet};
use serde_json::{Value, json};
use typst::text::FontBook;

/// The highest that a picture may stand, in points: less than a sheet has room for.
const MAX_HEIGHT: f64 = 600.0;
/// The widest, in points: as wide as the text.
const MAX_WIDTH: f64 = 465.0;
/// Points that a pixel takes when nobody says how wide a picture is.
const POINTS_PER_PIXEL: f64 = 0.75;

/// A page for the template.
pub(crate) struct Prepared {
    /// What the template reads.
    pub sheet: Value,
    /// The pictures by their paths.
    pub images: Vec<(String, Vec<u8>)>,
    /// Formulas that were read.
    pub formulas: usize,
    /// Formulas that could not be.
    pub formulas_as_text: usize,
    /// Pictures that cannot be shown.
    pub pictures_left_out: usize,
}

/// Whether blocks stand deeper in one another than this. Does not recurse.
pub(crate) fn is_deeper(blocks: &mut Vec<Block>, limit: usize) -> bool {
    let mut level = vec![blocks];
    for _ in 0..limit {
        level = level
            .into_iter()
            .flatten()
            .flat_map(Block::inside_mut)
            .filter(|inside| !inside.is_empty())
            .collect();
        if level.is_empty() {
            return false;
        }
    }
    true
}

/// Makes of a page what the template reads.
///
/// # Errors
/// When it cannot be written as JSON.
pub(crate) fn prepare(mut sheet: Sheet) -> Result<Prepared, Error> {
    let pictures = std::mem::take(&mut sheet.images);
    let checked: Vec<_> = pictures.iter().map(|bytes| picture::check(bytes)).collect();
    let mut prepared = Prepared {
        sheet: serde_json::to_value(&sheet).map_err(std::io::Error::other)?,
        images: Vec::new(),
        formulas: 0,
        formulas_as_text: 0,
        pictures_left_out: 0,
    };
    let mut value = prepared.sheet.take();
    each_block(&mut value, &mut |block| match block["kind"].as_str() {
        Some("equation") => prepared.formula(block),
        Some("image") => prepared.image(block, &checked),
        _ => {}
    });
    prepared.sheet = value;
    let paths = pictures.into_iter().zip(&checked).enumerate();
    let shown = paths.filter_map(|(at, (bytes, checked))| Some((path(at, checked.as_ref()?.extension), bytes)));
    prepared.images = shown.collect();
    Ok(prepared)
}

fn path(at: usize, extension: &str) -> String {
    format!("/images/{at}.{extension}")
}

impl Prepared {
    fn formula(&mut self, block: &mut Value) {
        let tree = math::read(block["latex"].as_str().unwrap_or_default());
        match tree.and_then(|tree| serde_json::to_value(tree).ok()) {
            Some(tree) => {
                self.formulas += 1;
                block["tree"] = tree;
            }
            None => {
                self.formulas_as_text += 1;
                block["tree"] = Value::Null;
            }
        }
    }

    fn image(&mut self, block: &mut Value, checked: &[Option<picture::Checked>]) {
        let at = block["image"]
            .as_u64()
            .and_then(|at| usize::try_from(at).ok())
            .unwrap_or(usize::MAX);
        let Some(Some(picture)) = checked.get(at) else {
            self.pictures_left_out += 1;
            let alt = block["alt"].as_str().unwrap_or_default();
            let title = if alt.is_empty() { "Picture" } else { alt };
            *block = json!({ "kind": "card", "label": "Picture", "icon": null, "title": title, "detail": "It cannot be shown here.", "link": null });
            return;
        };
        let (wide, high) = (f64::from(picture.size.0), f64::from(picture.size.1));
        let wanted = block["width"].as_f64().unwrap_or(wide * POINTS_PER_PIXEL);
        let width = wanted.min(MAX_WIDTH).min(MAX_HEIGHT * wide / high).max(4.0);
        block["width"] = json!(width);
        block["path"] = json!(path(at, picture.extension));
        if block["align"].is_null() {
            block["align"] = json!("left");
        }
    }
}

/// Every block of a page as the template reads it. Recurses over what [`is_deeper`] has looked at.
fn each_block(value: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Array(items) => {
            for item in items {
                each_block(item, visit);
            }
        }
        Value::Object(fields) => {
            for name in ["blocks", "children", "items", "columns"] {
                if let Some(inside) = fields.get_mut(name) {
                    each_block(inside, visit);
                }
            }
            if fields.contains_key("kind") {
                visit(value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every text of a page as the template reads it.
pub(crate) fn texts(sheet: &Value) -> Vec<&str> {
    let (mut found, mut open) = (Vec::new(), vec![sheet]);
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => found.push(text.as_str()),
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => open.extend(fields.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    found
}

/// Takes out icons that no font has: an empty box is no ornament.
pub(crate) fn keep_drawable_icons(sheet: &mut Value, book: &FontBook) {
    let keep = |value: &mut Value| {
        if value
            .get("icon")
            .and_then(Value::as_str)
            .is_some_and(|icon| !fonts::covers(book, std::iter::once(icon)))
        {
            value["icon"] = Value::Null;
        }
    };
    keep(sheet);
    each_block(sheet, &mut |block| keep(block));
}

/// Sets every formula as text; gives how many there were.
pub(crate) fn forget_formulas(sheet: &mut Value) -> usize {
    let mut lost = 0;
    each_block(sheet, &mut |block| {
        if block["kind"] == "equation" && !block["tree"].is_null() {
            block["tree"] = Value::Null;
            lost += 1;
        }
    });
    lost
}
