//! What is read out of a page's history, in memory and on a real database.

use super::{
    blame::Of,
    changes::Happened,
    difference::{self, What},
    ledger::{self, Ledger, Line},
    moment::{self, Found, Moment},
};
use crate::{
    compaction::tests::{NONE_KEPT, Typing},
    error::Error,
    limits::Limits,
    op::{NewBlock, Op, TITLE},
    page::Page,
    wording::Fate,
};
use kernel::{
    clock::{self, Time},
    id::UserId,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// A page that several people wrote, a minute and more apart from each other.
struct Written {
    page: Page,
    lines: Vec<Line>,
}

impl Written {
    fn by(user: UserId, blocks: serde_json::Value) -> Self {
        let blocks: Vec<NewBlock> = serde_json::from_value(blocks).unwrap();
        let (page, change) = Page::create("Title", &blocks, &Limits::default(), 0).unwrap();
        let first = Line {
            seq: 1,
            hash: change.hash(),
            user: Some(user),
            at_ms: 0,
        };
        Self { page, lines: vec![first] }
    }

    fn edits(&mut self, user: UserId, at_ms: i64, op: serde_json::Value) -> Vec<automerge::ChangeHash> {
        let op: Op = serde_json::from_value(op).unwrap();
        let change = self.page.edit(&[op], None, &Limits::default(), at_ms).unwrap().change.unwrap();
        self.lines.push(Line {
            seq: self.lines.len() as i64 + 1,
            hash: change.hash(),
            user: Some(user),
            at_ms,
        });
        self.page.heads().to_vec()
    }

    fn ledger(&self) -> Ledger {
        Ledger::of(self.lines.clone())
    }

    fn blame(&self, heads: &[automerge::ChangeHash], block: &str) -> Vec<(usize, usize, Option<UserId>, i64)> {
        let blame = self.page.past().blame(&self.ledger(), heads, &Of::Block(block.to_owned())).unwrap();
        let runs = blame.blocks.into_iter().flat_map(|block| block.runs);
        runs.map(|run| (run.start, run.end, run.user, run.at_ms)).collect()
    }

    fn happened(&self, heads: &[automerge::ChangeHash]) -> Happened {
        self.page.past().happened_since(&self.ledger(), heads).unwrap()
    }
}

const HOUR: i64 = 3_600_000;

#[test]
fn every_character_is_whose_it_is() {
    let (ada, grace) = (UserId::new(), UserId::new());
    let mut written = Written::by(ada, json!([{ "id": "b", "text": "Hello 😀" }]));
    let first = written.page.heads().to_vec();
    written.edits(grace, HOUR, json!({ "op": "insert", "block": "b", "pos": 5, "text": ", you" }));
    written.edits(grace, HOUR + 5_000, json!({ "op": "insert", "block": "b", "pos": 10, "text": "!" }));
    let now = written.page.heads().to_vec();
    let (a, g) = (Some(ada), Some(grace));
    assert_eq!(written.page.mirror().blocks["b"].text, "Hello, you! 😀");
    assert_eq!(written.blame(&now, "b"), [(0, 5, a, 0), (5, 11, g, HOUR), (11, 14, a, 0)]);
    assert_eq!(written.blame(&first, "b"), [(0, 8, a, 0)], "in the state before");
    assert_eq!(written.blame(&now, TITLE), [(0, 5, a, 0)]);
    written.edits(
        grace,
        2 * HOUR,
        json!({ "op": "format", "block": "b", "pos": 0, "len": 14, "name": "bold", "value": true }),
    );
    written.edits(
        grace,
        2 * HOUR,
        json!({ "op": "format", "block": "b", "pos": 2, "len": 5, "name": "link", "value": "https://example.com" }),
    );
    let now = written.page.heads().to_vec();
    assert_eq!(written.blame(&now, "b").len(), 3, "a format makes nobody an author");
    written.edits(grace, 2 * HOUR, json!({ "op": "block_delete", "id": "b" }));
    let gone = written
        .page
        .past()
        .blame(&written.ledger(), written.page.heads(), &Of::Block("b".to_owned()));
    assert!(matches!(gone, Err(Error::BlockNotFound(_))));
    let all = written.page.past().blame(&written.ledger(), &now, &Of::Page).unwrap();
    assert_eq!(all.blocks.iter().map(|b| b.block.as_str()).collect::<Vec<_>>(), [TITLE, "b"]);
}

#[test]
fn what_happened_is_told_by_person_and_session() {
    let (ada, grace) = (UserId::new(), UserId::new());
    let mut written = Written::by(ada, json!([{ "id": "a", "text": "One" }, { "id": "b", "text": "Two" }]));
    let seen = written.page.heads().to_vec();
    assert_eq!(written.happened(&seen), Happened::default());
    written.edits(ada, HOUR, json!({ "op": "insert", "block": "a", "pos": 3, "text": " é😀" }));
    written.edits(grace, HOUR + 1, json!({ "op": "delete", "block": "b", "pos": 0, "len": 2 }));
    written.edits(
        ada,
        HOUR + 60_000,
        json!({ "op": "block_set", "id": "b", "key": "type", "value": "quote" }),
    );
    written.edits(ada, 3 * HOUR, json!({ "op": "put", "path": "title", "value": "Titles" }));
    let happened = written.happened(&seen);
    let told: Vec<_> = happened
        .groups
        .iter()
        .map(|group| {
            let blocks: Vec<&str> = group.amount.blocks.iter().map(String::as_str).collect();
            (
                group.user,
                group.from_ms,
                group.to_ms,
                group.amount.insertions,
                group.amount.deletions,
                blocks,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some(ada), 3 * HOUR, 3 * HOUR, 1, 0, vec![TITLE]),
            (Some(ada), HOUR, HOUR + 60_000, 4, 0, vec!["a", "b"]),
            (Some(grace), HOUR + 1, HOUR + 1, 0, 2, vec!["b"]),
        ]
    );
    assert_eq!(
        (happened.total.changes, happened.total.insertions, happened.total.deletions),
        (4, 5, 2)
    );
    assert_eq!(happened.total.blocks.len(), 3);
}

#[test]
fn a_difference_tells_of_each_block_what_became_of_it() {
    let ada = UserId::new();
    let mut written = Written::by(
        ada,
        json!([{ "id": "a", "text": "One" }, { "id": "b", "text": "Two words" }, { "id": "c", "text": "Three" }, { "id": "d", "text": "Four" }]),
    );
    let from = written.page.heads().to_vec();
    written.edits(ada, 0, json!({ "op": "block_delete", "id": "a" }));
    written.edits(
        ada,
        0,
        json!({ "op": "replace", "block": "b", "pos": 4, "len": 5, "text": "things" }),
    );
    written.edits(ada, 0, json!({ "op": "block_move", "id": "c", "parent": "d" }));
    written.edits(ada, 0, json!({ "op": "block_insert", "id": "e", "text": "Five", "after": "b" }));
    written.edits(ada, 0, json!({ "op": "block_set", "id": "d", "key": "props.x_any", "value": 1 }));
    let past = written.page.past();
    let (before, after) = (past.content_at(&from).unwrap(), past.content_at(past.heads()).unwrap());
    let difference = difference::between(&before, &after);
    let told: Vec<(&str, &str)> = difference
        .blocks
        .iter()
        .map(|one| {
            let what = match &one.what {
                What::Inserted(..) => "inserted",
                What::Deleted(..) => "deleted",
                What::Changed(_) => "changed",
            };
            (one.id.as_str(), what)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("a", "deleted"),
            ("b", "changed"),
            ("e", "inserted"),
            ("d", "changed"),
            ("c", "changed")
        ]
    );
    let changed = |id: &str| {
        let one = difference.blocks.iter().find(|one| one.id == id).unwrap();
        match &one.what {
            What::Changed(changed) => changed.clone(),
            other => panic!("{other:?}"),
        }
    };
    let text: Vec<(Fate, String)> = changed("b").text.unwrap().into_iter().map(|p| (p.fate, p.text)).collect();
    let said = |fate, text: &str| (fate, text.to_owned());
    assert_eq!(
        text,
        [
            said(Fate::Kept, "Two "),
            said(Fate::Deleted, "words"),
            said(Fate::Inserted, "things")
        ]
    );
    let (stood, stands) = changed("c").moved.unwrap();
    assert_eq!(
        (stood.parent, stood.index, stands.parent.as_deref(), stands.index),
        (None, 2, Some("d"), 0)
    );
    assert_eq!(
        (changed("d").props[0].name.as_str(), &changed("d").props[0].to),
        ("x_any", &json!(1))
    );
    assert!(changed("d").moved.is_none() && difference.title.is_none() && !difference.is_truncated);
    assert_eq!(difference::between(&after, &after), difference::Difference::default());
}

#[test]
fn a_state_is_named_in_many_ways() {
    let hash = "ab".repeat(32);
    assert!(matches!(hash.parse(), Ok(Moment::Heads(heads)) if heads.len() == 1));
    assert!(matches!(format!("{hash}.{hash}").parse(), Ok(Moment::Heads(heads)) if heads.len() == 2));
    assert!(matches!("17".parse(), Ok(Moment::Seq(17))));
    assert!(matches!("0191d4c8-0000-7000-8000-000000000000".parse(), Ok(Moment::Version(_))));
    for time in ["2026-11-20T19:22:00Z", "2026-11-20T20:22:00 01:00"] {
        assert!(
            matches!(time.parse(), Ok(Moment::Time(at)) if at.timestamp() == 1_795_202_520),
            "{time}"
        );
    }
    for nonsense in ["", "yesterday", &"zz".repeat(32), "2026-11-20"] {
        assert!(nonsense.parse::<Moment>().is_err(), "{nonsense}");
    }
}

async fn found(typing: &Typing, moment: Moment) -> Result<Vec<automerge::ChangeHash>, Error> {
    let past = Arc::new(typing.page.past());
    moment::find(typing.db(), typing.document, &moment).await?.heads(&past)
}

#[tokio::test]
async fn any_state_is_found_also_after_folding() {
    let typing = Typing::saved_at(900, &[700, 850]).await;
    let old = clock::now() - Duration::from_secs(1800);
    let before = (
        found(&typing, Moment::Seq(100)).await.unwrap(),
        found(&typing, Moment::Seq(800)).await.unwrap(),
        found(&typing, Moment::Time(old)).await.unwrap(),
        ledger::read(typing.db(), typing.document).await.unwrap().lines().to_vec(),
    );
    assert_eq!(before.2, typing.head.heads, "all was written an hour ago");
    assert_eq!(typing.fold(&NONE_KEPT).await.unwrap().rows, 700);
    assert!(matches!(
        moment::find(typing.db(), typing.document, &Moment::Seq(100)).await.unwrap(),
        Found::Changes(changes) if changes.len() == 100
    ));
    let after = (
        found(&typing, Moment::Seq(100)).await.unwrap(),
        found(&typing, Moment::Seq(800)).await.unwrap(),
        found(&typing, Moment::Time(old)).await.unwrap(),
        ledger::read(typing.db(), typing.document).await.unwrap().lines().to_vec(),
    );
    assert_eq!(after, before);
    let content = typing.page.past().content_at(&after.0).unwrap();
    assert_eq!(content.blocks[0].text.len(), 99);
    let standing = moment::standing(typing.db(), typing.document, &after.0).await.unwrap();
    assert_eq!(standing.head.seq, 100);
    let standing = moment::standing(typing.db(), typing.document, &after.1).await.unwrap();
    assert_eq!(standing.head.seq, 800);
    for never in [
        Moment::Seq(901),
        Moment::Seq(-1),
        Moment::Time(Time::UNIX_EPOCH),
        Moment::Heads(vec![automerge::ChangeHash([1; 32])]),
    ] {
        assert!(
            matches!(found(&typing, never.clone()).await, Err(Error::StateNotFound)),
            "{never:?}"
        );
    }
    assert!(matches!(
        found(&typing, Moment::Version(kernel::id::VersionId::new())).await,
        Err(Error::VersionNotFound)
    ));
}

#[tokio::test]
async fn a_time_in_the_folded_part_is_found() {
    let typing = Typing::saved_at(900, &[700, 850]).await;
    // The rows behind 500 are of now; those before of an hour ago.
    let log = (typing.document, typing.head.epoch);
    use entity::document_change::{Column, Entity};
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
    Entity::update_many()
        .col_expr(Column::CreatedAt, Expr::value(clock::now() - Duration::from_secs(600)))
        .filter(Column::DocumentId.eq(log.0))
        .filter(Column::ServerSeq.gt(500))
        .exec(typing.db())
        .await
        .unwrap();
    typing.fold(&NONE_KEPT).await.unwrap();
    let half_an_hour_ago = clock::now() - Duration::from_secs(1800);
    let heads = found(&typing, Moment::Time(half_an_hour_ago)).await.unwrap();
    assert_eq!(heads, found(&typing, Moment::Seq(500)).await.unwrap());
    let standing = moment::standing(typing.db(), typing.document, &heads).await.unwrap();
    assert_eq!(standing.head.seq, 500);
    assert!((standing.edited_at - half_an_hour_ago).num_seconds().abs() < 3600);
}
