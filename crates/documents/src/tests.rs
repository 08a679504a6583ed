//! The tree of pages on a real database.

mod archive;
mod copies;
mod moves;
mod shown;
mod statements;
mod trash;

use crate::{
    document::{self, NewDocument},
    error::Error,
    limits::Limits,
    moving::{self, Mover, Under},
    siblings::Place,
};
use backends::db::write;
use entity::{document as rows, event, grant, member, user, workspace};
use kernel::{clock, id::*, role::*};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};
use testing::TestDb;
use workspaces::access::{self, AccessError, EditDocument, ManageDocument};

/// A workspace with an owner and a member.
struct Stage {
    db: TestDb,
    workspace: WorkspaceId,
    owner: UserId,
    member: UserId,
}

impl Stage {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let (owner, member) = (UserId::new(), UserId::new());
        for (id, name) in [(owner, "owner"), (member, "member")] {
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
            insert(db.db(), row.into_active_model()).await;
        }
        let mut stage = Self {
            db,
            workspace: WorkspaceId::new(),
            owner,
            member,
        };
        stage.workspace = stage.another("Work").await;
        stage
    }

    fn db(&self) -> &DatabaseConnection {
        self.db.db()
    }

    /// Another workspace of the same two people.
    async fn another(&self, name: &str) -> WorkspaceId {
        let made = write(self.db(), async |tx: &DatabaseTransaction| {
            workspaces::workspace::create(tx, self.owner, name).await
        });
        let home: workspace::Model = made.await.expect("a workspace is made");
        let row = member::Model {
            workspace_id: home.id,
            user_id: self.member,
            role: Role::Member,
            created_at: clock::now(),
        };
        insert(self.db(), row.into_active_model()).await;
        home.id
    }

    /// A page of the owner's.
    async fn page(&self, parent: Option<DocumentId>) -> DocumentId {
        let access = access::enter(self.db(), self.owner, self.workspace).await.expect("comes in");
        let under = match parent {
            Some(parent) => Some(access::open::<EditDocument>(self.db(), self.owner, parent).await.expect("may")),
            None => None,
        };
        let new = NewDocument {
            parent,
            ..NewDocument::default()
        };
        let made = write(self.db(), async |tx: &DatabaseTransaction| {
            document::create(tx, &access, under.as_ref(), new, &Limits::default()).await
        });
        made.await.expect("a page is made").row.id
    }

    async fn row(&self, id: DocumentId) -> rows::Model {
        rows::Entity::find_by_id(id).one(self.db()).await.expect("reads").expect("is there")
    }

    async fn edits(&self, who: UserId, id: DocumentId) -> access::DocumentAccess<EditDocument> {
        access::open(self.db(), who, id).await.expect("may edit")
    }

    /// Moves a page as somebody, as the product does.
    async fn moves(&self, who: UserId, id: DocumentId, parent: Option<DocumentId>, place: Place) -> Result<rows::Model, Error> {
        let mover = match access::open::<ManageDocument>(self.db(), who, id).await {
            Ok(manages) => Mover::Manages(manages),
            Err(AccessError::Forbidden) => Mover::Edits(access::open(self.db(), who, id).await?),
            Err(error) => return Err(error.into()),
        };
        match parent {
            Some(parent) => {
                let parent = access::open(self.db(), who, parent).await?;
                write(self.db(), async |tx: &DatabaseTransaction| {
                    moving::move_to(tx, &mover, Under::Page(&parent), place).await
                })
                .await
            }
            None => {
                let top = access::enter(self.db(), who, self.workspace).await?;
                write(self.db(), async |tx: &DatabaseTransaction| {
                    moving::move_to(tx, &mover, Under::Top(&top), place).await
                })
                .await
            }
        }
    }

    async fn changes(&self, id: DocumentId, change: impl FnOnce(&mut rows::ActiveModel)) {
        let mut row = self.row(id).await.into_active_model();
        change(&mut row);
        row.update(self.db()).await.expect("updates");
    }

    /// Grants the member something on a page.
    async fn grants(&self, id: DocumentId, level: Level) {
        let now = clock::now();
        let row = grant::Model {
            id: GrantId::new(),
            workspace_id: self.workspace,
            document_id: Some(id),
            user_id: Some(self.member),
            group_id: None,
            level,
            created_by: self.owner,
            created_at: now,
            updated_at: now,
        };
        insert(self.db(), row.into_active_model()).await;
    }

    /// How often something happened.
    async fn happened(&self, kind: &str) -> u64 {
        let events = event::Entity::find().filter(event::Column::Kind.eq(kind));
        events.count(self.db()).await.expect("events are counted")
    }
}

async fn insert<M: ActiveModelTrait>(db: &DatabaseConnection, row: M) {
    M::Entity::insert(row).exec_without_returning(db).await.expect("inserts");
}
