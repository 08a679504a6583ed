//! The trash: what comes back, and where; what is destroyed, and when.

use super::*;
use crate::trash;
use chrono::Duration;
use sea_orm::ActiveValue::Set;

async fn puts(stage: &Stage, id: DocumentId) {
    let access = stage.edits(stage.member, id).await;
    write(stage.db(), async |tx: &DatabaseTransaction| trash::put(tx, &access).await)
        .await
        .expect("goes to the trash");
}

async fn restores(stage: &Stage, id: DocumentId) -> rows::Model {
    let access = access::open_trashed(stage.db(), stage.member, id).await.expect("may");
    write(stage.db(), async |tx: &DatabaseTransaction| trash::restore(tx, &access).await)
        .await
        .expect("comes back")
}

#[tokio::test]
async fn a_page_comes_back_with_its_own_to_the_nearest_place_that_lives() {
    let stage = Stage::new().await;
    let top = stage.page(None).await;
    let middle = stage.page(Some(top)).await;
    let page = stage.page(Some(middle)).await;
    let (child, sibling) = (stage.page(Some(page)).await, stage.page(Some(middle)).await);
    puts(&stage, middle).await;
    assert_eq!(restores(&stage, page).await.parent_id, Some(top));
    for (id, is_trashed) in [(child, false), (sibling, true), (middle, true)] {
        assert_eq!(stage.row(id).await.deleted_at.is_some(), is_trashed);
    }
    assert_eq!(restores(&stage, middle).await.parent_id, Some(top));
    assert_eq!(stage.row(sibling).await.deleted_at, None);
    assert_eq!(stage.row(sibling).await.deleted_by, None);
}

#[tokio::test]
async fn the_trash_shows_what_was_thrown_away_and_what_it_was_under() {
    let stage = Stage::new().await;
    let top = stage.page(None).await;
    let page = stage.page(Some(top)).await;
    stage.page(Some(page)).await;
    let hidden = stage.page(None).await;
    puts(&stage, page).await;
    let access = stage.edits(stage.owner, hidden).await;
    write(stage.db(), async |tx: &DatabaseTransaction| trash::put(tx, &access).await)
        .await
        .expect("goes to the trash");
    stage.changes(hidden, |row| row.restricted = Set(true)).await;
    let access = access::enter(stage.db(), stage.member, stage.workspace).await.expect("comes in");
    let (rows, next) = trash::list(stage.db(), &access, None, 1).await.expect("lists");
    assert_eq!(rows.len(), 1);
    let one = &rows[0];
    assert_eq!((one.row.id, one.pages, one.row.deleted_by), (page, 2, Some(stage.member)));
    assert_eq!(one.was_under.as_ref().map(|row| row.id), Some(top));
    // What they may not take out is not there, neither before it nor behind.
    assert_eq!(next, None);
}

#[tokio::test]
async fn what_was_long_in_the_trash_is_destroyed_some_at_a_time() {
    let stage = Stage::new().await;
    let page = stage.page(None).await;
    for _ in 0..150 {
        stage.page(Some(page)).await;
    }
    let (kept, fresh) = (stage.page(Some(page)).await, stage.page(None).await);
    puts(&stage, kept).await;
    puts(&stage, page).await;
    puts(&stage, fresh).await;
    let long_ago = clock::now() - Duration::days(31);
    stage.changes(page, |row| row.deleted_at = Set(Some(long_ago))).await;
    let before = clock::now() - Duration::days(30);
    assert_eq!(trash::overdue(stage.db(), before, 10).await.expect("reads"), [page]);
    let purge = async || {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            trash::purge_some(tx, page, before).await
        })
        .await
        .expect("destroys")
    };
    assert!(!purge().await);
    assert!(purge().await);
    assert!(purge().await, "it may be done again");
    assert_eq!(rows::Entity::find().count(stage.db()).await.expect("counts"), 2);
    assert_eq!(stage.row(kept).await.parent_id, None);
    assert_eq!(stage.happened("document.deleted").await, 1);
}
