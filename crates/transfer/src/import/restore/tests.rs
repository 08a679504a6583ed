//! Pages of every kind of block, out and in again: the same but for ids.

use crate::{
    arbitrary::{FILES, PAGES, any_block},
    bundle::{File as BundleFile, Manifest, PageContent, PageEntry, Writer},
    import::{
        format::Format,
        limits::Limits,
        reader::{Reader, Ready, Request},
        report::Reason,
    },
};
use documents::{op::NewBlock, page::Page, projection::Content};
use kernel::{
    clock,
    id::{DocumentId, JobId},
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Seek, Write as _},
};
use uuid::Uuid;

fn content(title: &str, blocks: &[NewBlock]) -> Content {
    let (page, _) = Page::create(title, blocks, &documents::limits::Limits::default(), 0).expect("a page");
    Content::from(page.mirror())
}

fn id(text: &str) -> DocumentId {
    text.parse().expect("an id")
}

/// The pages as a bundle: the second and third hang under the first, in the order of their ranks.
fn bundle(contents: &[Content]) -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new()), Manifest::new());
    for (number, content) in contents.iter().enumerate() {
        let entry = PageEntry {
            id: id(PAGES[number]),
            parent_id: (number > 0).then(|| id(PAGES[0])),
            rank: ["a", "z", "b"][number].to_owned(),
            title: content.title.clone(),
            icon: Some("🚂".to_owned()),
            cover: Some(format!("/api/v1/attachments/{}/content/", FILES[0])),
            is_template: number == 1,
            created_at: clock::now(),
            updated_at: clock::now(),
            path: String::new(),
            readable: None,
        };
        let content = PageContent {
            title: content.title.clone(),
            blocks: content.blocks.clone(),
        };
        writer.page(entry, &content).expect("a page");
        writer.readable(&format!("{number}.md"), b"# for people").expect("a file");
    }
    for (number, file) in FILES.iter().enumerate() {
        let file = BundleFile {
            id: file.parse::<Uuid>().expect("an id"),
            document: id(PAGES[0]),
            name: format!("file {number}.bin"),
            media_type: "application/octet-stream".to_owned(),
            size: 3,
        };
        writer.begin(file).expect("a file");
        writer.bytes(&[number as u8; 3]).expect("bytes");
        writer.end();
    }
    writer.finish().expect("a bundle").0.into_inner()
}

fn open(bytes: &[u8]) -> Reader {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("written");
    file.rewind().expect("at the beginning");
    let request = Request {
        job: JobId(Uuid::nil()),
        format: Format::Auto,
        file_name: "bundle.zip".to_owned(),
    };
    Reader::open(file, &request, &Limits::default()).expect("opens")
}

fn all(reader: &mut Reader) -> Vec<Ready> {
    std::iter::from_fn(|| reader.next())
        .map(|read| read.map_err(|(_, refusal)| refusal).expect("is read"))
        .collect()
}

/// JSON with other ids.
fn renamed(content: &Content, ids: &BTreeMap<String, String>) -> Value {
    let mut text = serde_json::to_string(content).expect("JSON");
    for (old, new) in ids {
        text = text.replace(old, new);
    }
    serde_json::from_str(&text).expect("JSON")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn pages_of_all_kinds_come_back_as_they_were(pages in vec(vec(any_block(2), 0..5), 3)) {
        let contents: Vec<Content> = pages.iter().enumerate().map(|(number, blocks)| content(&format!("Page {number}"), blocks)).collect();
        let mut reader = open(&bundle(&contents));
        prop_assert_eq!(reader.format(), Format::Bundle);
        let ready = all(&mut reader);
        let titles: Vec<&str> = ready.iter().map(|page| page.title.as_str()).collect();
        prop_assert_eq!(titles, ["Page 0", "Page 2", "Page 1"]);
        prop_assert!(ready[1..].iter().all(|page| page.parent == Some(ready[0].id)));
        for page in &ready {
            let number: usize = page.title[5..].parse().expect("a number");
            let mut ids: BTreeMap<String, String> = BTreeMap::new();
            for other in &ready {
                let old: usize = other.title[5..].parse().expect("a number");
                ids.insert(PAGES[old].to_owned(), other.id.to_string());
            }
            ids.extend(page.files.iter().map(|(file, new)| (FILES[*file].to_owned(), new.to_string())));
            let again = content(&page.title, &page.blocks);
            prop_assert_eq!(serde_json::to_value(&again).expect("JSON"), renamed(&contents[number], &ids));
            prop_assert_eq!((page.icon.as_deref(), page.is_template), (Some("🚂"), number == 1));
            let cover = page.files.get(&0).map(|file| format!("/api/v1/attachments/{file}/content/"));
            prop_assert_eq!((page.cover.is_some(), &page.cover), (true, &cover));
            prop_assert!(!page.notes.has(Reason::ValueRemoved) && !page.notes.has(Reason::Flattened));
        }
        prop_assert_eq!(ready[0].files.len(), 2);
        for file in 0..2 {
            let (name, mut bytes) = reader.file(file).expect("a file");
            let mut read = Vec::new();
            bytes.read_to_end(&mut read).expect("bytes");
            prop_assert_eq!((name, read), (format!("file {file}.bin"), vec![file as u8; 3]));
        }
    }
}

#[test]
fn a_manifest_of_a_stranger_is_not_believed() {
    let page = |id: &str, parent: Option<&str>, path: &str| {
        json!({ "id": id, "parent_id": parent, "rank": "a", "title": "T", "path": path,
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z" })
    };
    let manifest = json!({ "format": "sheaf.bundle", "version": 1, "exported_at": "2026-01-01T00:00:00Z", "pages": [
        page(PAGES[0], Some(PAGES[1]), "pages/a.json"), page(PAGES[1], Some(PAGES[0]), "../../etc/passwd"), page(PAGES[1], None, "pages/a.json"),
        page(PAGES[2], Some(PAGES[2]), "pages/deep.json"),
    ] });
    let deep = format!(
        "{{\"title\":\"d\",\"blocks\":[{}",
        "{\"id\":\"x\",\"type\":\"quote\",\"children\":[".repeat(5_000)
    );
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [
        ("sheaf.json", manifest.to_string()),
        ("pages/a.json", "{\"title\":\"A\",\"blocks\":[]}".to_owned()),
        ("pages/deep.json", deep),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("begins");
        zip.write_all(bytes.as_bytes()).expect("written");
    }
    let mut reader = open(&zip.finish().expect("finishes").into_inner());
    let read: Vec<bool> = std::iter::from_fn(|| reader.next()).map(|read| read.is_ok()).collect();
    assert_eq!(read.iter().filter(|is_good| **is_good).count(), 2, "{read:?}");
    assert_eq!(read.len(), 3);
}
