//! What somebody may do with pages: the rule, on what stands in the database.

use super::{
    chain::chains,
    link,
    rule::{self, left_of},
    standing::standings,
    who::Who,
};
use entity::document;
use kernel::{
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
    /// What they could do if the workspace were not archived.
    pub held: Level,
}

/// A page's row, and where its workspace's counter of changes of access stood when it was read.
#[derive(FromQueryResult)]
pub(super) struct Versioned {
    #[sea_orm(nested)]
    pub document: document::Model,
    pub access_version: i64,
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
    Ok(Some(Found {
        role: standing.role,
        level: left_of(held, standing.is_archived),
        held,
    }))
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
/// there, or whose workspace they do not belong to, is not in the answer.
///
/// # Errors
/// Only the database's.
pub async fn levels(db: &impl ConnectionTrait, who: impl Into<Who>, ids: &[DocumentId]) -> Result<HashMap<DocumentId, Level>, DbErr> {
    let (who, mut levels) = (who.into(), HashMap::new());
    for ids in ids.chunks(AT_ONCE) {
        let homes: Vec<(DocumentId, WorkspaceId)> = document::Entity::find()
            .select_only()
            .columns([document::Column::Id, document::Column::WorkspaceId])
            .filter(document::Column::Id.is_in(ids.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        let workspaces: Vec<WorkspaceId> = homes.iter().map(|(_, home)| *home).collect();
        let standings = standings(db, who, &workspaces).await?;
        let asked: Vec<DocumentId> = homes
            .iter()
            .filter(|(_, home)| standings.get(home).is_some_and(|(standing, _)| standing.role < Role::Admin))
            .map(|(id, _)| *id)
            .collect();
        let chains = chains(db, who.user(), &asked).await?;
        for (id, home) in homes {
            let Some((standing, _)) = standings.get(&home) else { continue };
            let held = rule::level_of(standing, chains.get(&id).map_or(&[], Vec::as_slice)).min(who.most());
            levels.insert(id, left_of(held, standing.is_archived));
        }
    }
    Ok(levels)
}
