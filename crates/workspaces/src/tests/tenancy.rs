//! What a workspace goes through as a whole: archived, handed on, restored and destroyed; settings, usage and quotas.

use super::{Stage, make_user};
use crate::{
    Error, Quotas,
    access::{self, Access, CreateDocuments, DeleteWorkspace, EditWorkspace, ReadMembers, ReadWorkspace},
    group,
    member::{self, NewMember},
    people, quota, settings, transfer, trash, usage, workspace,
};
use backends::db::write;
use entity::{document_projection, grant, group_member};
use kernel::{clock, error::Explain, id::*, role::*};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn code<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

impl Stage {
    async fn transfers(&self, from: UserId, to: UserId) -> Result<(), Error> {
        let access: Access<DeleteWorkspace> = self.enters(from).await;
        write(self.db(), async |tx: &DatabaseTransaction| {
            transfer::transfer(tx, &access, to).await
        })
        .await
    }

    async fn restores(&self, who: UserId) -> Result<entity::workspace::Model, Error> {
        write(self.db(), async |tx: &DatabaseTransaction| {
            trash::restore(tx, who, self.workspace).await
        })
        .await
    }

    /// Puts the workspace in the trash as if it were this long ago.
    async fn trashed_for(&self, time: Duration) {
        let row = entity::workspace::Entity::find_by_id(self.workspace).one(self.db()).await;
        let mut row = row.expect("reads").expect("is there").into_active_model();
        row.deleted_at = Set(Some(clock::now() - time));
        row.update(self.db()).await.expect("updates");
    }

    async fn is_there(&self) -> bool {
        let found = entity::workspace::Entity::find_by_id(self.workspace).one(self.db()).await;
        found.expect("reads").is_some()
    }
}

#[tokio::test]
async fn ownership_is_handed_on_at_once() {
    let stage = Stage::new().await;
    stage.transfers(stage.owner, stage.guest).await.expect("an owner may");
    assert_eq!(
        (stage.role(stage.owner).await, stage.role(stage.guest).await),
        (Some(Role::Admin), Some(Role::Owner))
    );
    assert_eq!(
        (
            stage.happened("workspace.ownership_transferred").await,
            stage.happened("member.role_changed").await
        ),
        (1, 2)
    );
    assert_eq!(code(stage.transfers(stage.guest, stage.stranger).await), "not_found");
    assert_eq!(code(stage.transfers(stage.guest, stage.guest).await), "invalid");
    assert!(
        access::enter::<DeleteWorkspace>(stage.db(), stage.owner, stage.workspace)
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_hand_on_to_each_other_and_leave_one_owner_stays() {
    for _ in 0..5 {
        let stage = Stage::new().await;
        stage.joins(stage.stranger, Role::Owner).await;
        let (first, second) = (stage.owner, stage.stranger);
        let access: Access<DeleteWorkspace> = stage.enters(first).await;
        let leaving: Access<ReadWorkspace> = stage.enters(second).await;
        let (handed_on, left) = tokio::join!(
            write(stage.db(), async |tx: &DatabaseTransaction| transfer::transfer(tx, &access, second)
                .await),
            write(stage.db(), async |tx: &DatabaseTransaction| member::leave(tx, &leaving).await),
        );
        let roles = [stage.role(first).await, stage.role(second).await];
        let owners = roles.iter().filter(|role| **role == Some(Role::Owner)).count();
        assert_eq!(owners, 1, "{roles:?} {handed_on:?} {left:?}");
    }
}

#[tokio::test]
async fn only_an_owner_takes_it_out_of_the_trash_and_only_for_a_month() {
    let stage = Stage::new().await;
    assert_eq!(code(stage.restores(stage.owner).await), "not_found", "it is not in the trash");
    stage.trashed_for(DAY * 29).await;
    for nobody in [stage.admin, stage.member, stage.guest, stage.stranger] {
        assert_eq!(code(stage.restores(nobody).await), "not_found");
    }
    let owned = trash::list(stage.db(), stage.owner).await.expect("lists");
    assert_eq!(owned.len(), 1);
    assert_eq!(trash::list(stage.db(), stage.admin).await.expect("lists"), []);
    assert_eq!(stage.restores(stage.owner).await.expect("restores").deleted_at, None);
    assert_eq!(stage.happened("workspace.restored").await, 1);
    let _back: Access<ReadWorkspace> = stage.enters(stage.member).await;
    stage.trashed_for(DAY * 30 + DAY / 100).await;
    assert_eq!(code(stage.restores(stage.owner).await), "not_found");
    assert_eq!(trash::list(stage.db(), stage.owner).await.expect("lists"), []);
}

#[tokio::test]
async fn what_was_in_the_trash_for_a_month_is_destroyed_with_all_in_it() {
    let stage = Stage::new().await;
    let mut above = None;
    for _ in 0..110 {
        stage.page(None, None).await;
        above = Some(stage.page(above, None).await);
    }
    stage.trashed_for(DAY * 30).await;
    assert_eq!(trash::overdue(stage.db(), 10).await.expect("looks"), [], "an hour later only");
    let destroy = async || {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            trash::destroy_some(tx, stage.workspace).await
        })
        .await
        .expect("destroys")
    };
    assert!(destroy().await);
    assert!(stage.is_there().await, "its time is not over");

    stage.trashed_for(DAY * 31).await;
    assert_eq!(trash::overdue(stage.db(), 10).await.expect("looks"), [stage.workspace]);
    assert!(!destroy().await, "some pages at a time");
    assert!(stage.is_there().await);
    while !destroy().await {}
    assert!(!stage.is_there().await);
    let pages = entity::document::Entity::find().count(stage.db()).await.expect("counts");
    let members = entity::member::Entity::find().count(stage.db()).await.expect("counts");
    assert_eq!((pages, members), (0, 0));
    assert_eq!(stage.happened("workspace.created").await, 1, "what happened stays written");
}

