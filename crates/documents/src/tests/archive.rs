//! The archive: read only, by hand and by policy.

use super::*;
use crate::archiving;
use chrono::Duration;
use entity::{document_head, favorite};
use sea_orm::{ActiveValue::Set, sea_query::Expr};
use workspaces::access::ViewDocument;

async fn archives(stage: &Stage, id: DocumentId) -> rows::Model {
    let access = stage.edits(stage.member, id).await;
    write(stage.db(), async |tx: &DatabaseTransaction| archiving::archive(tx, &access).await)
        .await
        .expect("archives")
}

#[tokio::test]
async fn an_archived_page_is_read_and_not_changed_until_it_comes_out() {
    let stage = Stage::new().await;
    let page = stage.page(None).await;
    let (child, before) = (stage.page(Some(page)).await, stage.page(Some(page)).await);
    archives(&stage, before).await;
    archives(&stage, page).await;
    for (who, page) in [(stage.member, child), (stage.owner, page)] {
        access::open::<ViewDocument>(stage.db(), who, page).await.expect("is read");
        let refused = access::open::<EditDocument>(stage.db(), who, page).await;
        assert!(matches!(refused, Err(AccessError::DocumentArchived)), "{refused:?}");
        let levels = access::levels(stage.db(), who, &[page]).await.expect("reads");
        assert_eq!(levels[&page], Level::View);
    }
    let access = access::open_archived::<EditDocument>(stage.db(), stage.member, page)
        .await
        .expect("may");
    write(stage.db(), async |tx: &DatabaseTransaction| archiving::unarchive(tx, &access).await)
        .await
        .expect("comes out");
    stage.edits(stage.member, page).await;
    stage.edits(stage.member, child).await;
    // What was archived before does not come out with it.
    assert!(stage.row(before).await.is_archived());
    let again = write(stage.db(), async |tx: &DatabaseTransaction| archiving::unarchive(tx, &access).await);
    assert!(matches!(again.await, Err(Error::NotFound)));
}

async fn ages(stage: &Stage, id: DocumentId, days: i64) {
    let at = clock::now() - Duration::days(days);
    stage.changes(id, |row| row.updated_at = Set(at)).await;
    document_head::Entity::update_many()
        .col_expr(document_head::Column::UpdatedAt, Expr::value(at))
        .filter(document_head::Column::DocumentId.eq(id))
        .exec(stage.db())
        .await
        .expect("updates");
}

#[tokio::test]
async fn the_policy_archives_what_is_old_with_what_is_old_under_it() {
    let stage = Stage::new().await;
    let [old, template, liked, busy] = [
        stage.page(None).await,
        stage.page(None).await,
        stage.page(None).await,
        stage.page(None).await,
    ];
    let below = stage.page(Some(old)).await;
    let deep = stage.page(Some(below)).await;
    let young = stage.page(Some(busy)).await;
    for page in [old, below, deep, template, liked, busy] {
        ages(&stage, page, 40).await;
    }
    ages(&stage, young, 20).await;
    stage.changes(template, |row| row.is_template = Set(true)).await;
    let favorite = favorite::Model {
        user_id: stage.member,
        document_id: liked,
        rank: "V".to_owned(),
        created_at: clock::now(),
    };
    insert(stage.db(), favorite.into_active_model()).await;
    let now = clock::now();
    let mut archived = 0;
    loop {
        let some = write(stage.db(), async |tx: &DatabaseTransaction| {
            archiving::archive_some(tx, stage.workspace, (now, now - Duration::days(30)), 2).await
        });
        match some.await.expect("archives") {
            0 => break,
            some => archived += some,
        }
    }
    assert_eq!(archived, 3);
    for (page, is_archived) in [
        (old, true),
        (below, true),
        (deep, true),
        (template, false),
        (liked, false),
        (busy, false),
        (young, false),
    ] {
        assert_eq!(stage.row(page).await.is_archived(), is_archived);
    }
    assert_eq!(stage.happened("document.archived").await, 3);
    // They come out together, and stay out.
    let access = access::open_archived::<EditDocument>(stage.db(), stage.member, old)
        .await
        .expect("may");
    write(stage.db(), async |tx: &DatabaseTransaction| archiving::unarchive(tx, &access).await)
        .await
        .expect("comes out");
    for page in [old, below] {
        assert!(!stage.row(page).await.is_archived());
    }
    assert!(!stage.row(deep).await.is_archived());
}

#[tokio::test]
async fn a_policy_is_of_its_workspace() {
    let stage = Stage::new().await;
    let other = stage.another("Other").await;
    let access = access::enter(stage.db(), stage.owner, other).await.expect("comes in");
    let changes = workspaces::settings::Changes {
        archive_after_days: Some(Some(90)),
        ..Default::default()
    };
    write(stage.db(), async |tx: &DatabaseTransaction| {
        workspaces::settings::change(tx, &access, changes).await
    })
    .await
    .expect("changes");
    assert_eq!(archiving::policies(stage.db(), None, 10).await.expect("reads"), [(other, 90)]);
    assert_eq!(archiving::policies(stage.db(), Some(other), 10).await.expect("reads"), []);
}
