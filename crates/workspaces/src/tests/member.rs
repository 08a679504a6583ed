//! Members: who may add, change and remove whom, and the owner that always stays.

use super::{Stage, make_user};
use crate::{
    Error, Quotas,
    access::{self, Access, ManageMembers, ReadMembers, ReadWorkspace},
    member::{self, NewMember, Wanted},
};
use backends::db::write;
use kernel::{error::Explain, id::*, role::Role};
use sea_orm::DatabaseTransaction;

impl Stage {
    async fn adds(&self, who: UserId, new: NewMember) -> Result<(entity::member::Model, entity::user::Model), Error> {
        let access: Access<ManageMembers> = self.enters(who).await;
        write(self.db(), async |tx: &DatabaseTransaction| {
            member::add(tx, &access, new, &Quotas::default()).await
        })
        .await
    }

    async fn second_owner(&self) -> UserId {
        self.joins(self.stranger, Role::Owner).await;
        self.stranger
    }
}

fn by_email(email: &str, role: Role) -> NewMember {
    NewMember {
        user: None,
        email: Some(email.to_owned()),
        role,
    }
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

#[tokio::test]
async fn members_see_each_other_in_the_order_they_came() {
    let stage = Stage::new().await;
    let access: Access<ReadMembers> = stage.enters(stage.member).await;
    let all = member::list(
        stage.db(),
        &access,
        &Wanted {
            limit: 50,
            ..Wanted::default()
        },
    )
    .await
    .expect("lists");
    let names: Vec<(&str, Role)> = all.iter().map(|(member, user)| (&*user.display_name, member.role)).collect();
    assert_eq!(
        names,
        [
            ("owner", Role::Owner),
            ("admin", Role::Admin),
            ("member", Role::Member),
            ("guest", Role::Guest)
        ]
    );

    let (row, user) = member::find(stage.db(), &access, stage.guest).await.expect("finds");
    assert_eq!((row.role, user.id), (Role::Guest, stage.guest));
    assert!(matches!(
        member::find(stage.db(), &access, stage.stranger).await,
        Err(Error::NotFound)
    ));
}

#[tokio::test]
async fn an_existing_account_is_added_by_address_or_id() {
    let stage = Stage::new().await;
    let (row, user) = stage
        .adds(stage.owner, by_email(" Stranger@Example.org ", Role::Owner))
        .await
        .expect("adds");
    assert_eq!((row.role, row.user_id, user.id), (Role::Owner, stage.stranger, stage.stranger));
    assert_eq!(stage.happened("member.added").await, 1);

    let other = UserId::new();
    make_user(stage.db(), other, "other").await;
    let by_id = NewMember {
        user: Some(other),
        email: None,
        role: Role::Guest,
    };
    assert_eq!(
        code(stage.adds(stage.admin, by_id.clone()).await),
        "user_not_found",
        "an id is no way to somebody's address"
    );
    stage
        .adds(stage.owner, by_email("other@example.org", Role::Guest))
        .await
        .expect("adds");
    // Beside somebody in a workspace of one's own, the address is known anyway.
    let second = stage.makes("Second", stage.owner).await.expect("makes").id;
    let (first, mut stage) = (stage.workspace, stage);
    stage.workspace = second;
    stage.adds(stage.owner, by_id).await.expect("adds");
    stage.workspace = first;
    assert_eq!(stage.role(other).await, Some(Role::Guest));
}

#[tokio::test]
async fn what_cannot_be_added() {
    let stage = Stage::new().await;
    assert_eq!(
        code(stage.adds(stage.owner, by_email("nobody@example.org", Role::Member)).await),
        "user_not_found"
    );
    assert_eq!(
        code(
            stage
                .adds(
                    stage.owner,
                    NewMember {
                        user: Some(UserId::new()),
                        email: None,
                        role: Role::Member
                    }
                )
                .await
        ),
        "user_not_found"
    );
    assert_eq!(
        code(stage.adds(stage.owner, by_email("guest@example.org", Role::Member)).await),
        "already_member"
    );
    assert_eq!(
        code(stage.adds(stage.owner, by_email("owner@example.org", Role::Owner)).await),
        "already_member"
    );
    assert_eq!(
        code(
            stage
                .adds(
                    stage.owner,
                    NewMember {
                        user: None,
                        email: None,
                        role: Role::Member
                    }
                )
                .await
        ),
        "invalid"
    );
    for role in [Role::Admin, Role::Owner] {
        assert_eq!(
            code(stage.adds(stage.admin, by_email("stranger@example.org", role)).await),
            "role_too_high"
        );
    }
    assert_eq!(stage.role(stage.guest).await, Some(Role::Guest), "adding again changes nothing");
    assert_eq!((stage.role(stage.stranger).await, stage.happened("member.added").await), (None, 0));
}

#[tokio::test]
async fn an_admin_rules_only_those_below() {
    let stage = Stage::new().await;
    let (owner, admin, member) = (stage.owner, stage.admin, stage.member);
    assert_eq!(code(stage.changes_role(admin, member, Role::Guest).await), "ok");
    assert_eq!(code(stage.changes_role(admin, member, Role::Admin).await), "role_too_high");
    assert_eq!(
        code(stage.changes_role(admin, admin, Role::Owner).await),
        "role_too_high",
        "nobody raises themselves"
    );
    assert_eq!(code(stage.changes_role(admin, owner, Role::Guest).await), "role_too_high");
    assert_eq!(code(stage.removes(admin, owner).await), "role_too_high");
    assert_eq!(code(stage.changes_role(admin, stage.stranger, Role::Guest).await), "not_found");
    assert_eq!(code(stage.removes(admin, stage.guest).await), "ok");
    assert_eq!(code(stage.changes_role(owner, admin, Role::Owner).await), "ok");
    assert_eq!(
        (stage.happened("member.role_changed").await, stage.happened("member.removed").await),
        (2, 1)
    );
    assert_eq!(code(stage.changes_role(owner, admin, Role::Owner).await), "ok");
    assert_eq!(stage.happened("member.role_changed").await, 2, "the same role again is no change");
}

#[tokio::test]
async fn a_workspace_keeps_an_owner() {
    let stage = Stage::new().await;
    let owner = stage.owner;
    assert_eq!(code(stage.changes_role(owner, owner, Role::Admin).await), "last_owner");
    assert_eq!(code(stage.removes(owner, owner).await), "last_owner");
    assert_eq!(code(stage.leaves(owner).await), "last_owner");
    assert_eq!(code(stage.leaves(stage.guest).await), "ok");

    let second = stage.second_owner().await;
    assert_eq!(code(stage.leaves(owner).await), "ok");
    assert_eq!((stage.role(owner).await, stage.role(second).await), (None, Some(Role::Owner)));
    assert_eq!(code(stage.leaves(second).await), "last_owner");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_who_go_at_once_leave_one_behind() {
    for _ in 0..5 {
        let stage = Stage::new().await;
        let (first, second) = (stage.owner, stage.second_owner().await);
        let go = async |who| {
            let access: Access<ReadWorkspace> = stage.enters(who).await;
            write(stage.db(), async |tx: &DatabaseTransaction| member::leave(tx, &access).await).await
        };
        let mut answers = <[_; 2]>::from(tokio::join!(go(first), go(second))).map(code);
        answers.sort_unstable();
        assert_eq!(answers, ["last_owner", "ok"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_who_put_each_other_down_at_once_leave_one() {
    for _ in 0..5 {
        let stage = Stage::new().await;
        let (first, second) = (stage.owner, stage.second_owner().await);
        let (a, b): (Access<ManageMembers>, Access<ManageMembers>) = (stage.enters(first).await, stage.enters(second).await);
        let (a, b) = tokio::join!(
            write(stage.db(), async |tx: &DatabaseTransaction| member::change_role(
                tx,
                &a,
                second,
                Role::Member,
                &Quotas::default()
            )
            .await),
            write(stage.db(), async |tx: &DatabaseTransaction| member::remove(tx, &b, first).await),
        );
        let owners = [stage.role(first).await, stage.role(second).await]
            .iter()
            .filter(|role| **role == Some(Role::Owner))
            .count();
        assert_eq!(owners, 1, "{a:?} {b:?}");
        assert!(a.is_ok() != b.is_ok(), "who came second was no owner any more: {a:?} {b:?}");
    }
}

#[tokio::test]
async fn a_proof_from_before_a_fall_opens_nothing() {
    let stage = Stage::new().await;
    stage.second_owner().await;
    let access: Access<ManageMembers> = stage.enters(stage.owner).await;
    stage
        .changes_role(stage.stranger, stage.owner, Role::Member)
        .await
        .expect("an owner may");
    let late = write(stage.db(), async |tx: &DatabaseTransaction| {
        member::remove(tx, &access, stage.admin).await
    })
    .await;
    assert_eq!(code(late), "role_too_high");

    stage.removes(stage.stranger, stage.owner).await.expect("an owner may");
    let late = write(stage.db(), async |tx: &DatabaseTransaction| {
        member::add(tx, &access, by_email("owner@example.org", Role::Owner), &Quotas::default()).await
    })
    .await;
    assert_eq!(code(late), "not_found");
    assert!(
        access::enter::<ReadWorkspace>(stage.db(), stage.owner, stage.workspace)
            .await
            .is_err()
    );
}
