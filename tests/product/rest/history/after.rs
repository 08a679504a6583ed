//! History after what happens to a product: versions by themselves, restarts, folded logs.

use super::Paper;
use crate::support::{TestApp, app::text_of};
use serde_json::json;
use std::time::Duration;

/// Makes versions of whatever was edited, as soon as it is looked.
const AT_ONCE: [(&str, &str); 2] = [("history.quiet_secs", "0"), ("worker.poll_ms", "50")];

#[tokio::test(flavor = "multi_thread")]
async fn an_editing_session_becomes_a_version_by_itself() {
    let paper = Paper::of(TestApp::with(&AT_ONCE).await, "One").await;
    let friend = paper.member("friend", "member").await;
    paper.says(&paper.owner, "Two").await;
    paper.says(&friend, "Three").await;
    let mut versions = Vec::new();
    // The plan looks once a minute.
    for _ in 0..1_500 {
        versions = paper.versions().await;
        if versions.first().is_some_and(|version| version["version"] == 3) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let latest = versions.first().expect("a version");
    assert_eq!(
        (&latest["kind"], &latest["version"], &latest["created_by"]),
        (&json!("auto"), &json!(3), &json!(null))
    );
    assert_eq!(versions.last().expect("the first")["version"], 1, "how it began");
    assert_eq!(paper.said(&text_of(&latest["id"])).await, ["Three"]);
    let named = paper.names(&paper.owner, "By hand").await;
    assert_eq!(
        (&named["id"], &named["kind"]),
        (&latest["id"], &json!("named")),
        "what was kept gets the name"
    );
    paper.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_survives_a_restart_and_folding() {
    let folding = [("collab.log_days", "0"), ("collab.log_rows", "0"), ("collab.snapshot_rows", "200")];
    let mut paper = Paper::of(TestApp::with(&folding).await, "0").await;
    let version = text_of(&paper.names(&paper.owner, "Begin").await["id"]);
    for i in 1..=1_100 {
        paper.says(&paper.owner, &format!("said {i}")).await;
    }
    let before = (paper.said("600").await, paper.said(&version).await);
    paper.app = paper.app.restart().await;
    paper.owner = paper.owner.at(&paper.app.address(0));
    folded(&paper).await;
    assert_eq!((paper.said("600").await, paper.said(&version).await), before);
    assert_eq!(before.1, ["0"]);
    assert_eq!(before.0, ["said 599"]);
    let blame = paper
        .owner
        .get(&paper.at(&format!("blame/?block={}&at=600", paper.block)))
        .await
        .expect(200)
        .body;
    let run = &blame["blocks"][0]["runs"][0];
    assert_eq!((&run["user"]["id"], &run["start"]), (&json!(paper.owner.id), &json!(0)), "{blame}");
    let changes = paper.owner.get(&paper.at("changes/?since=600")).await.expect(200).body;
    assert_eq!(changes["summary"]["changes"], 501);
    let restore = paper.at(&format!("versions/{version}/restore/"));
    paper.owner.post(&restore, &json!({})).await.expect(200);
    assert_eq!(paper.owner.texts(&paper.document).await, ["0"]);
    paper.app.stop().await;
}

/// Waits until most of the page's log is folded.
async fn folded(paper: &Paper) {
    use entity::document_head::Entity;
    use sea_orm::EntityTrait;
    let db = paper.app.database().await;
    let id: kernel::id::DocumentId = paper.document.parse().expect("an id");
    let document = id;
    for _ in 0..600 {
        // What happens hourly, now.
        let retention = documents::compaction::Retention {
            age: Duration::ZERO,
            rows: 0,
        };
        let fold = backends::db::write(&db, async |tx: &sea_orm::DatabaseTransaction| {
            documents::compaction::fold(tx, document, &retention).await
        });
        fold.await.expect("folded");
        let head = Entity::find_by_id(document).one(&db).await.expect("read").expect("a page");
        if head.floor_seq >= 650 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the log was not folded");
}
