//! What exports look like: a page with every type of block and every mark, and pages that want to do harm.

mod hostile;
mod readable;
mod shapes;

use super::{around::Around, around::Asset};
use documents::view::Block;
use serde::Deserialize;
use std::{collections::HashMap, path::Path};
use uuid::Uuid;

/// A page with every type of block and every mark.
#[derive(Deserialize)]
pub(super) struct Page {
    pub title: String,
    pub icon: String,
    pub blocks: Vec<Block>,
}

pub(super) fn every_block() -> Page {
    serde_json::from_str(include_str!("fixtures/every_block.json")).expect("the fixture is a page")
}

/// A picture of two colours.
fn picture() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let shade = |x: u32, y: u32| image::Rgb([if x < 32 { 29 } else { 240 }, 95 + u8::try_from(y).unwrap_or(0) * 2, 191]);
    image::RgbImage::from_fn(64, 32, shade)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("written");
    bytes.into_inner()
}

pub(super) fn around() -> Around {
    let picture = Asset::Inside("image/png".to_owned(), picture());
    let id = |tail: &str| Uuid::parse_str(&format!("01980000-0000-7000-8000-0000000000{tail}")).expect("an id");
    Around {
        public_url: "https://sheaf.example".to_owned(),
        assets: HashMap::from([(id("f1"), picture), (id("f3"), Asset::Beside("attachments/Minutes.pdf".to_owned()))]),
        pages: HashMap::from([(kernel::id::DocumentId(id("a2")), "Road%20map.html".to_owned())]),
        date: "2026-10-01".to_owned(),
    }
}

/// Compares with what is kept beside the tests. What is new lies in the directory of temporary files then, to be looked
/// at and put in its place.
pub(super) fn matches(name: &str, made: &str) {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/export/snapshots").join(name);
    let before = std::fs::read_to_string(&kept).unwrap_or_default();
    if before != made {
        let new = std::env::temp_dir().join(name);
        std::fs::write(&new, made).expect("written");
        panic!("{} is not what comes out any more; look at {}", kept.display(), new.display());
    }
}
