//! Pages of every kind of block, out and in again: the same but for ids.

use crate::{
    bundle::{File as BundleFile, Manifest, PageContent, PageEntry, Writer},
    import::{
        format::Format,
        limits::Limits,
        reader::{Reader, Ready, Request},
        report::Reason,
    },
};
use documents::{
    kinds::{self, Kind, MARKS, MarkRule, Rule, TYPES, TextRule},
    op::NewBlock,
    page::Page,
    projection::Content,
    view::Mark,
};
use kernel::{
    clock,
    id::{DocumentId, JobId},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Seek, Write as _},
};
use uuid::Uuid;

const PAGES: [&str; 3] = [
    "10000000-0000-4000-8000-000000000001",
    "10000000-0000-4000-8000-000000000002",
    "10000000-0000-4000-8000-000000000003",
];
const FILES: [&str; 2] = ["20000000-0000-7000-8000-000000000001", "20000000-0000-7000-8000-000000000002"];
/// A page that is not in the bundle.
const ELSEWHERE: &str = "30000000-0000-4000-8000-000000000001";

fn value(name: &str, rule: Rule) -> BoxedStrategy<Value> {
    let words = |words: &[&str]| select(words.iter().map(|word| json!(word)).collect::<Vec<_>>()).boxed();
    match (name, rule) {
        ("attachment_id", _) => words(&FILES),
        ("document_id" | "source_document_id", _) => words(&[PAGES[0], PAGES[1], PAGES[2], ELSEWHERE]),
        (_, Rule::Id) => words(&[ELSEWHERE]),
        (_, Rule::Bool) => any::<bool>().prop_map(Value::from).boxed(),
        (_, Rule::Int { min, max }) => (min..=max).prop_map(Value::from).boxed(),
        (_, Rule::Ratio) => select(vec![json!(0.25), json!(0.5)]).boxed(),
        (_, Rule::Text { .. }) => "[a-zé😀 ]{0,12}".prop_map(Value::from).boxed(),
        (_, Rule::OneOf { words: all }) => words(all),
        (_, Rule::Word) => words(&["rust", "c++"]),
        (_, Rule::Url) => words(&["https://a.b/c?d#e", "/documents/10000000-0000-4000-8000-000000000002"]),
        (_, Rule::BlockId) => words(&["b1"]),
        (_, Rule::Color) => words(&["red", "#00ff00"]),
        (_, Rule::Cells) => vec("[a-z|\n]{0,6}", 0..4).prop_map(|cells| json!(cells)).boxed(),
    }
}

fn props(kind: &'static Kind) -> BoxedStrategy<Map<String, Value>> {
    let all: Vec<_> = kind
        .props
        .iter()
        .map(|prop| {
            let is_needed = kind.needs.iter().any(|group| group.first() == Some(&prop.name));
            let name = prop.name.to_owned();
            (any::<bool>(), value(prop.name, prop.rule))
                .prop_map(move |(is_there, value)| (is_there || is_needed).then(|| (name.clone(), value)))
        })
        .collect();
    all.prop_map(|all| all.into_iter().flatten().collect()).boxed()
}

fn mark() -> BoxedStrategy<(String, Value)> {
    let links = [
        json!("https://a.b/"),
        json!(format!("/documents/{}", PAGES[0])),
        json!(format!("/api/v1/attachments/{}/content/", FILES[1])),
    ];
    let mentions = PAGES.map(|id| json!(json!({ "kind": "page", "id": id }).to_string()));
    let of = move |kind: &kinds::MarkKind| match kind.value {
        MarkRule::Flag | MarkRule::ColorOrFlag => Just(json!(true)).boxed(),
        MarkRule::Color => Just(json!("blue")).boxed(),
        MarkRule::Link => select(links.to_vec()).boxed(),
        MarkRule::Mention => select(mentions.to_vec()).boxed(),
    };
    let all: Vec<BoxedStrategy<(String, Value)>> = MARKS
        .iter()
        .map(|kind| {
            let name = kind.name.to_owned();
            of(kind).prop_map(move |value| (name.clone(), value)).boxed()
        })
        .collect();
    proptest::strategy::Union::new(all).boxed()
}

fn text(kind: &'static Kind) -> BoxedStrategy<(String, Vec<Mark>)> {
    let marked = ("[a-zé😀\n*]{1,20}", vec((mark(), 0..20_usize, 1..9_usize), 0..4)).prop_map(|(text, marks)| {
        let units = text.encode_utf16().count();
        // Ends lie between characters.
        let bounds: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| text[..at].encode_utf16().count())
            .chain([units])
            .collect();
        let marks = marks.into_iter().filter_map(|((name, value), start, len)| {
            let (start, end) = (*bounds.get(start)?, *bounds.get(start + len)?);
            Some(Mark { name, value, start, end })
        });
        (text.clone(), marks.collect())
    });
    match kind.text {
        TextRule::None => Just((String::new(), Vec::new())).boxed(),
        TextRule::Plain => "[a-z{}\n]{0,20}".prop_map(|text| (text, Vec::new())).boxed(),
        TextRule::Rich => prop_oneof![Just((String::new(), Vec::new())), marked].boxed(),
    }
}

fn block(kind: &'static Kind, depth: usize) -> BoxedStrategy<NewBlock> {
    let children = match kind.holds {
        _ if depth == 0 => Just(Vec::new()).boxed(),
        Some(held) => vec(block(kinds::find(held).expect("a kind"), depth - 1), 0..3).boxed(),
        None => vec(any_block(depth - 1), 0..3).boxed(),
    };
    (props(kind), text(kind), children)
        .prop_map(|(props, (text, marks), children)| NewBlock {
            id: None,
            kind: kind.name.to_owned(),
            text,
            marks,
            props,
            children,
        })
        .boxed()
}

fn any_block(depth: usize) -> BoxedStrategy<NewBlock> {
    let free: Vec<BoxedStrategy<NewBlock>> = TYPES
        .iter()
        .filter(|kind| kind.parent.is_none())
        .map(|kind| block(kind, depth))
        .collect();
    proptest::strategy::Union::new(free).boxed()
}

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
            cover: Some("https://a.b/c.png".to_owned()),
            is_template: false,
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
            prop_assert_eq!(page.icon.as_deref(), Some("🚂"));
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
