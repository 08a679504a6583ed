//! What the engine can see: our template, the data, the pictures, the fonts. No file system, no package, no network, no
//! clock.

use std::collections::HashMap;
use typst::{
    Library, LibraryExt, World,
    diag::{FileError, FileResult},
    foundations::{Bytes, Datetime, Duration},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_kit::fonts::FontStore;

const TEMPLATE: &str = include_str!("template.typ");

pub(crate) struct Room {
    library: LazyHash<Library>,
    fonts: FontStore,
    main: Source,
    files: HashMap<FileId, Bytes>,
}

fn id(path: &str) -> Option<FileId> {
    let path = VirtualPath::new(path).ok()?;
    Some(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl Room {
    /// A world of these files, by their paths. None when a path is none, which those we make are.
    pub(crate) fn new(fonts: FontStore, files: Vec<(String, Vec<u8>)>) -> Option<Self> {
        let files = files.into_iter().map(|(path, bytes)| Some((id(&path)?, Bytes::new(bytes))));
        Some(Self {
            library: LazyHash::new(Library::default()),
            fonts,
            main: Source::new(id("/main.typ")?, TEMPLATE.to_owned()),
            files: files.collect::<Option<_>>()?,
        })
    }
}

impl World for Room {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() {
            Ok(self.main.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.font(index)
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}
