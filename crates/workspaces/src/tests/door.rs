//! Who comes in.

use super::Stage;
use crate::access::*;
use kernel::{clock, error::Explain, id::*, role::*};
use sea_orm::ActiveValue::Set;

/// What the door says: `in`, or the error's code.
fn answer<T>(result: Result<T, AccessError>) -> &'static str {
    match result {
        Ok(_) => "in",
        Err(error) => error.code(),
    }
}

#[tokio::test]
async fn a_role_opens_its_doors_and_a_stranger_is_told_nothing() {
    let stage = Stage::new().await;
    for (user, expected) in [
        (stage.owner, ["in", "in", "in", "in", "in", "in"]),
        (stage.admin, ["in", "in", "in", "in", "in", "forbidden"]),
        (stage.member, ["in", "in", "in", "forbidden", "forbidden", "forbidden"]),
        (stage.guest, ["in", "forbidden", "forbidden", "forbidden", "forbidden", "forbidden"]),
        (stage.stranger, ["not_found"; 6]),
        (UserId::new(), ["not_found"; 6]),
    ] {
        let (db, home) = (stage.db(), stage.workspace);
        let answers = [
            answer(enter::<ReadWorkspace>(db, user, home).await),
            answer(enter::<ReadMembers>(db, user, home).await),
            answer(enter::<CreateDocuments>(db, user, home).await),
            answer(enter::<EditWorkspace>(db, user, home).await),
            answer(enter::<ManageMembers>(db, user, home).await),
            answer(enter::<DeleteWorkspace>(db, user, home).await),
        ];
        assert_eq!(answers, expected);
    }
    assert_eq!(
        answer(enter::<ReadWorkspace>(stage.db(), stage.owner, WorkspaceId::new()).await),
        "not_found"
    );
}

#[tokio::test]
async fn a_proof_says_who_where_and_as_what() {
    let stage = Stage::new().await;
    let access: Access<ReadWorkspace> = stage.enters(stage.guest).await;
    assert_eq!(
        (access.user(), access.workspace(), access.role()),
        (stage.guest, stage.workspace, Role::Guest)
    );
    assert_eq!(
        access.by(),
        events::By {
            workspace: Some(stage.workspace),
            user: Some(stage.guest)
        }
    );

    let page = stage.page(None, None).await;
    let access: DocumentAccess<EditDocument> = open(stage.db(), stage.member, page).await.expect("members may edit");
    let access: DocumentAccess<ViewDocument> = access.weaken();
    assert_eq!(
        (access.id(), access.workspace(), access.user()),
        (page, stage.workspace, stage.member)
    );
    assert_eq!(
        (access.role(), access.level(), access.document().id),
        (Role::Member, Level::Edit, page)
    );
    assert_eq!(
        access.by(),
        events::By {
            workspace: Some(stage.workspace),
            user: Some(stage.member)
        }
    );
}

/// What a person gets when they try to view, comment, edit and manage a page.
async fn tries(stage: &Stage, user: UserId, page: DocumentId) -> [&'static str; 4] {
    let db = stage.db();
    [
        answer(open::<ViewDocument>(db, user, page).await),
        answer(open::<CommentDocument>(db, user, page).await),
        answer(open::<EditDocument>(db, user, page).await),
        answer(open::<ManageDocument>(db, user, page).await),
    ]
}

#[tokio::test]
async fn a_page_opens_as_far_as_its_level() {
    let stage = Stage::new().await;
    let (all, no, gone) = (["in"; 4], "forbidden", ["not_found"; 4]);
    for (level, expected) in [
        (None, ["in", "in", "in", no]),
        (Some(Level::Manage), all),
        (Some(Level::Edit), ["in", "in", "in", no]),
        (Some(Level::Comment), ["in", "in", no, no]),
        (Some(Level::View), ["in", no, no, no]),
        (Some(Level::None), gone),
    ] {
        let page = stage.page(None, level).await;
        assert_eq!(tries(&stage, stage.owner, page).await, all);
        assert_eq!(tries(&stage, stage.admin, page).await, all);
        assert_eq!(tries(&stage, stage.member, page).await, expected, "{level:?}");
        assert_eq!(tries(&stage, stage.guest, page).await, gone);
        assert_eq!(tries(&stage, stage.stranger, page).await, gone);
    }
    assert_eq!(tries(&stage, stage.owner, DocumentId::new()).await, gone);
}

#[tokio::test]
async fn a_page_in_the_trash_has_a_door_of_its_own() {
    let stage = Stage::new().await;
    let (db, member) = (stage.db(), stage.member);
    let page = stage.page(None, None).await;
    assert_eq!(
        answer(open_trashed::<ViewDocument>(db, stage.owner, page).await),
        "not_found",
        "it is not in the trash"
    );

    stage.updates_page(page, |row| row.deleted_at = Set(Some(clock::now()))).await;
    assert_eq!(tries(&stage, stage.owner, page).await, ["not_found"; 4]);
    assert_eq!(answer(open_trashed::<ManageDocument>(db, stage.owner, page).await), "in");
    assert_eq!(answer(open_trashed::<ManageDocument>(db, member, page).await), "forbidden");
    assert_eq!(answer(open_trashed::<EditDocument>(db, member, page).await), "in");
    assert_eq!(answer(open_trashed::<ViewDocument>(db, member, page).await), "in");

    stage.updates_page(page, |row| row.default_level = Set(Some(Level::Comment))).await;
    assert_eq!(
        answer(open_trashed::<ViewDocument>(db, member, page).await),
        "forbidden",
        "who cannot edit does not read the trash"
    );
    stage.updates_page(page, |row| row.default_level = Set(Some(Level::None))).await;
    assert_eq!(answer(open_trashed::<ViewDocument>(db, member, page).await), "not_found");
    assert_eq!(answer(open_trashed::<ViewDocument>(db, stage.stranger, page).await), "not_found");
}

#[tokio::test]
async fn a_workspace_in_the_trash_is_there_for_nobody() {
    let stage = Stage::new().await;
    let page = stage.page(None, None).await;
    stage.trashes().await;
    for user in [stage.owner, stage.admin, stage.member, stage.guest] {
        assert_eq!(answer(enter::<ReadWorkspace>(stage.db(), user, stage.workspace).await), "not_found");
        assert_eq!(tries(&stage, user, page).await, ["not_found"; 4]);
        assert_eq!(level(stage.db(), user, page).await.expect("reads"), None);
        assert!(levels(stage.db(), user, &[page]).await.expect("reads").is_empty());
    }
}

#[tokio::test]
async fn who_was_removed_stays_outside() {
    let stage = Stage::new().await;
    let page = stage.page(None, None).await;
    stage.removes(stage.owner, stage.member).await.expect("an owner may remove");
    assert_eq!(tries(&stage, stage.member, page).await, ["not_found"; 4]);
    assert_eq!(
        level(stage.db(), stage.member, page).await.expect("reads"),
        None,
        "and live connections see it"
    );
}
