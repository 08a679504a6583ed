//! A bundle holds what was put into it, under names that every file system takes.

use super::{names::*, *};
use documents::view::Mark;
use serde_json::json;
use std::io::{Cursor, Read};
use zip::ZipArchive;

fn entry(id: DocumentId, title: &str) -> PageEntry {
    PageEntry {
        id,
        parent_id: None,
        rank: "a0".to_owned(),
        title: title.to_owned(),
        icon: Some("📄".to_owned()),
        cover: None,
        is_template: false,
        created_at: kernel::clock::now(),
        updated_at: kernel::clock::now(),
        path: String::new(),
        readable: Some("readable/Plan.md".to_owned()),
    }
}

fn read(zip: &mut ZipArchive<Cursor<Vec<u8>>>, path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    zip.by_name(path).expect("is in the zip").read_to_end(&mut bytes).expect("reads");
    bytes
}

#[test]
fn what_is_written_is_read_again() {
    let (page, file) = (DocumentId::new(), Uuid::from_u128(7));
    let content = PageContent {
        title: "Plan".to_owned(),
        blocks: vec![Block {
            id: "a".to_owned(),
            kind: "paragraph".to_owned(),
            text: "Ünïcode 🎉".to_owned(),
            marks: vec![Mark {
                name: "bold".to_owned(),
                value: json!(true),
                start: 0,
                end: 3,
            }],
            props: serde_json::Map::new(),
            children: Vec::new(),
        }],
    };
    let mut writer = Writer::new(Cursor::new(Vec::new()), Manifest::new());
    writer.page(entry(page, "Plan"), &content).expect("written");
    writer.readable("Plan.md", b"# Plan").expect("written");
    let named = File {
        id: file,
        document: page,
        name: "a/b?.png".to_owned(),
        media_type: "image/png".to_owned(),
        size: 3,
    };
    writer
        .begin(File {
            id: Uuid::from_u128(8),
            ..named.clone()
        })
        .expect("begun");
    writer.bytes(b"what is taken back").expect("written");
    writer.forget().expect("taken back");
    let path = writer.begin(named).expect("begun");
    writer.bytes(b"p").expect("written");
    writer.bytes(b"ng").expect("written");
    writer.end();
    let (bytes, manifest) = writer.finish().expect("finished");

    let mut zip = ZipArchive::new(Cursor::new(bytes.into_inner())).expect("is a zip");
    let read_back: Manifest = serde_json::from_slice(&read(&mut zip, MANIFEST)).expect("a manifest");
    assert_eq!(read_back, manifest);
    assert_eq!((read_back.format.as_str(), read_back.version), (FORMAT, VERSION));
    let again: PageContent = serde_json::from_slice(&read(&mut zip, &read_back.pages[0].path)).expect("a page");
    assert_eq!(again, content);
    assert_eq!(read(&mut zip, &path), b"png");
    let attachment = &read_back.attachments[0];
    assert_eq!((attachment.name.as_str(), attachment.size), ("a/b?.png", 3));
    assert_eq!(
        attachment.sha256,
        hex::encode(sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(b"png")))
    );
    assert_eq!(read(&mut zip, "readable/Plan.md"), b"# Plan");
    assert_eq!((zip.len(), read_back.attachments.len()), (4, 1));
}

#[test]
fn names_are_taken_by_every_file_system() {
    let cases = [
        ("Plan", "Plan"),
        ("a/b\\c:d*e?f\"g<h>i|j", "a-b-c-d-e-f-g-h-i-j"),
        ("  two \n\t words  ", "two words"),
        ("..", "Untitled"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("", "Untitled"),
        ("ends with dots...", "ends with dots"),
        ("CON", "_CON"),
        ("com1.txt", "_com1.txt"),
        ("LPT¹", "_LPT¹"),
        ("company", "company"),
        ("日本語 🎉", "日本語 🎉"),
        ("gnp\u{202e}exe", "gnp-exe"),
    ];
    for (name, wanted) in cases {
        assert_eq!(safe(name, "Untitled"), wanted, "{name:?}");
    }
    let long = safe(&format!("{}.jpeg", "x".repeat(300)), "file");
    assert_eq!((long.chars().count(), long.ends_with("x.jpeg")), (MAX_NAME, true));
}

#[test]
fn no_path_is_given_twice() {
    let mut paths = Paths::default();
    let given = [("", "Plan"), ("", "plan"), ("", "Plan (2)"), ("Plan", "Plan"), ("", "PLAN")]
        .map(|(folder, name)| paths.give(folder, name, ".md"));
    assert_eq!(given, ["Plan.md", "plan (2).md", "Plan (2) (2).md", "Plan/Plan.md", "PLAN (3).md"]);
}

#[test]
fn folders_do_not_grow_without_end() {
    let (mut paths, mut path) = (Paths::default(), String::new());
    for _ in 0..100 {
        let folder = folder_of(&path);
        path = paths.give(&folder, "A page with a rather long title, as people like them", ".md");
        assert!(path.len() < 200, "{path}");
    }
    assert_eq!(folder_of("a.b/c.md"), "a.b/c");
    assert_eq!(folder_of("a.b/c"), "a.b/c");
}
