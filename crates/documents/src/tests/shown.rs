//! What a page shows of others: as far as its reader may see, as it is now, and never without end.

use super::*;
use crate::{
    projection::Content,
    shown::{self, MAX_BLOCKS, MAX_BYTES, MAX_ROUNDS, MAX_SOURCE_PAGES, MAX_SOURCES, Pages, Reader, Shown},
    view::{self, Block},
};
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Mutex};
use workspaces::access::{DocumentAccess, ViewDocument};

/// Contents of pages, and which of them were read.
#[derive(Default)]
struct Shelf {
    contents: HashMap<DocumentId, Content>,
    read: Mutex<Vec<DocumentId>>,
    /// Those of which something was shown.
    noted: Mutex<Vec<DocumentId>>,
}

impl Shelf {
    fn put(&mut self, id: DocumentId, blocks: Value) {
        let blocks: Vec<Block> = serde_json::from_value(blocks).expect("blocks");
        self.contents.insert(
            id,
            Content {
                title: String::new(),
                blocks,
            },
        );
    }

    async fn seen(&self, stage: &Stage, who: UserId, page: DocumentId) -> Shown {
        let content = &self.contents[&page];
        let reader = Reader {
            who: who.into(),
            page,
            only: None,
        };
        let shown = shown::gather(stage.db(), reader, (content, &content.blocks), self).await;
        shown.expect("gathers")
    }
}

impl Pages for Shelf {
    async fn content(&self, access: &DocumentAccess<ViewDocument>) -> Result<Content, Error> {
        self.read.lock().expect("no poison").push(access.id());
        self.contents
            .get(&access.id())
            .cloned()
            .ok_or_else(|| Error::Corrupt("no such".to_owned()))
    }

    async fn shows(&self, access: &DocumentAccess<ViewDocument>) -> Result<(), Error> {
        self.noted.lock().expect("no poison").push(access.id());
        Ok(())
    }
}

fn mirror(id: &str, page: Option<DocumentId>, block: &str) -> Value {
    json!({ "id": id, "type": "synced_block", "props": { "source_document_id": page, "source_block_id": block } })
}

fn ids(shown: &Shown) -> Vec<DocumentId> {
    shown.pages.keys().copied().collect()
}

/// Which sources are shown, and the texts in each.
fn texts(shown: &Shown) -> Vec<(DocumentId, &str, Vec<&str>)> {
    let texts = |blocks| view::walk(blocks).map(|(_, block): (usize, &Block)| block.text.as_str()).collect();
    let all = shown.sources.iter();
    all.map(|source| (source.document, source.block.as_str(), texts(&source.blocks)))
        .collect()
}

#[tokio::test]
async fn pages_have_their_titles_of_now_for_those_who_see_them() {
    let stage = Stage::new().await;
    let (mut shelf, mut pages) = (Shelf::default(), Vec::new());
    for _ in 0..6 {
        pages.push(stage.page(None).await);
    }
    let [page, renamed, closed, trashed, archived, viewed] = pages[..] else {
        panic!("six")
    };
    let named = [renamed, closed, trashed, archived, viewed, DocumentId::new()];
    let blocks: Vec<Value> = named
        .iter()
        .enumerate()
        .map(|(n, id)| json!({ "id": format!("b{n}"), "type": "link_to_page", "props": { "document_id": id, "title": "Old" } }))
        .collect();
    shelf.put(page, json!(blocks));
    stage.changes(renamed, |row| row.title = Set("New".to_owned())).await;
    stage.changes(closed, |row| row.restricted = Set(true)).await;
    let now = clock::now();
    stage.changes(trashed, |row| row.deleted_at = Set(Some(now))).await;
    stage.changes(archived, |row| row.archived_at = Set(Some(now))).await;
    stage.changes(viewed, |row| row.default_level = Set(Some(Level::View))).await;
    let sorted = |mut ids: Vec<DocumentId>| {
        ids.sort_unstable();
        ids
    };
    let shown = shelf.seen(&stage, stage.member, page).await;
    assert_eq!(ids(&shown), sorted(vec![renamed, trashed, archived, viewed]));
    assert_eq!(shown.pages[&renamed].0.title, "New");
    assert_eq!((shown.pages[&archived].1, shown.pages[&viewed].1), (Level::View, Level::View));
    assert!(shown.pages[&trashed].0.deleted_at.is_some() && !shown.is_cut);
    assert_eq!(
        ids(&shelf.seen(&stage, stage.owner, page).await),
        sorted(vec![renamed, closed, trashed, archived, viewed])
    );
    // In the trash a page is there for who may edit it, and for nobody else.
    stage.changes(viewed, |row| row.deleted_at = Set(Some(now))).await;
    let shown = shelf.seen(&stage, stage.member, page).await;
    assert_eq!(ids(&shown), sorted(vec![renamed, trashed, archived]));
    // In blocks that are written down, too; of what is not shown, the words that stand there.
    let mut blocks = shelf.contents[&page].blocks.clone();
    shown::entitle(stage.db(), stage.member.into(), &mut blocks).await.expect("reads");
    let titles: Vec<&Value> = blocks.iter().map(|block| &block.props["title"]).collect();
    assert_eq!(titles, ["New", "Old", "", "", "Old", "Old"]);
}

