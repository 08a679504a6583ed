//! What becomes of pages by themselves: old ones go to the archive, and what was long in the trash is destroyed.

use super::{
    index::{block, makes_page, performs},
    *,
};
use crate::{
    kinds::{ArchivePages, PurgePages},
    work::{Done, Trouble},
};
use entity::{document, document_change, document_head, workspace_settings};
use kernel::role::Level;
use sea_orm::sea_query::Expr;

fn days_ago(days: i64) -> clock::Time {
    clock::now() - chrono::Duration::days(days)
}

/// A workspace of somebody with pages.
async fn shelf<const N: usize>(stage: &Stage, titles: [&str; N]) -> (WorkspaceId, [DocumentId; N]) {
    let ada = stage.makes_user("ada").await;
    let home = stage.makes_workspace(&[ada]).await;
    let mut pages = Vec::new();
    for title in titles {
        pages.push(makes_page(stage, (home, ada), title, block("text")).await.row.id);
    }
    (home, pages.try_into().expect("as many"))
}

async fn sets(stage: &Stage, page: DocumentId, values: &[(document::Column, Option<clock::Time>)]) {
    let mut update = document::Entity::update_many();
    for (column, value) in values {
        update = update.col_expr(*column, Expr::value(*value));
    }
    if values.iter().any(|(column, _)| matches!(column, document::Column::DeletedAt)) {
        update = update.col_expr(document::Column::DeletedWith, Expr::value(page.0));
    }
    let done = update.filter(document::Column::Id.eq(page)).exec(stage.db()).await;
    assert_eq!(done.expect("written").rows_affected, 1);
}

/// Nobody has changed the page for so long.
async fn ages(stage: &Stage, page: DocumentId, days: i64) {
    let at = days_ago(days);
    sets(stage, page, &[(document::Column::UpdatedAt, Some(at))]).await;
    let heads = document_head::Entity::update_many()
        .col_expr(document_head::Column::UpdatedAt, Expr::value(at))
        .filter(document_head::Column::DocumentId.eq(page));
    heads.exec(stage.db()).await.expect("written");
}

async fn page(stage: &Stage, id: DocumentId) -> Option<document::Model> {
    document::Entity::find_by_id(id).one(stage.db()).await.expect("read")
}

async fn done(stage: &Stage, job: NewJob) -> Result<Done, Trouble> {
    stage.put(job).await;
    performs(stage, Queue::Upkeep).await
}

#[tokio::test]
async fn what_was_in_the_trash_for_thirty_days_is_destroyed_with_all_that_was_its() {
    let stage = Stage::new().await;
    let (_, [old, young, alive]) = shelf(&stage, ["Old", "Young", "Alive"]).await;
    sets(&stage, old, &[(document::Column::DeletedAt, Some(days_ago(31)))]).await;
    sets(&stage, young, &[(document::Column::DeletedAt, Some(days_ago(29)))]).await;
    let told = Done::Repeatable(Some("{\"documents\":1}".to_owned()));
    assert_eq!(done(&stage, PurgePages {}.job().expect("a job")).await, Ok(told));
    assert!(page(&stage, old).await.is_none());
    assert!(page(&stage, young).await.is_some() && page(&stage, alive).await.is_some());
    let changes = document_change::Entity::find().filter(document_change::Column::DocumentId.eq(old));
    assert_eq!(changes.count(stage.db()).await.expect("counted"), 0, "nothing of it is left");
    let purged = stage.facts("document.deleted").await;
    assert_eq!(purged.iter().map(|fact| fact.subject_id).collect::<Vec<_>>(), [Some(old.0)]);
    // Another night there is nothing to do.
    let told = Done::Repeatable(Some("{\"documents\":0}".to_owned()));
    assert_eq!(done(&stage, PurgePages {}.job().expect("a job")).await, Ok(told));
}

#[tokio::test]
async fn the_archive_takes_what_is_as_old_as_the_settings_say() {
    let stage = Stage::new().await;
    let (home, [old, young]) = shelf(&stage, ["Old", "Young"]).await;
    ages(&stage, old, 100).await;
    ages(&stage, young, 10).await;
    let none = Done::Repeatable(Some("{\"documents\":0}".to_owned()));
    assert_eq!(
        done(&stage, ArchivePages {}.job().expect("a job")).await,
        Ok(none),
        "without a policy"
    );
    let policy = workspace_settings::Model {
        workspace_id: home,
        default_level: Level::Edit,
        share_links: true,
        member_invites: true,
        archive_after_days: Some(90),
        updated_at: clock::now(),
    };
    let made = workspace_settings::Entity::insert(policy.into_active_model())
        .exec_without_returning(stage.db())
        .await;
    made.expect("a policy");
    let one = Done::Repeatable(Some("{\"documents\":1}".to_owned()));
    assert_eq!(done(&stage, ArchivePages {}.job().expect("a job")).await, Ok(one));
    assert!(page(&stage, old).await.is_some_and(|row| row.is_archived()));
    assert!(page(&stage, young).await.is_some_and(|row| !row.is_archived()));
    assert_eq!(stage.facts("document.archived").await.len(), 1);
}
