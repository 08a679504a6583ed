//! Nobody finds what they may not see, and nothing tells them that it is there.

use super::*;
use entity::{grant, group, group_member};
use sea_orm::{ActiveModelTrait, ColumnTrait, QueryFilter, sea_query::Expr};

impl Stage {
    async fn grants(&self, on: DocumentId, user: Option<UserId>, group: Option<GroupId>) {
        let row = grant::Model {
            id: GrantId::new(),
            workspace_id: self.workspace,
            document_id: Some(on),
            user_id: user,
            group_id: group,
            level: Level::View,
            created_by: self.owner,
            created_at: self.now,
            updated_at: self.now,
        };
        grant::Entity::insert(row.into_active_model())
            .exec_without_returning(self.db())
            .await
            .expect("granted");
    }

    async fn groups(&self, user: UserId) -> GroupId {
        let row = group::Model {
            id: GroupId::new(),
            workspace_id: self.workspace,
            name: "Readers".to_owned(),
            created_by: self.owner,
            created_at: self.now,
            updated_at: self.now,
        };
        let id = row.id;
        group::Entity::insert(row.into_active_model())
            .exec_without_returning(self.db())
            .await
            .expect("a group");
        let row = group_member::Model {
            group_id: id,
            user_id: user,
            workspace_id: self.workspace,
            created_at: self.now,
        };
        group_member::Entity::insert(row.into_active_model())
            .exec_without_returning(self.db())
            .await
            .expect("a member of it");
        id
    }

    async fn sees(&self, user: UserId) -> String {
        let mut titles = self.titles(user, "plum ").await;
        titles.sort();
        titles.join(" ")
    }

    async fn changes(&self, page: DocumentId, change: impl FnOnce(&mut document::ActiveModel)) {
        let mut row = document::ActiveModel {
            id: Set(page),
            ..Default::default()
        };
        change(&mut row);
        row.update(self.db()).await.expect("changes");
    }
}

fn under(parent: DocumentId) -> Page {
    Page {
        parent: Some(parent),
        ..Page::default()
    }
}

#[tokio::test]
async fn everybody_finds_what_they_see_and_nothing_else() {
    let stage = Stage::new().await;
    let [admin, member, guest] = [
        stage.joins("admin", Role::Admin).await,
        stage.joins("member", Role::Member).await,
        stage.joins("guest", Role::Guest).await,
    ];
    let open = stage.says("open", &["plum"]).await;
    let closed = Page {
        is_restricted: true,
        ..under(open)
    };
    let closed = stage.page(closed, "closed", &["plum"]).await;
    let secret = stage.page(under(closed), "secret", &["plum"]).await;
    let private = Page {
        default_level: Some(Level::None),
        ..Page::default()
    };
    let private = stage.page(private, "private", &["plum"]).await;
    stage.page(under(private), "diary", &["plum"]).await;
    let again = Page {
        default_level: Some(Level::View),
        ..under(private)
    };
    stage.page(again, "public", &["plum"]).await;

    let all = "closed diary open private public secret";
    assert_eq!(stage.sees(stage.owner).await, all);
    assert_eq!(stage.sees(admin).await, all);
    assert_eq!(stage.sees(member).await, "open public");
    assert_eq!(stage.sees(guest).await, "");
    stage.grants(secret, Some(guest), None).await;
    assert_eq!(stage.sees(guest).await, "secret");
    let group = stage.groups(guest).await;
    stage.grants(private, None, Some(group)).await;
    assert_eq!(stage.sees(guest).await, "diary private public secret");
    // What is said now counts now: nothing of it was copied.
    stage.changes(closed, |row| row.parent_id = Set(None)).await;
    stage.changes(secret, |row| row.parent_id = Set(Some(open))).await;
    assert_eq!(stage.sees(member).await, "open public secret");
    stage.changes(open, |row| row.restricted = Set(true)).await;
    assert_eq!(stage.sees(member).await, "public");
    assert_eq!(stage.sees(guest).await, "diary private public secret");
}