#[tokio::test]
async fn sources_are_shown_once_in_whatever_circle_they_lead() {
    let stage = Stage::new().await;
    let (a, b, mut shelf) = (stage.page(None).await, stage.page(None).await, Shelf::default());
    shelf.put(
        a,
        json!([
            { "id": "own", "type": "synced_block", "children": [{ "id": "a1", "type": "paragraph", "text": "on a" }, mirror("a2", Some(b), "b1")] },
            mirror("m1", None, "own"),
            mirror("m2", Some(b), "b1"),
            mirror("m3", Some(b), "b1"),
            mirror("m4", Some(b), "nowhere"),
            mirror("m5", Some(b), "b2"),
            mirror("m6", None, "m6"),
        ]),
    );
    shelf.put(
        b,
        json!([
            { "id": "b1", "type": "quote", "text": "on b", "children": [mirror("b3", Some(a), "own"), mirror("b4", None, "b1")] },
            mirror("b2", None, "b1"),
        ]),
    );
    let shown = shelf.seen(&stage, stage.member, a).await;
    let expected: Vec<(DocumentId, &str, Vec<&str>)> = vec![
        (b, "b1", vec!["on b", "", ""]),
        (a, "own", vec!["on a", ""]),
        (b, "b2", vec![""]),
        (a, "m6", vec![""]),
    ];
    let mut seen = texts(&shown);
    seen.sort_by_key(|(_, block, _)| expected.iter().position(|(_, other, _)| other == block));
    assert_eq!((seen, shown.is_cut), (expected, false));
    assert_eq!(
        shelf.read.lock().expect("no poison").as_slice(),
        [b],
        "once, and its own page not at all"
    );
    assert_eq!(shelf.noted.lock().expect("no poison").as_slice(), [b, b], "with every source of it");
    // Put into the blocks, a circle ends where it would begin again.
    let mut blocks = shelf.contents[&a].blocks.clone();
    shown.fill(a, &mut blocks);
    let text = |block: &Block| view::walk(&block.children).map(|(_, block)| block.text.clone()).collect::<String>();
    let filled: Vec<String> = blocks.iter().map(text).collect();
    assert_eq!(filled[1], "on aon b", "own, with b1 in it, and no own in that");
    assert_eq!((filled[2].as_str(), &filled[3]), ("on bon a", &filled[2]));
    assert_eq!((filled[4].as_str(), filled[6].as_str()), ("", ""));
    assert!(filled[5].starts_with("on b"), "{filled:?}");
}

#[tokio::test]
async fn what_is_not_seen_is_as_if_it_did_not_exist() {
    let stage = Stage::new().await;
    let (page, closed, away, broken) = (
        stage.page(None).await,
        stage.page(None).await,
        stage.page(None).await,
        stage.page(None).await,
    );
    let mut shelf = Shelf::default();
    let secret = json!([{ "id": "s", "type": "paragraph", "text": "secret" }]);
    for id in [closed, away] {
        shelf.put(id, secret.clone());
    }
    let mention =
        |user: UserId| json!({ "name": "mention", "value": json!({ "kind": "user", "id": user }).to_string(), "start": 0, "end": 1 });
    shelf.put(
        page,
        json!([
            mirror("1", Some(closed), "s"), mirror("2", Some(away), "s"), mirror("3", Some(broken), "s"), mirror("4", Some(DocumentId::new()), "s"),
            { "id": "5", "type": "synced_block", "props": { "source_document_id": "no id", "source_block_id": "s" } },
            { "id": "6", "type": "synced_block" },
            { "id": "7", "type": "paragraph", "text": "@", "marks": [mention(stage.owner)] },
        ]),
    );
    stage.changes(closed, |row| row.restricted = Set(true)).await;
    let now = clock::now();
    stage.changes(away, |row| row.deleted_at = Set(Some(now))).await;
    let shown = shelf.seen(&stage, stage.member, page).await;
    assert_eq!((texts(&shown), shown.is_cut), (Vec::new(), false));
    assert_eq!(
        shelf.read.lock().expect("no poison").as_slice(),
        [broken],
        "nothing else was opened"
    );
    assert_eq!(shown.people.iter().copied().collect::<Vec<_>>(), [stage.owner]);
    let shown = shelf.seen(&stage, stage.owner, page).await;
    assert_eq!(texts(&shown), [(closed, "s", vec!["secret"])]);
    assert_eq!(
        shelf.noted.lock().expect("no poison").as_slice(),
        [closed],
        "nothing was shown of what was only asked for"
    );
}

