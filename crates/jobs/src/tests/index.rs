//! The search index, kept by jobs.

use super::*;
use crate::{
    kinds::{self, IndexPage, IndexPages},
    work::{Done, Trouble, Work},
};
use documents::{
    document::{self, Created, NewDocument},
    limits::Limits,
    op::NewBlock,
};
use queue::Unique;
use search::{
    ask::Ask,
    find::{self, Wanted},
    index,
};
use workspaces::access;

fn work(stage: &Stage, claim: &Claim) -> Work {
    Work::new(stage.parts.clone(), claim.clone(), CancellationToken::new())
}

pub(super) async fn makes_page(stage: &Stage, (home, user): (WorkspaceId, UserId), title: &str, block: NewBlock) -> Created {
    let access = access::enter(stage.db(), user, home).await.expect("may come in");
    let new = NewDocument {
        title: title.to_owned(),
        blocks: vec![block],
        ..NewDocument::default()
    };
    let made = db::write(stage.db(), async |tx: &DatabaseTransaction| {
        document::create(tx, &access, None, new, &Limits::default()).await
    });
    made.await.expect("a page can be made")
}

pub(super) fn block(text: &str) -> NewBlock {
    NewBlock {
        kind: "paragraph".to_owned(),
        text: text.to_owned(),
        ..NewBlock::default()
    }
}

/// Titles that somebody finds, with the blocks.
async fn finds(stage: &Stage, (home, user): (WorkspaceId, UserId), question: &str) -> Vec<(String, usize)> {
    let access = access::enter(stage.db(), user, home).await.expect("may come in");
    let wanted = Wanted {
        limit: 50,
        ..Wanted::default()
    };
    let ask = Ask::read(question).expect("a question");
    let found = find::find(stage.db(), &[access], &ask, &wanted).await.expect("answers");
    let mut hits: Vec<(String, usize)> = found.hits.into_iter().map(|hit| (hit.title.text, hit.blocks.len())).collect();
    hits.sort();
    hits
}

pub(super) async fn performs(stage: &Stage, queue: Queue) -> Result<Done, Trouble> {
    let claim = stage.take(queue, SOON).await;
    kinds::perform(&work(stage, &claim)).await
}

#[tokio::test]
async fn a_new_page_is_found_once_its_fact_was_told() {
    let stage = Stage::new().await;
    let ada = stage.makes_user("ada").await;
    let home = stage.makes_workspace(&[ada]).await;
    let made = makes_page(&stage, (home, ada), "Fruit", block("about plums")).await;
    let by = By {
        workspace: Some(home),
        user: Some(ada),
    };
    stage.append(by, Change::DocumentUpdated { document: made.row.id }).await;
    stage.append(by, Change::DocumentViewed { document: made.row.id }).await;
    crate::relay::catch_up(stage.db(), &stage.parts.signals).await.expect("stamped");
    let jobs = stage.jobs(IndexPage::KIND).await;
    assert_eq!(jobs.len(), 1, "one job, whatever happened to the page");
    assert_eq!((jobs[0].queue.as_str(), jobs[0].workspace_id), ("search", Some(home)));
    assert_eq!(finds(&stage, (home, ada), "plums ").await, []);
    let lost = stage.take(Queue::Search, Duration::ZERO).await;
    assert_eq!(performs(&stage, Queue::Search).await, Ok(Done::Committed));
    assert_eq!(kinds::perform(&work(&stage, &lost)).await, Err(Trouble::Lost));
    assert_eq!(finds(&stage, (home, ada), "plums ").await, [("Fruit".to_owned(), 1)]);
    assert_eq!(finds(&stage, (home, ada), "fruit ").await, [("Fruit".to_owned(), 0)]);
    assert_eq!(stage.jobs(IndexPage::KIND).await, [], "nothing is left of the job");
}

#[tokio::test]
async fn a_page_that_was_destroyed_meanwhile_is_no_trouble() {
    let stage = Stage::new().await;
    let gone = DocumentId::new();
    stage.put(IndexPage::once(gone).expect("a job")).await;
    assert_eq!(performs(&stage, Queue::Search).await, Ok(Done::Committed));
}

#[tokio::test]
async fn what_props_say_is_found_too() {
    let stage = Stage::new().await;
    let ada = stage.makes_user("ada").await;
    let home = stage.makes_workspace(&[ada]).await;
    let props = serde_json::json!({ "url": "https://example.com/secretpath", "caption": "A plum tree", "width": 3 });
    let picture = NewBlock {
        kind: "image".to_owned(),
        props: props.as_object().expect("an object").clone(),
        ..NewBlock::default()
    };
    let made = makes_page(&stage, (home, ada), "Picture", picture).await;
    kinds::index_page::index(stage.db(), made.row.id).await.expect("put in");
    assert_eq!(finds(&stage, (home, ada), "\"plum tree\"").await, [("Picture".to_owned(), 1)]);
    assert_eq!(finds(&stage, (home, ada), "secretpath ").await, []);
}

#[tokio::test]
async fn pages_that_nobody_asked_for_are_found_and_put_in() {
    let stage = Stage::new().await;
    let ada = stage.makes_user("ada").await;
    let home = stage.makes_workspace(&[ada]).await;
    for n in 0..3 {
        makes_page(&stage, (home, ada), &format!("p{n}"), block("plums")).await;
    }
    let age = entity::document_head::Entity::update_many()
        .col_expr(
            entity::document_head::Column::UpdatedAt,
            sea_orm::sea_query::Expr::value(clock::now() - Duration::from_secs(60)),
        )
        .exec(stage.db());
    age.await.expect("they are quiet");
    let sweep = async || {
        let mut job = IndexPages {}.job().expect("a job");
        job.unique = Unique::No;
        stage.put(job).await;
        performs(&stage, Queue::Upkeep).await
    };
    assert_eq!(sweep().await, Ok(Done::Repeatable(Some("{\"pages\":3}".to_owned()))));
    assert_eq!(finds(&stage, (home, ada), "plums ").await.len(), 3);
    assert_eq!(sweep().await, Ok(Done::Repeatable(None)), "there is nothing more to do");
    let spoiled = db::write(stage.db(), async |tx: &DatabaseTransaction| index::spoil(tx, Some(home)).await);
    assert_eq!(spoiled.await, Ok(3));
    assert_eq!(finds(&stage, (home, ada), "plums ").await.len(), 3, "they are found meanwhile");
    assert_eq!(sweep().await, Ok(Done::Repeatable(Some("{\"pages\":3}".to_owned()))));
}