#[tokio::test]
async fn a_workspace_is_archived_and_taken_out_again() {
    let stage = Stage::new().await;
    let access: Access<DeleteWorkspace> = stage.enters(stage.owner).await;
    let archive = async |is: bool| {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            workspace::archive(tx, &access, is).await
        })
        .await
        .expect("an owner may")
    };
    assert!(archive(true).await.archived_at.is_some());
    archive(true).await;
    assert_eq!(archive(false).await.archived_at, None);
    assert_eq!(
        (
            stage.happened("workspace.archived").await,
            stage.happened("workspace.unarchived").await
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn settings_are_the_usual_ones_until_they_are_changed() {
    let stage = Stage::new().await;
    let reading: Access<ReadWorkspace> = stage.enters(stage.guest).await;
    let usual = settings::read(stage.db(), &reading).await.expect("reads");
    assert_eq!(
        (usual.default_level, usual.share_links, usual.member_invites),
        (Level::Edit, true, false)
    );
    let access: Access<EditWorkspace> = stage.enters(stage.admin).await;
    let change = async |changes| {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            settings::change(tx, &access, changes).await
        })
        .await
        .expect("an admin may")
    };
    let first = settings::Changes {
        default_level: Some(Level::View),
        ..settings::Changes::default()
    };
    change(first).await;
    change(first).await;
    let second = settings::Changes {
        share_links: Some(false),
        ..settings::Changes::default()
    };
    let now = change(second).await;
    assert_eq!((now.default_level, now.share_links), (Level::View, false));
    assert_eq!(settings::read(stage.db(), &reading).await.expect("reads"), now);
    assert_eq!(stage.happened("workspace.updated").await, 2, "the same again is no change");
}

#[tokio::test]
async fn usage_counts_what_is_there() {
    let stage = Stage::new().await;
    let page = stage.page(None, None).await;
    stage.page(None, None).await;
    let gone = stage.page(None, None).await;
    stage.updates_page(gone, |row| row.deleted_at = Set(Some(clock::now()))).await;
    let view = r#"{"title":"\"children\":","blocks":[{"id":"a","type":"p","text":"\"children\":","children":[{"id":"b","children":[]}]}]}"#;
    let row = document_projection::Model {
        document_id: page,
        epoch: EpochId::new(),
        server_seq: 1,
        view: view.to_owned(),
    };
    document_projection::Entity::insert(row.into_active_model())
        .exec_without_returning(stage.db())
        .await
        .expect("written");
    let access: Access<EditWorkspace> = stage.enters(stage.admin).await;
    let counted = usage::of(stage.db(), &access).await.expect("counts");
    let expected = usage::Usage {
        members: 3,
        guests: 1,
        documents: 2,
        trashed: 1,
        blocks: 2,
        bytes: 0,
        storage_bytes: 0,
    };
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn a_quota_is_kept_to_the_last_place() {
    let stage = Stage::new().await;
    let quotas = Quotas {
        members: Some(4),
        documents: Some(2),
        bytes: None,
        storage_bytes: None,
    };
    let add = async |name: &str, role| {
        let id = UserId::new();
        make_user(stage.db(), id, name).await;
        let (access, new) = (
            stage.enters(stage.owner).await,
            NewMember {
                user: None,
                email: Some(format!("{name}@example.org")),
                role,
            },
        );
        write(stage.db(), async |tx: &DatabaseTransaction| {
            member::add(tx, &access, new, &quotas).await
        })
        .await
    };
    assert_eq!(code(add("fourth", Role::Member).await), "ok");
    assert_eq!(code(add("fifth", Role::Member).await), "quota_exceeded");
    assert_eq!(code(add("sixth", Role::Guest).await), "ok", "guests are not counted");
    let access = stage.enters(stage.owner).await;
    let raised = write(stage.db(), async |tx: &DatabaseTransaction| {
        member::change_role(tx, &access, stage.guest, Role::Member, &quotas).await
    })
    .await;
    assert_eq!(code(raised), "quota_exceeded", "and do not become members by the back door");

    let access: Access<CreateDocuments> = stage.enters(stage.member).await;
    let check = async || {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            quota::check_document(tx, &access, &quotas).await
        })
        .await
    };
    stage.page(None, None).await;
    assert_eq!(code(check().await), "ok");
    stage.page(None, None).await;
    assert_eq!(code(check().await), "quota_exceeded");
}

