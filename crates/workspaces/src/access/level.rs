//! What somebody may do with pages: the rule, on what stands in the database.

use super::{
    AccessError,
    chain::chains,
    link,
    rule::{self, left_of},
    standing::standings,
    who::Who,
};
use entity::document;
use kernel::{
    clock::Time,
    id::*,
    role::{Level, Role},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Statement};
use std::collections::HashMap;

/// Pages asked about in one statement.
const AT_ONCE: usize = 500;

/// What was found out about somebody and a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub role: Role,
    /// What they may do.
    pub level: Level,
    /// What they could do if the page were not archived.
    pub left: Level,
    /// What they could do if the workspace were not archived either.
    pub held: Level,
}

impl Found {
    pub fn new(role: Role, held: Level, (workspace, document): (bool, &document::Model)) -> Self {
        let left = left_of(held, workspace);
        Self {
            role,
            level: left_of(left, document.is_archived()),
            left,
            held,
        }
    }

    /// Why they may not do what needs more than their level.
    pub fn refusal(&self, needed: Level) -> AccessError {
        match self {
            found if found.left >= needed => AccessError::DocumentArchived,
            found if found.held >= needed => AccessError::Archived,
            found if found.level >= Level::View => AccessError::Forbidden,
            _ => AccessError::NotFound,
        }
    }
}

/// A page's row, and where its workspace's counter of changes of access stood when it was read.
#[derive(FromQueryResult)]
pub(super) struct Versioned {
    #[sea_orm(nested)]
    pub document: document::Model,
    pub access_version: i64,
}

/// What of a page's row is asked for when many are looked at.
#[derive(FromQueryResult)]
struct Home {
    id: DocumentId,
    workspace_id: WorkspaceId,
    archived_at: Option<Time>,
    deleted_at: Option<Time>,
}

impl Home {
    fn is_archived(&self) -> bool {
        self.archived_at.is_some() && self.deleted_at.is_none()
    }
}

async fn homes(db: &impl ConnectionTrait, ids: &[DocumentId]) -> Result<Vec<Home>, DbErr> {
    document::Entity::find()
        .select_only()
        .columns([
            document::Column::Id,
            document::Column::WorkspaceId,
            document::Column::ArchivedAt,
            document::Column::DeletedAt,
        ])
        .filter(document::Column::Id.is_in(ids.iter().copied()))
        .into_model()
        .all(db)
        .await
}

/// Reads a page's row, in the trash or not.
pub(super) async fn versioned(db: &impl ConnectionTrait, id: DocumentId) -> Result<Option<Versioned>, DbErr> {
    let sql = "SELECT d.*, COALESCE(v.version, 0) AS access_version
               FROM documents d LEFT JOIN access_versions v ON v.workspace_id = d.workspace_id WHERE d.id = $1";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [id.into()]);
    Versioned::find_by_statement(statement).one(db).await
}

/// Somebody's role and level on a page; none when they are nothing in its workspace.
pub(super) async fn resolve(db: &impl ConnectionTrait, who: Who, document: &document::Model) -> Result<Option<Found>, DbErr> {
    if let Some((id, generation)) = who.link() {
        return link::resolve(db, (id, generation), document).await;
    }
    let home = document.workspace_id;
    let Some((standing, _)) = standings(db, who, &[home]).await?.remove(&home) else {
        return Ok(None);
    };
    let chain = if standing.role >= Role::Admin {
        // The answer does not depend on what the pages say.
        Vec::new()
    } else {
        chains(db, who.user(), &[document.id])
            .await?
            .remove(&document.id)
            .unwrap_or_default()
    };
    let held = rule::level_of(&standing, &chain).min(who.most());
    Ok(Some(Found::new(standing.role, held, (standing.is_archived, document))))
}

/// Somebody's level on a page that is not in the trash, and its row. `None` when there is no such page or they are no
/// member of its workspace; [`Level::None`] when they are, but may not see it.
///
/// # Errors
/// Only the database's.
pub async fn level(db: &impl ConnectionTrait, who: impl Into<Who>, id: DocumentId) -> Result<Option<(Level, document::Model)>, DbErr> {
    let row = document::Entity::find_by_id(id).filter(document::Column::DeletedAt.is_null());
    let Some(document) = row.one(db).await? else { return Ok(None) };
    let found = resolve(db, who.into(), &document).await?;
    Ok(found.map(|found| (found.level, document)))
}

/// Somebody's levels on many pages, in the trash or not, with three queries for every 500 of them. A page that is not
/// there, or whose workspace they do not belong to, is not in the answer; nor, for whoever holds a share link, one of
/// another workspace than the link's.
///
/// # Errors
/// Only the database's.
pub async fn levels(db: &impl ConnectionTrait, who: impl Into<Who>, ids: &[DocumentId]) -> Result<HashMap<DocumentId, Level>, DbErr> {
    let found = levels_held(db, who.into(), ids).await?;
    let left = |(id, (held, is_archived))| (id, left_of(held, is_archived));
    Ok(found.into_iter().map(left).collect())
}

/// Whether somebody manages all of these pages, also those that are archived; not in an archived workspace.
///
/// # Errors
/// Only the database's.
pub async fn manages_all(db: &impl ConnectionTrait, who: Who, ids: &[DocumentId]) -> Result<bool, DbErr> {
    let found = levels_held(db, who, ids).await?;
    Ok(ids.iter().all(|id| found.get(id).is_some_and(|(level, _)| *level >= Level::Manage)))
}

/// Levels as the workspaces leave them, and whether the page is archived.
async fn levels_held(db: &impl ConnectionTrait, who: Who, ids: &[DocumentId]) -> Result<HashMap<DocumentId, (Level, bool)>, DbErr> {
    let mut levels = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let homes = homes(db, ids).await?;
        if let Some(which) = who.link() {
            let pages: Vec<(DocumentId, WorkspaceId)> = homes.iter().map(|home| (home.id, home.workspace_id)).collect();
            let mut held = link::held(db, which, &pages).await?;
            let kept = homes
                .into_iter()
                .filter_map(|home| Some((home.id, (held.remove(&home.id)?, home.is_archived()))));
            levels.extend(kept);
            continue;
        }
        let workspaces: Vec<WorkspaceId> = homes.iter().map(|home| home.workspace_id).collect();
        let standings = standings(db, who, &workspaces).await?;
        let asked: Vec<DocumentId> = homes
            .iter()
            .filter(|home| {
                standings
                    .get(&home.workspace_id)
                    .is_some_and(|(standing, _)| standing.role < Role::Admin)
            })
            .map(|home| home.id)
            .collect();
        let chains = chains(db, who.user(), &asked).await?;
        for home in homes {
            let Some((standing, _)) = standings.get(&home.workspace_id) else {
                continue;
            };
            let held = rule::level_of(standing, chains.get(&home.id).map_or(&[], Vec::as_slice)).min(who.most());
            levels.insert(home.id, (left_of(held, standing.is_archived), home.is_archived()));
        }
    }
    Ok(levels)
}
