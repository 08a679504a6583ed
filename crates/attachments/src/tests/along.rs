//! Files that go along when a page is copied.

use super::*;
use crate::along;
use std::collections::BTreeSet;

#[tokio::test]
async fn a_copy_has_files_of_its_own_that_live_without_the_first() {
    let stage = Stage::new().await;
    let row = stage.adds("a.txt", &[b'a'; 400]).await.expect("added");
    let shown = {
        let other = stage.opens(stage.other).await;
        copy::store_bytes(&stage.store, &other, "b.txt", Bytes::from_static(b"b"))
            .await
            .expect("added")
    };
    let from: DocumentAccess<access::ViewDocument> = stage.opens(stage.page).await;
    let named = BTreeSet::from([row.id, shown.id, AttachmentId::new()]);
    let needed = along::needed(stage.db(), &from, stage.page, &named).await.expect("read");
    assert_eq!(needed.iter().map(|row| row.id).collect::<Vec<_>>(), [row.id, shown.id]);
    assert_eq!(
        along::count(stage.db(), &from, &[stage.page, stage.other]).await.expect("counted"),
        2
    );

    let made = write(stage.db(), async |tx: &DatabaseTransaction| {
        workspaces::workspace::create(tx, stage.owner, "Other").await
    });
    let home = made.await.expect("a workspace").id;
    let (page, id) = (make_page(stage.db(), home, stage.owner).await, AttachmentId::new());
    let page = document::Entity::find_by_id(page)
        .one(stage.db())
        .await
        .expect("read")
        .expect("a page");
    let access = access::enter(stage.db(), stage.owner, home).await.expect("comes in");
    let brought = along::bring(&stage.store, row.clone(), id, home).await.expect("brought");
    let settle = async |quotas: Quotas| {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            along::settle(tx, &access, &page, std::slice::from_ref(&brought), &quotas).await
        })
        .await
    };
    let little = Quotas {
        storage_bytes: Some(399),
        ..Quotas::default()
    };
    assert!(matches!(
        settle(little).await,
        Err(Error::Workspace(workspaces::Error::QuotaExceeded(_)))
    ));
    settle(Quotas::default()).await.expect("settled");
    let copied = files::find(stage.db(), &stage.opens::<EditDocument>(page.id).await, id)
        .await
        .expect("there");
    assert_eq!((&copied.name, &copied.sha256, copied.reserved), (&row.name, &row.sha256, 400));
    assert!(copied.file_id.is_some() && copied.file_id != row.file_id);
    document::Entity::delete_by_id(stage.page)
        .exec(stage.db())
        .await
        .expect("destroyed");
    let later = clock::now() + purge::GRACE + HOUR;
    assert_eq!(purge::files(stage.db(), &stage.store.files, later).await.expect("purged"), 1);
    assert_eq!(stage.reads(&copied).await, [b'a'; 400]);
}

#[tokio::test]
async fn what_was_brought_and_is_not_wanted_leaves_nothing() {
    let stage = Stage::new().await;
    let row = stage.adds("a.txt", b"bytes").await.expect("added");
    let brought = along::bring(&stage.store, row.clone(), AttachmentId::new(), stage.workspace)
        .await
        .expect("brought");
    assert_eq!(stage.in_store().await, 2);
    along::discard(&stage.store, stage.workspace, &brought).await;
    assert_eq!(stage.in_store().await, 1);
    let key = Key::attachment(stage.workspace, row.file_id.expect("a file"));
    stage.store.files.delete(&key).await.expect("deleted");
    let lost = along::bring(&stage.store, row, AttachmentId::new(), stage.workspace).await;
    assert!(matches!(lost, Err(Error::Files(FilesError::NotFound))), "{lost:?}");
}
