//! A workspace of many pages: twenty of them at the top, the others under those, a tenth of it restricted; and another
//! workspace beside it. An owner, a member who sees nine tenths, and a guest who was granted two branches and some pages.

use crate::corpus::Corpus;
use anyhow::{Context, Result};
use backends::db::write;
use chrono::Duration;
use entity::{document, grant, member, user, workspace};
use kernel::{clock, id::*, role::*};
use sea_orm::{ActiveValue::Set, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel};
use search::{
    index,
    subject::{Kind, Subject, Text, Version},
};
use workspaces::access::{self, Access, ReadWorkspace};

/// Pages in one transaction.
const AT_ONCE: usize = 500;
/// Pages at the top.
const BRANCHES: usize = 20;
/// Pages that the guest was granted one by one.
const GRANTED: usize = 100;

/// A proof that somebody may search.
pub type Home = Access<ReadWorkspace>;

/// What a page says.
pub fn text(corpus: &mut Corpus, words: usize) -> Text {
    let mut parts: Vec<(String, String)> = (0..6).map(|block| (format!("b{block}"), corpus.text(words / 6))).collect();
    parts.push(("c".to_owned(), corpus.chinese(20)));
    Text {
        title: corpus.text(4),
        parts,
    }
}

/// Who is there, and where.
pub struct World {
    workspace: WorkspaceId,
    owner: UserId,
    member: UserId,
    guest: UserId,
}

impl World {
    /// Makes people, workspaces, and pages of so many words each.
    pub async fn build(db: &DatabaseConnection, corpus: &mut Corpus, (pages, words): (usize, usize)) -> Result<Self> {
        let [owner, member, guest] = [UserId::new(), UserId::new(), UserId::new()];
        let (workspace, other) = (WorkspaceId::new(), WorkspaceId::new());
        write(db, async |tx: &DatabaseTransaction| {
            for id in [owner, member, guest] {
                put_user(tx, id).await?;
            }
            put_workspace(tx, workspace, &[(owner, Role::Owner), (member, Role::Member), (guest, Role::Guest)]).await?;
            put_workspace(tx, other, &[(owner, Role::Owner)]).await
        })
        .await?;
        let world = Self {
            workspace,
            owner,
            member,
            guest,
        };
        world.plant(db, corpus, (pages, words, workspace)).await?;
        // Others say the same, and must not be in the way.
        world.plant(db, corpus, (pages / 4, words, other)).await?;
        Ok(world)
    }

    /// The world of an earlier run.
    pub async fn of(db: &DatabaseConnection) -> Result<Self> {
        let rows = member::Entity::find().all(db).await?;
        let of = |role: Role| rows.iter().find(|row| row.role == role).context("nobody of that role");
        let (guest, member) = (of(Role::Guest)?, of(Role::Member)?);
        Ok(Self {
            workspace: guest.workspace_id,
            owner: of(Role::Owner)?.user_id,
            member: member.user_id,
            guest: guest.user_id,
        })
    }

    async fn plant(&self, db: &DatabaseConnection, corpus: &mut Corpus, (pages, words, home): (usize, usize, WorkspaceId)) -> Result<()> {
        let mut ids: Vec<DocumentId> = Vec::with_capacity(pages);
        while ids.len() < pages {
            let from = ids.len();
            let some: Vec<(document::Model, Text)> = (from..pages.min(from + AT_ONCE))
                .map(|n| {
                    let parent = (n >= BRANCHES).then(|| ids.get(n % BRANCHES).copied()).flatten();
                    // Deeper and deeper: under the branch, then under a page of the branch.
                    let parent = if n > 40 * BRANCHES { ids.get(n / 40).copied() } else { parent };
                    let row = self.row(home, parent, (n, pages));
                    ids.push(row.id);
                    (row, text(corpus, words))
                })
                .collect();
            write(db, async |tx: &DatabaseTransaction| self.put(tx, &some).await).await?;
        }
        if home == self.workspace {
            write(db, async |tx: &DatabaseTransaction| self.grant(tx, &ids).await).await?;
        }
        Ok(())
    }

    fn row(&self, home: WorkspaceId, parent: Option<DocumentId>, (n, of): (usize, usize)) -> document::Model {
        let at = clock::now() - Duration::minutes(i64::try_from(of - n).unwrap_or_default());
        document::Model {
            id: DocumentId::new(),
            workspace_id: home,
            parent_id: parent,
            rank: format!("a{n:07}z"),
            title: String::new(),
            icon: None,
            cover: None,
            default_level: None,
            restricted: n < BRANCHES && n % 10 == 3,
            created_by: self.owner,
            created_at: at,
            updated_at: at,
            deleted_at: None,
            deleted_with: None,
            deleted_by: None,
            archived_at: None,
            archived_with: None,
            is_template: false,
        }
    }

    async fn put(&self, tx: &DatabaseTransaction, some: &[(document::Model, Text)]) -> Result<(), DbErr> {
        for rows in some.chunks(100) {
            let rows = rows.iter().map(|(row, _)| row.clone().into_active_model());
            document::Entity::insert_many(rows).exec_without_returning(tx).await?;
        }
        for (row, text) in some {
            let subject = Subject {
                kind: Kind::Document,
                id: row.id.0,
                document: row.id,
                workspace: row.workspace_id,
                author: Some(row.created_by),
                updated_at: row.updated_at,
            };
            let version = Version {
                epoch: EpochId::new(),
                seq: 1,
            };
            index::put(tx, &subject, text, version).await?;
        }
        Ok(())
    }

    async fn grant(&self, tx: &DatabaseTransaction, ids: &[DocumentId]) -> Result<(), DbErr> {
        let step = (ids.len() / GRANTED).max(1);
        let branches = ids.iter().skip(BRANCHES).step_by(7).take(2);
        for page in branches.chain(ids.iter().skip(BRANCHES + 1).step_by(step)) {
            let now = clock::now();
            let row = grant::Model {
                id: GrantId::new(),
                workspace_id: self.workspace,
                document_id: Some(*page),
                user_id: Some(self.guest),
                group_id: None,
                level: Level::View,
                created_by: self.owner,
                created_at: now,
                updated_at: now,
            };
            grant::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
        }
        Ok(())
    }

    /// Everybody, let in.
    pub async fn people(&self, db: &DatabaseConnection) -> Result<Vec<(&'static str, Home)>> {
        let mut people = Vec::new();
        for (name, user) in [("owner", self.owner), ("member", self.member), ("guest", self.guest)] {
            people.push((name, access::enter(db, user, self.workspace).await?));
        }
        Ok(people)
    }
}

async fn put_user(tx: &DatabaseTransaction, id: UserId) -> Result<(), DbErr> {
    let now = clock::now();
    let row = user::ActiveModel {
        id: Set(id),
        email: Set(format!("{id}@example.com")),
        display_name: Set("Somebody".to_owned()),
        password_hash: Set(String::new()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    user::Entity::insert(row).exec_without_returning(tx).await.map(drop)
}

async fn put_workspace(tx: &DatabaseTransaction, id: WorkspaceId, people: &[(UserId, Role)]) -> Result<(), DbErr> {
    let now = clock::now();
    let row = workspace::Model {
        id,
        name: "Work".to_owned(),
        created_by: people[0].0,
        created_at: now,
        updated_at: now,
        archived_at: None,
        deleted_at: None,
    };
    workspace::Entity::insert(row.into_active_model())
        .exec_without_returning(tx)
        .await?;
    for (user_id, role) in people {
        let row = member::Model {
            workspace_id: id,
            user_id: *user_id,
            role: *role,
            created_at: now,
        };
        member::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    }
    Ok(())
}
