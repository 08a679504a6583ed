//! The door, workspaces and members on a real database.

mod activity;
mod audit;
mod departure;
mod door;
mod invitation;
mod level;
mod member;
mod policy;
mod random;
mod report;
mod statements;
mod tenancy;
mod workspace;

use crate::{
    Error, Quotas,
    access::{self, Access, Allows, ManageMembers, ReadWorkspace},
    member as members, workspace as workspaces,
};
use backends::db::write;
use entity::{document, event, member as rows, user};
use kernel::{clock, id::*, role::*};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};
use testing::TestDb;

/// A workspace with one person of every role, and a stranger.
struct Stage {
    db: TestDb,
    workspace: WorkspaceId,
    owner: UserId,
    admin: UserId,
    member: UserId,
    guest: UserId,
    stranger: UserId,
}

impl Stage {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let [owner, admin, member, guest, stranger] = [(); 5].map(|()| UserId::new());
        for (id, name) in [
            (owner, "owner"),
            (admin, "admin"),
            (member, "member"),
            (guest, "guest"),
            (stranger, "stranger"),
        ] {
            make_user(db.db(), id, name).await;
        }
        let workspace = WorkspaceId::new();
        let mut stage = Self {
            db,
            workspace,
            owner,
            admin,
            member,
            guest,
            stranger,
        };
        stage.workspace = stage.makes("Work", owner).await.expect("a workspace can be made").id;
        for (user, role) in [(admin, Role::Admin), (member, Role::Member), (guest, Role::Guest)] {
            stage.joins(user, role).await;
        }
        stage
    }

    fn db(&self) -> &DatabaseConnection {
        self.db.db()
    }

    async fn makes(&self, name: &str, user: UserId) -> Result<entity::workspace::Model, Error> {
        write(self.db(), async |tx: &DatabaseTransaction| workspaces::create(tx, user, name).await).await
    }

    /// Puts somebody in, without asking anybody.
    async fn joins(&self, user: UserId, role: Role) {
        let row = rows::Model {
            workspace_id: self.workspace,
            user_id: user,
            role,
            created_at: clock::now(),
        };
        rows::Entity::insert(row.into_active_model())
            .exec_without_returning(self.db())
            .await
            .expect("a member can be put in");
    }

    async fn role(&self, user: UserId) -> Option<Role> {
        rows::Entity::find_by_id((self.workspace, user))
            .one(self.db())
            .await
            .expect("reads")
            .map(|row| row.role)
    }

    async fn enters<P: Allows>(&self, user: UserId) -> Access<P> {
        access::enter(self.db(), user, self.workspace).await.expect("may come in")
    }

    async fn trashes(&self) {
        let access = self.enters(self.owner).await;
        write(self.db(), async |tx: &DatabaseTransaction| workspaces::trash(tx, &access).await)
            .await
            .expect("an owner may trash it");
    }

    async fn changes_role(&self, who: UserId, whose: UserId, to: Role) -> Result<rows::Model, Error> {
        let access: Access<ManageMembers> = self.enters(who).await;
        write(self.db(), async |tx: &DatabaseTransaction| {
            members::change_role(tx, &access, whose, to, &Quotas::default()).await
        })
        .await
    }

    async fn removes(&self, who: UserId, whom: UserId) -> Result<(), Error> {
        let access: Access<ManageMembers> = self.enters(who).await;
        write(self.db(), async |tx: &DatabaseTransaction| members::remove(tx, &access, whom).await).await
    }

    async fn leaves(&self, who: UserId) -> Result<(), Error> {
        let access: Access<ReadWorkspace> = self.enters(who).await;
        write(self.db(), async |tx: &DatabaseTransaction| members::leave(tx, &access).await).await
    }

    /// Makes a page under another one.
    async fn page(&self, parent: Option<DocumentId>, default_level: Option<Level>) -> DocumentId {
        let now = clock::now();
        let row = document::Model {
            id: DocumentId::new(),
            workspace_id: self.workspace,
            parent_id: parent,
            rank: "a0".to_owned(),
            title: String::new(),
            icon: None,
            cover: None,
            default_level,
            restricted: false,
            created_by: self.owner,
            created_at: now,
            updated_at: now,
            deleted_at: None,
            deleted_with: None,
            deleted_by: None,
            archived_at: None,
            archived_with: None,
            is_template: false,
        };
        document::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(self.db())
            .await
            .expect("a page can be made");
        row.id
    }

    async fn updates_page(&self, id: DocumentId, change: impl FnOnce(&mut document::ActiveModel)) {
        let row = document::Entity::find_by_id(id)
            .one(self.db())
            .await
            .expect("reads")
            .expect("is there");
        let mut row = row.into_active_model();
        change(&mut row);
        row.update(self.db()).await.expect("updates");
    }

    /// How often something happened in the workspace.
    async fn happened(&self, kind: &str) -> u64 {
        let events = event::Entity::find()
            .filter(event::Column::Kind.eq(kind))
            .filter(event::Column::WorkspaceId.eq(self.workspace));
        events.count(self.db()).await.expect("events can be counted")
    }
}

async fn make_user(db: &DatabaseConnection, id: UserId, name: &str) {
    let now = clock::now();
    let row = user::Model {
        id,
        email: format!("{name}@example.org"),
        display_name: name.to_owned(),
        email_verified_at: None,
        time_zone: None,
        password_hash: String::new(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    user::Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await
        .expect("a user can be made");
}
