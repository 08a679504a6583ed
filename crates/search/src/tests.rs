//! The index on a real database: what is put in is found, by those who may see it, alike on both databases.

mod language;
mod paging;
mod sight;

use crate::{
    ask::Ask,
    find::{self, Found, Wanted},
    index,
    subject::{Kind, Subject, Text, Version},
};
use backends::db::write;
use chrono::Duration;
use entity::{document, user};
use kernel::{
    clock::{self, Time},
    id::*,
    role::*,
};
use sea_orm::{ActiveValue::Set, DatabaseConnection, DatabaseTransaction, EntityTrait, IntoActiveModel};
use testing::TestDb;
use workspaces::{
    access::{self, Access, ReadWorkspace},
    workspace,
};

/// A workspace with its owner, and pages in it.
struct Stage {
    db: TestDb,
    owner: UserId,
    workspace: WorkspaceId,
    now: Time,
}

/// How a page comes to stand there.
#[derive(Default)]
struct Page {
    parent: Option<DocumentId>,
    default_level: Option<Level>,
    is_restricted: bool,
    author: Option<UserId>,
    days_old: i64,
}

impl Stage {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let owner = makes_user(db.db(), "owner").await;
        let workspace = makes_workspace(db.db(), owner).await;
        Self {
            db,
            owner,
            workspace,
            now: clock::now(),
        }
    }

    fn db(&self) -> &DatabaseConnection {
        self.db.db()
    }

    async fn joins(&self, name: &str, role: Role) -> UserId {
        let user = makes_user(self.db(), name).await;
        let row = entity::member::Model {
            workspace_id: self.workspace,
            user_id: user,
            role,
            created_at: self.now,
        };
        let put = entity::member::Entity::insert(row.into_active_model()).exec_without_returning(self.db());
        put.await.expect("a member can be put in");
        user
    }

    /// A page with a title and blocks, put into the index.
    async fn page(&self, page: Page, title: &str, blocks: &[&str]) -> DocumentId {
        let row = self.row(page, title).await;
        self.puts(&row, title, blocks, 1).await;
        row.id
    }

    /// The same, with nothing to say about it.
    async fn says(&self, title: &str, blocks: &[&str]) -> DocumentId {
        self.page(Page::default(), title, blocks).await
    }

    async fn row(&self, page: Page, title: &str) -> document::Model {
        let at = self.now - Duration::days(page.days_old);
        let row = document::Model {
            id: DocumentId::new(),
            workspace_id: self.workspace,
            parent_id: page.parent,
            rank: "a0".to_owned(),
            title: title.to_owned(),
            icon: None,
            cover: None,
            default_level: page.default_level,
            restricted: page.is_restricted,
            created_by: page.author.unwrap_or(self.owner),
            created_at: at,
            updated_at: at,
            deleted_at: None,
            deleted_with: None,
            deleted_by: None,
            archived_at: None,
            archived_with: None,
            is_template: false,
        };
        let put = document::Entity::insert(row.clone().into_active_model()).exec_without_returning(self.db());
        put.await.expect("a page can be put in");
        row
    }

    async fn puts(&self, row: &document::Model, title: &str, blocks: &[&str], seq: i64) -> bool {
        let subject = Subject {
            kind: Kind::Document,
            id: row.id.0,
            document: row.id,
            workspace: row.workspace_id,
            author: Some(row.created_by),
            updated_at: row.updated_at,
        };
        let text = Text {
            title: title.to_owned(),
            parts: (1..).zip(blocks).map(|(n, text)| (format!("b{n}"), (*text).to_owned())).collect(),
        };
        let version = Version {
            epoch: EpochId(uuid::Uuid::nil()),
            seq,
        };
        let put = write(self.db(), async |tx: &DatabaseTransaction| {
            index::put(tx, &subject, &text, version).await
        });
        put.await.expect("it can be put in")
    }

    async fn enters(&self, user: UserId) -> Access<ReadWorkspace> {
        access::enter(self.db(), user, self.workspace).await.expect("may come in")
    }

    async fn finds_for(&self, user: UserId, question: &str, wanted: &Wanted) -> Found {
        let ask = Ask::read(question).expect("a question");
        let homes = [self.enters(user).await];
        find::find(self.db(), &homes, &ask, wanted).await.expect("answers")
    }

    /// The titles that somebody finds.
    async fn titles(&self, user: UserId, question: &str) -> Vec<String> {
        titles(&self.finds_for(user, question, &some(200)).await)
    }

    /// The titles that the owner finds, in the order of the alphabet.
    async fn sorted(&self, question: &str) -> Vec<String> {
        let mut titles = self.titles(self.owner, question).await;
        titles.sort();
        titles
    }
}

fn some(limit: u64) -> Wanted {
    Wanted {
        limit,
        ..Wanted::default()
    }
}

fn titles(found: &Found) -> Vec<String> {
    found.hits.iter().map(|hit| hit.title.text.clone()).collect()
}

async fn makes_user(db: &DatabaseConnection, name: &str) -> UserId {
    let (id, now) = (UserId::new(), clock::now());
    let row = user::ActiveModel {
        id: Set(id),
        email: Set(format!("{name}-{id}@example.com")),
        display_name: Set(name.to_owned()),
        password_hash: Set(String::new()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    user::Entity::insert(row)
        .exec_without_returning(db)
        .await
        .expect("a user can be put in");
    id
}

async fn makes_workspace(db: &DatabaseConnection, owner: UserId) -> WorkspaceId {
    let made = write(db, async |tx: &DatabaseTransaction| workspace::create(tx, owner, "Work").await);
    made.await.expect("a workspace can be made").id
}