#[tokio::test]
async fn who_leaves_keeps_no_group_and_no_grant() {
    let stage = Stage::new().await;
    let access = stage.enters(stage.admin).await;
    let made = write(stage.db(), async |tx: &DatabaseTransaction| {
        group::create(tx, &access, "Readers").await
    })
    .await
    .expect("an admin may");
    write(stage.db(), async |tx: &DatabaseTransaction| {
        group::add_member(tx, &access, made.id, stage.member).await
    })
    .await
    .expect("a member");
    let now = clock::now();
    let granted = grant::Model {
        id: GrantId::new(),
        workspace_id: stage.workspace,
        document_id: Some(stage.page(None, None).await),
        user_id: Some(stage.member),
        group_id: None,
        level: Level::Edit,
        created_by: stage.owner,
        created_at: now,
        updated_at: now,
    };
    grant::Entity::insert(granted.into_active_model())
        .exec_without_returning(stage.db())
        .await
        .expect("written");
    stage.removes(stage.admin, stage.member).await.expect("an admin may");
    let left = (
        group_member::Entity::find().count(stage.db()).await.expect("counts"),
        grant::Entity::find()
            .filter(grant::Column::UserId.eq(stage.member))
            .count(stage.db())
            .await
            .expect("counts"),
    );
    assert_eq!(left, (0, 0));
}

#[tokio::test]
async fn a_group_takes_members_of_its_workspace_only() {
    let stage = Stage::new().await;
    let access = stage.enters(stage.admin).await;
    let create = async |name: &str| write(stage.db(), async |tx: &DatabaseTransaction| group::create(tx, &access, name).await).await;
    let made = create(" Readers ").await.expect("an admin may");
    assert_eq!(code(create("readers").await), "name_taken", "whatever its case");
    assert_eq!(code(create("").await), "invalid");
    let add = async |id, who| {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            group::add_member(tx, &access, id, who).await
        })
        .await
    };
    for who in [stage.member, stage.guest, stage.member] {
        assert_eq!(code(add(made.id, who).await), "ok");
    }
    assert_eq!(code(add(made.id, stage.stranger).await), "not_found");
    assert_eq!(code(add(GroupId::new(), stage.member).await), "not_found");
    let other = stage.makes("Other", stage.admin).await.expect("makes");
    let elsewhere = access::enter(stage.db(), stage.admin, other.id).await.expect("theirs");
    let foreign = write(stage.db(), async |tx: &DatabaseTransaction| {
        group::delete(tx, &elsewhere, made.id).await
    })
    .await;
    assert_eq!(code(foreign), "not_found", "a group of another workspace is none");
    let reading: Access<ReadMembers> = stage.enters(stage.member).await;
    let (_, people) = group::find(stage.db(), &reading, made.id).await.expect("reads");
    let names: Vec<&str> = people.iter().map(|user| &*user.display_name).collect();
    assert_eq!(names, ["guest", "member"]);
    let counts: Vec<u64> = group::list(stage.db(), &reading)
        .await
        .expect("lists")
        .into_iter()
        .map(|(_, n)| n)
        .collect();
    assert_eq!(counts, [2]);
    assert_eq!(stage.happened("group.member_added").await, 2, "coming again is no news");
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_a_name_and_guests_find_nobody() {
    let stage = Stage::new().await;
    for name in ["Zoë Müller", "Zo%", "Ada Zorn"] {
        let id = UserId::new();
        make_user(stage.db(), id, name).await;
        stage.joins(id, Role::Member).await;
    }
    let names = async |who, word: &str| {
        let access: Access<ReadWorkspace> = stage.enters(who).await;
        let found = people::mentionable(stage.db(), &access, word, 10).await.expect("finds");
        found.into_iter().map(|user| user.display_name).collect::<Vec<_>>()
    };
    let mut found = names(stage.member, "zo").await;
    found.sort();
    assert_eq!(found, ["Ada Zorn", "Zo%", "Zoë Müller"]);
    assert_eq!(names(stage.member, "Zo%").await, ["Zo%"], "a sign of a pattern stands for itself");
    assert_eq!(names(stage.member, "_").await, [""; 0]);
    assert_eq!(names(stage.member, "Mü").await, ["Zoë Müller"]);
    assert_eq!(names(stage.member, "stranger").await, [""; 0]);
    assert_eq!(names(stage.guest, "zo").await, [""; 0]);
}
