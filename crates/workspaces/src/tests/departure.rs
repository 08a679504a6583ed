//! People who go for good: nobody is left without an owner, and nothing of theirs is left to open.

use super::Stage;
use crate::{acquaintance, departure};
use backends::db::write;
use entity::{member, workspace};
use kernel::{id::*, role::Role};
use sea_orm::{DatabaseTransaction, EntityTrait};

async fn departs(stage: &Stage, user: UserId) {
    write(stage.db(), async |tx: &DatabaseTransaction| departure::depart(tx, user).await)
        .await
        .expect("departed");
}

async fn role_of(stage: &Stage, user: UserId) -> Option<Role> {
    let row = member::Entity::find_by_id((stage.workspace, user)).one(stage.db()).await;
    row.expect("asked").map(|row| row.role)
}

async fn holds(stage: &Stage, user: UserId) -> Vec<WorkspaceId> {
    let held = departure::holding(stage.db(), user).await.expect("asked");
    held.into_iter().map(|workspace| workspace.id).collect()
}

#[tokio::test]
async fn only_the_last_owner_of_others_holds_a_workspace() {
    let stage = Stage::new().await;
    stage.makes("Alone", stage.owner).await.expect("made");
    stage.makes("Alone too", stage.stranger).await.expect("made");
    assert_eq!(holds(&stage, stage.owner).await, [stage.workspace]);
    for user in [stage.admin, stage.member, stage.guest, stage.stranger] {
        assert_eq!(holds(&stage, user).await, []);
    }
    stage.joins(stage.stranger, Role::Owner).await;
    assert_eq!(holds(&stage, stage.owner).await, []);
}

#[tokio::test]
async fn what_was_theirs_alone_goes_to_the_trash_and_the_rest_is_handed_on() {
    let stage = Stage::new().await;
    let alone = stage.makes("Alone", stage.owner).await.expect("made").id;
    departs(&stage, stage.owner).await;
    let find = async |id: WorkspaceId| {
        workspace::Entity::find_by_id(id)
            .one(stage.db())
            .await
            .expect("asked")
            .expect("there")
    };
    assert!(find(alone).await.deleted_at.is_some() && find(stage.workspace).await.deleted_at.is_none());
    assert_eq!(role_of(&stage, stage.owner).await, None);
    assert_eq!(role_of(&stage, stage.admin).await, Some(Role::Owner), "who had the most say");
    assert_eq!(role_of(&stage, stage.member).await, Some(Role::Member));
    departs(&stage, stage.guest).await;
    assert_eq!(role_of(&stage, stage.admin).await, Some(Role::Owner));
    assert_eq!(role_of(&stage, stage.guest).await, None);
}

#[tokio::test]
async fn another_owner_keeps_it_as_it_is() {
    let stage = Stage::new().await;
    stage.joins(stage.stranger, Role::Owner).await;
    departs(&stage, stage.owner).await;
    assert_eq!(role_of(&stage, stage.admin).await, Some(Role::Admin));
    assert_eq!(role_of(&stage, stage.stranger).await, Some(Role::Owner));
}

#[tokio::test]
async fn people_know_of_each_other_through_a_living_workspace() {
    let stage = Stage::new().await;
    let beside = async |user, other| acquaintance::highest_role_beside(stage.db(), user, other).await.expect("asked");
    assert_eq!(beside(stage.guest, stage.owner).await, Some(Role::Guest));
    assert_eq!(beside(stage.admin, stage.guest).await, Some(Role::Admin));
    assert_eq!(beside(stage.stranger, stage.owner).await, None);
    assert_eq!(beside(stage.owner, stage.stranger).await, None);
    let other = stage.makes("Other", stage.stranger).await.expect("made");
    assert_eq!(beside(stage.owner, stage.stranger).await, None, "{}", other.name);
    departs(&stage, stage.owner).await;
    assert_eq!(beside(stage.guest, stage.owner).await, None);
}
