//! What somebody may do with a page: their role, and what the page and the pages above it say.

use super::role_in;
use entity::{document, member, workspace};
use kernel::{
    id::*,
    role::{Level, Role},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Statement};
use std::collections::{HashMap, HashSet};

/// Pages nest no deeper than this; a longer chain is a circle.
const MAX_DEPTH: i32 = 128;

/// The rule. `chain` is what the page and its ancestors say, nearest first; the first that says something counts, and
/// where none does members may edit. Owners and admins manage everything; guests see what they were granted, and there
/// are no grants yet.
pub fn level_of(role: Role, chain: &[Option<Level>]) -> Level {
    match role {
        Role::Owner | Role::Admin => Level::Manage,
        Role::Member => chain.iter().flatten().next().copied().unwrap_or(Level::Edit),
        Role::Guest => Level::None,
    }
}

/// Somebody's role and level on a page, and its row; `None` when the page is not there or they are no member.
pub(super) async fn resolve(db: &impl ConnectionTrait, user: UserId, id: DocumentId) -> Result<Option<(Role, Level, document::Model)>, DbErr> {
    let Some(document) = document::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
    let Some(role) = role_in(db, user, document.workspace_id).await? else { return Ok(None) };
    let chain = match (role, document.default_level, document.parent_id) {
        // The answer does not depend on what is above.
        (Role::Member, None, Some(_)) => chain(db, id).await?,
        (_, own, _) => vec![own],
    };
    Ok(Some((role, level_of(role, &chain), document)))
}

/// Somebody's level on a page that is not in the trash, and its row.
///
/// # Errors
/// Only the database's.
pub async fn level(db: &impl ConnectionTrait, user: UserId, id: DocumentId) -> Result<Option<(Level, document::Model)>, DbErr> {
    let found = resolve(db, user, id).await?;
    Ok(found.filter(|(_, _, document)| document.deleted_at.is_none()).map(|(_, level, document)| (level, document)))
}

#[derive(FromQueryResult)]
struct Link {
    default_level: Option<Level>,
}

/// What a page and its ancestors say, nearest first, in one query however deep.
async fn chain(db: &impl ConnectionTrait, id: DocumentId) -> Result<Vec<Option<Level>>, DbErr> {
    let sql = "WITH RECURSIVE up(id, parent_id, default_level, depth) AS (
            SELECT id, parent_id, default_level, 0 FROM documents WHERE id = $1
            UNION ALL
            SELECT d.id, d.parent_id, d.default_level, up.depth + 1 FROM documents d JOIN up ON d.id = up.parent_id WHERE up.depth < $2
        ) SELECT default_level FROM up ORDER BY depth";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [id.into(), MAX_DEPTH.into()]);
    let links = Link::find_by_statement(statement).all(db).await?;
    Ok(links.into_iter().map(|link| link.default_level).collect())
}

/// Somebody's levels on many pages, in a number of queries that depends on the depth of the tree alone.
///
/// # Errors
/// Only the database's.
pub async fn levels(db: &impl ConnectionTrait, user: UserId, ids: &[DocumentId]) -> Result<HashMap<DocumentId, Level>, DbErr> {
    let rows = document::Entity::find().filter(document::Column::Id.is_in(ids.iter().copied())).all(db).await?;
    let roles = roles(db, user, &rows).await?;
    let mut known: HashMap<DocumentId, document::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
    for _ in 0..MAX_DEPTH {
        let missing: HashSet<DocumentId> =
            known.values().filter(|row| row.default_level.is_none()).filter_map(|row| row.parent_id).filter(|id| !known.contains_key(id)).collect();
        if missing.is_empty() {
            break;
        }
        let above = document::Entity::find().filter(document::Column::Id.is_in(missing)).all(db).await?;
        if above.is_empty() {
            break;
        }
        known.extend(above.into_iter().map(|row| (row.id, row)));
    }
    let level = |id: &DocumentId| {
        let row = known.get(id)?;
        let role = roles.get(&row.workspace_id)?;
        Some((*id, level_of(*role, &known_chain(&known, *id))))
    };
    Ok(ids.iter().filter_map(level).collect())
}

fn known_chain(known: &HashMap<DocumentId, document::Model>, id: DocumentId) -> Vec<Option<Level>> {
    let mut chain = Vec::new();
    let mut at = Some(id);
    while let Some(row) = at.and_then(|id| known.get(&id)).filter(|_| chain.len() < MAX_DEPTH as usize) {
        chain.push(row.default_level);
        at = row.parent_id;
    }
    chain
}

async fn roles(db: &impl ConnectionTrait, user: UserId, rows: &[document::Model]) -> Result<HashMap<WorkspaceId, Role>, DbErr> {
    let workspaces: HashSet<WorkspaceId> = rows.iter().map(|row| row.workspace_id).collect();
    let alive: Vec<WorkspaceId> = workspace::Entity::find()
        .select_only()
        .column(workspace::Column::Id)
        .filter(workspace::Column::Id.is_in(workspaces))
        .filter(workspace::Column::DeletedAt.is_null())
        .into_tuple()
        .all(db)
        .await?;
    let members = member::Entity::find().filter(member::Column::UserId.eq(user)).filter(member::Column::WorkspaceId.is_in(alive)).all(db).await?;
    Ok(members.into_iter().map(|member| (member.workspace_id, member.role)).collect())
}