#[tokio::test]
async fn the_trash_is_not_searched() {
    let stage = Stage::new().await;
    let page = stage.says("page", &["plum"]).await;
    stage.changes(page, |row| row.deleted_at = Set(Some(clock::now()))).await;
    assert_eq!(stage.sees(stage.owner).await, "");
    stage.changes(page, |row| row.deleted_at = Set(None)).await;
    assert_eq!(stage.sees(stage.owner).await, "page");
}

#[tokio::test]
async fn the_archive_is_searched_when_it_is_asked_for() {
    let stage = Stage::new().await;
    let page = stage.says("old", &["plum"]).await;
    stage.says("new", &["plum"]).await;
    stage.changes(page, |row| row.archived_at = Set(Some(clock::now()))).await;
    assert_eq!(stage.sees(stage.owner).await, "new");
    let archived = Wanted {
        archived: true,
        ..some(50)
    };
    assert_eq!(titles(&stage.finds_for(stage.owner, "plum ", &archived).await), ["old"]);
}

#[tokio::test]
async fn what_cannot_be_seen_takes_no_place_among_results() {
    let stage = Stage::new().await;
    let guest = stage.joins("guest", Role::Guest).await;
    let mut granted = Vec::new();
    for n in 0..5 {
        granted.push(stage.says(&format!("seen {n}"), &["plum"]).await);
        for _ in 0..130 {
            stage.says("hidden", &["plum plum plum"]).await;
        }
    }
    for page in &granted {
        stage.grants(*page, Some(guest), None).await;
    }
    // Far more than are ranked at all lie before and between them.
    let found = stage.finds_for(guest, "plum ", &some(2)).await;
    assert_eq!(found.hits.len(), 2, "a page of results is full");
    let rest = Wanted {
        after: found.next,
        ..some(3)
    };
    let rest = stage.finds_for(guest, "plum ", &rest).await;
    assert_eq!((rest.hits.len(), rest.next), (3, None), "and the last one ends");
    let mut all = titles(&found);
    all.extend(titles(&rest));
    all.sort();
    assert_eq!(all, ["seen 0", "seen 1", "seen 2", "seen 3", "seen 4"]);
}

#[tokio::test]
async fn workspaces_are_apart() {
    let stage = Stage::new().await;
    stage.says("ours", &["plum"]).await;
    let stranger = makes_user(stage.db(), "stranger").await;
    let theirs = makes_workspace(stage.db(), stranger).await;
    let row = document::Model {
        workspace_id: theirs,
        created_by: stranger,
        ..stage.row(Page::default(), "theirs").await
    };
    let moved = document::Entity::update_many()
        .col_expr(document::Column::WorkspaceId, Expr::value(theirs))
        .filter(document::Column::Id.eq(row.id));
    moved.exec(stage.db()).await.expect("moves");
    stage.puts(&row, "theirs", &["plum", &theirs.0.simple().to_string()], 1).await;
    let find = async |users: &[(UserId, WorkspaceId)], question: &str| {
        let mut homes = Vec::new();
        for (user, home) in users {
            homes.push(access::enter(stage.db(), *user, *home).await.expect("may come in"));
        }
        let ask = Ask::read(question).expect("a question");
        let mut titles = titles(&find::find(stage.db(), &homes, &ask, &some(50)).await.expect("answers"));
        titles.sort();
        titles
    };
    let (ours, others) = ((stage.owner, stage.workspace), (stranger, theirs));
    assert_eq!(find(&[ours], "plum ").await, ["ours"]);
    assert_eq!(find(&[others], "plum ").await, ["theirs"]);
    assert_eq!(find(&[ours, others], "plum ").await, ["ours", "theirs"]);
    assert_eq!(find(&[], "plum ").await, Vec::<String>::new());
    let token = theirs.0.simple().to_string();
    assert_eq!(find(&[ours], &token).await, Vec::<String>::new());
    assert_eq!(find(&[others], &token).await, ["theirs"]);
    assert!(access::enter::<ReadWorkspace>(stage.db(), stranger, stage.workspace).await.is_err());
}
