//! Fonts: those that are built in, and, for a text that needs more, those of directories.

use std::{fs, path::Path, path::PathBuf};
use typst::{
    foundations::Bytes,
    text::{Font, FontBook, FontInfo},
};
use typst_kit::fonts::{self, FontPath, FontStore};

/// Where systems keep their fonts.
const SYSTEM: [&str; 4] = [
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
];
/// The most files of fonts that are looked at.
const MAX_FILES: usize = 3_000;
/// The deepest folder that is looked into.
const MAX_DEPTH: usize = 8;
/// The largest file of fonts that is looked at, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// Where fonts are looked for besides the built-in ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// A directory of fonts, searched through.
    pub dir: Option<PathBuf>,
    /// Whether the system's are used too.
    pub system: bool,
}

/// The fonts for these texts. Looking for fonts takes time where there are many, so it is done only for characters that the
/// built-in ones lack.
pub(crate) fn for_texts<'t>(places: &Places, texts: impl Iterator<Item = &'t str>) -> FontStore {
    let mut store = FontStore::new();
    store.extend(fonts::embedded());
    if covers(store.book(), texts) {
        return store;
    }
    let system = SYSTEM.iter().map(Path::new).filter(|_| places.system);
    let mut files = Vec::new();
    for dir in places.dir.as_deref().into_iter().chain(system) {
        find(dir, &mut files);
    }
    for file in files {
        store.extend(faces(&file));
    }
    store
}

/// The files of fonts in a folder, in an order that is always the same.
fn find(dir: &Path, files: &mut Vec<PathBuf>) {
    let mut open = vec![(dir.to_owned(), 0)];
    while let Some((dir, depth)) = open.pop() {
        let listed = fs::read_dir(dir).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = listed.map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() && depth < MAX_DEPTH {
                open.push((path, depth + 1));
            } else if is_font(&path) && files.len() < MAX_FILES {
                files.push(path);
            }
        }
    }
}

fn is_font(path: &Path) -> bool {
    let ends = path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    let is_small = || fs::metadata(path).is_ok_and(|file| file.len() <= MAX_BYTES);
    matches!(ends.as_deref(), Some("ttf" | "otf" | "ttc" | "otc")) && is_small()
}

/// The faces in a file, to be read again when one is used: what is known of them is small, they are not.
fn faces(file: &Path) -> Vec<(FontPath, FontInfo)> {
    let Ok(bytes) = fs::read(file) else { return Vec::new() };
    let one = |(index, font): (usize, Font)| {
        let path = FontPath {
            path: file.to_owned(),
            index: u32::try_from(index).unwrap_or_default(),
        };
        (path, font.info().clone())
    };
    Font::iter(Bytes::new(bytes)).enumerate().map(one).collect()
}

/// Whether every character has a glyph in some font.
pub(crate) fn covers<'t>(book: &FontBook, texts: impl Iterator<Item = &'t str>) -> bool {
    let infos: Vec<&FontInfo> = (0..).map_while(|index| book.info(index)).collect();
    let has = |c: char| c.is_ascii() || infos.iter().any(|info| info.coverage.contains(u32::from(c)));
    texts.flat_map(str::chars).all(|c| is_invisible(c) || has(c))
}

/// Characters that steer others and are not drawn.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ad}')
}
