//! Workspaces: made, listed, renamed, put in the trash.

use super::Stage;
use crate::{
    Error,
    access::{self, Access, DeleteWorkspace, EditWorkspace, ReadWorkspace},
    workspace,
};
use backends::db::write;
use kernel::{error::Explain, role::Role};
use sea_orm::DatabaseTransaction;

impl Stage {
    async fn renames(&self, name: &str) -> Result<entity::workspace::Model, Error> {
        let access: Access<EditWorkspace> = self.enters(self.admin).await;
        write(self.db(), async |tx: &DatabaseTransaction| {
            workspace::rename(tx, &access, name).await
        })
        .await
    }
}

#[tokio::test]
async fn whoever_makes_a_workspace_owns_it() {
    let stage = Stage::new().await;
    let row = stage.makes("  Ideas ", stage.guest).await.expect("anybody may make one");
    assert_eq!((&*row.name, row.created_by), ("Ideas", stage.guest));
    let access: Access<DeleteWorkspace> = access::enter(stage.db(), stage.guest, row.id).await.expect("an owner may do all");
    assert_eq!(access.role(), Role::Owner);
    assert_eq!(stage.happened("workspace.created").await, 1);
}

#[tokio::test]
async fn everybody_lists_their_own() {
    let stage = Stage::new().await;
    let mine = stage.makes("Mine", stage.member).await.expect("makes");
    let names = async |user| {
        let all = workspace::list(stage.db(), user).await.expect("lists");
        all.into_iter().map(|(row, role)| (row.name, role)).collect::<Vec<_>>()
    };
    assert_eq!(
        names(stage.member).await,
        [("Work".to_owned(), Role::Member), ("Mine".to_owned(), Role::Owner)]
    );
    assert_eq!(names(stage.stranger).await, []);
    stage.trashes().await;
    assert_eq!(names(stage.member).await, [(mine.name, Role::Owner)]);
}

#[tokio::test]
async fn a_name_is_short_and_one_line() {
    let stage = Stage::new().await;
    for bad in ["", " \n ", "a\nb", "a\u{0}", &"x".repeat(121)] {
        let error = stage.renames(bad).await.expect_err("is refused");
        assert_eq!((error.code(), &*error.fields()[0].pointer), ("invalid", "/name"), "{bad:?}");
        assert!(matches!(stage.makes(bad, stage.owner).await, Err(Error::Invalid(_))), "{bad:?}");
    }
    let long = "ö".repeat(120);
    assert_eq!(stage.renames(&format!(" {long} ")).await.expect("renames").name, long);
    assert_eq!(stage.renames(&long).await.expect("the same again").name, long);
    assert_eq!(stage.happened("workspace.updated").await, 1, "nothing happened the second time");
    let access: Access<ReadWorkspace> = stage.enters(stage.guest).await;
    assert_eq!(workspace::find(stage.db(), &access).await.expect("reads").name, long);
}

#[tokio::test]
async fn a_workspace_is_trashed_once() {
    let stage = Stage::new().await;
    let delete: Access<DeleteWorkspace> = stage.enters(stage.owner).await;
    let edit: Access<EditWorkspace> = stage.enters(stage.owner).await;
    let read: Access<ReadWorkspace> = stage.enters(stage.owner).await;
    stage.trashes().await;
    let again = write(stage.db(), async |tx: &DatabaseTransaction| workspace::trash(tx, &delete).await).await;
    assert!(matches!(again, Err(Error::NotFound)));
    let late = write(stage.db(), async |tx: &DatabaseTransaction| {
        workspace::rename(tx, &edit, "Late").await
    })
    .await;
    assert!(matches!(late, Err(Error::NotFound)), "a proof from before does not bring it back");
    assert!(matches!(workspace::find(stage.db(), &read).await, Err(Error::NotFound)));
    assert_eq!(stage.happened("workspace.deleted").await, 1);
}