#[tokio::test]
async fn there_is_an_end_to_what_is_shown() {
    let stage = Stage::new().await;
    let (page, mut shelf) = (stage.page(None).await, Shelf::default());
    // Blocks of a page that each show the next one.
    let chain: Vec<Value> = (0..10).map(|n| mirror(&format!("c{n}"), None, &format!("c{}", n + 1))).collect();
    shelf.put(page, json!([chain[0]]));
    shelf.contents.get_mut(&page).expect("is there").blocks = serde_json::from_value(json!(chain)).expect("blocks");
    let reader = Reader {
        who: stage.member.into(),
        page,
        only: None,
    };
    let content = &shelf.contents[&page];
    let shown = shown::gather(stage.db(), reader, (content, &content.blocks[..1]), &shelf).await;
    let shown = shown.expect("gathers");
    assert_eq!((shown.sources.len(), shown.is_cut), (MAX_ROUNDS, true));
    // More sources than are shown, and one that is too large.
    let many: Vec<Value> = (0..=MAX_SOURCES)
        .map(|n| json!({ "id": format!("s{n}"), "type": "paragraph" }))
        .collect();
    let mirrors: Vec<Value> = (0..=MAX_SOURCES)
        .map(|n| mirror(&format!("m{n}"), None, &format!("s{n}")))
        .collect();
    shelf.put(page, json!([many, mirrors].concat()));
    let shown = shelf.seen(&stage, stage.member, page).await;
    assert_eq!((shown.sources.len(), shown.is_cut), (MAX_SOURCES, true));
    let inside: Vec<Value> = (0..MAX_BLOCKS)
        .map(|n| json!({ "id": format!("i{n}"), "type": "paragraph" }))
        .collect();
    let large = json!({ "id": "large", "type": "toggle", "children": inside });
    shelf.put(
        page,
        json!([large, { "id": "small", "type": "paragraph" }, mirror("1", None, "large"), mirror("2", None, "small")]),
    );
    let shown = shelf.seen(&stage, stage.member, page).await;
    assert_eq!((texts(&shown), shown.is_cut), (vec![(page, "small", vec![""])], true));
    // More text than is shown, in few blocks.
    let long = "long ".repeat(MAX_BYTES / 5 / 4);
    let texts_of = |n: usize| json!({ "id": format!("t{n}"), "type": "paragraph", "text": long });
    let many: Vec<Value> = (0..5).map(texts_of).collect();
    let mirrors: Vec<Value> = (0..5).map(|n| mirror(&format!("m{n}"), None, &format!("t{n}"))).collect();
    shelf.put(page, json!([many, mirrors].concat()));
    let shown = shelf.seen(&stage, stage.member, page).await;
    assert_eq!((shown.sources.len(), shown.is_cut), (3, true));
    let mut blocks = shelf.contents[&page].blocks.clone();
    blocks.extend((0..100).map(|n| blocks[5].clone().with_id(format!("again{n}"))).collect::<Vec<_>>());
    shown.fill(page, &mut blocks);
    let bytes: usize = view::walk(&blocks).map(|(_, block)| block.text.len()).sum();
    assert!(bytes < 5 * long.len() + MAX_BYTES, "{bytes}");
    // More pages than are read.
    let mut others = Vec::new();
    for _ in 0..=MAX_SOURCE_PAGES {
        others.push(stage.page(None).await);
        shelf.put(others[others.len() - 1], json!([{ "id": "s", "type": "paragraph" }]));
    }
    let mirrors = others
        .iter()
        .enumerate()
        .map(|(n, other)| mirror(&format!("m{n}"), Some(*other), "s"));
    shelf.put(page, json!(mirrors.collect::<Vec<_>>()));
    shelf.read.lock().expect("no poison").clear();
    let shown = shelf.seen(&stage, stage.member, page).await;
    assert_eq!((shown.sources.len(), shown.is_cut), (MAX_SOURCE_PAGES, true));
    assert_eq!(shelf.read.lock().expect("no poison").len(), MAX_SOURCE_PAGES);
    assert_eq!(shown.pages.len(), others.len(), "titles are told of all");
}
