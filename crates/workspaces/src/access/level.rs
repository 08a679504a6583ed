//! What somebody may do with a page: their role, and what the page and the pages above it say.

use super::role_in;
use entity::{document, member, workspace};
use kernel::{
    id::*,
    role::{Level, Role},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait, Statement, Value};
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

/// Links of a chain that are looked at. Pages nest no deeper than 100, so a chain that is longer is a circle.
const MAX_DEPTH: i32 = 128;

/// Pages asked about in one statement.
const AT_ONCE: usize = 500;

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
pub(super) async fn resolve(
    db: &impl ConnectionTrait,
    user: UserId,
    id: DocumentId,
) -> Result<Option<(Role, Level, document::Model)>, DbErr> {
    let Some(document) = document::Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    let Some(role) = role_in(db, user, document.workspace_id).await? else {
        return Ok(None);
    };
    let chain = match (role, document.default_level, document.parent_id) {
        (Role::Member, None, Some(_)) => chains(db, &[id]).await?.remove(&id).unwrap_or_default(),
        // The answer does not depend on what is above.
        (_, own, _) => vec![own],
    };
    Ok(Some((role, level_of(role, &chain), document)))
}

/// Somebody's level on a page that is not in the trash, and its row. `None` when there is no such page or they are no
/// member of its workspace; [`Level::None`] when they are, but may not see it.
///
/// # Errors
/// Only the database's.
pub async fn level(db: &impl ConnectionTrait, user: UserId, id: DocumentId) -> Result<Option<(Level, document::Model)>, DbErr> {
    let found = resolve(db, user, id).await?;
    Ok(found
        .filter(|(_, _, document)| document.deleted_at.is_none())
        .map(|(_, level, document)| (level, document)))
}

/// Somebody's levels on many pages, in the trash or not, with three queries for every 500 of them. A page that is not
/// there, or whose workspace they do not belong to, is not in the answer.
///
/// # Errors
/// Only the database's.
pub async fn levels(db: &impl ConnectionTrait, user: UserId, ids: &[DocumentId]) -> Result<HashMap<DocumentId, Level>, DbErr> {
    let mut levels = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let homes: Vec<(DocumentId, WorkspaceId)> = document::Entity::find()
            .select_only()
            .columns([document::Column::Id, document::Column::WorkspaceId])
            .filter(document::Column::Id.is_in(ids.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        let roles = roles(db, user, &homes).await?;
        let asked: Vec<DocumentId> = homes
            .iter()
            .filter(|(_, home)| roles.get(home) == Some(&Role::Member))
            .map(|(id, _)| *id)
            .collect();
        let chains = chains(db, &asked).await?;
        let level = |id: &DocumentId, role| level_of(role, chains.get(id).map_or(&[], Vec::as_slice));
        levels.extend(
            homes
                .iter()
                .filter_map(|(id, home)| roles.get(home).map(|role| (*id, level(id, *role)))),
        );
    }
    Ok(levels)
}

/// The workspace of a page that members in general may not see; none for one that they may, or that is not there.
///
/// # Errors
/// Only the database's.
pub async fn restricted_in(db: &impl ConnectionTrait, id: DocumentId) -> Result<Option<WorkspaceId>, DbErr> {
    let chain = chains(db, &[id]).await?.remove(&id).unwrap_or_default();
    if chain.is_empty() || level_of(Role::Member, &chain) >= Level::View {
        return Ok(None);
    }
    let document = document::Entity::find_by_id(id).one(db).await?;
    Ok(document.map(|document| document.workspace_id))
}

#[derive(FromQueryResult)]
struct Link {
    leaf: DocumentId,
    parent_id: Option<DocumentId>,
    default_level: Option<Level>,
    depth: i32,
}

/// What pages and their ancestors say, nearest first and no further than the first that says something; in one
/// statement, however many and however deep. A chain without an end says that nothing is allowed.
async fn chains(db: &impl ConnectionTrait, ids: &[DocumentId]) -> Result<HashMap<DocumentId, Vec<Option<Level>>>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut places = String::from("$2");
    for place in 3..ids.len() + 2 {
        write!(places, ", ${place}").map_err(|e| DbErr::Custom(e.to_string()))?;
    }
    let sql = format!(
        "WITH RECURSIVE up(leaf, parent_id, default_level, depth) AS (
            SELECT id, parent_id, default_level, 0 FROM documents WHERE id IN ({places})
            UNION ALL
            SELECT up.leaf, d.parent_id, d.default_level, up.depth + 1 FROM up JOIN documents d ON d.id = up.parent_id
            WHERE up.default_level IS NULL AND up.depth < $1
        ) SELECT leaf, parent_id, default_level, depth FROM up"
    );
    let values = std::iter::once(Value::from(MAX_DEPTH)).chain(ids.iter().map(|id| Value::from(*id)));
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let mut chains: HashMap<DocumentId, BTreeMap<i32, Option<Level>>> = HashMap::new();
    for link in Link::find_by_statement(statement).all(db).await? {
        let is_cut = link.depth >= MAX_DEPTH && link.parent_id.is_some();
        let says = if is_cut {
            link.default_level.or(Some(Level::None))
        } else {
            link.default_level
        };
        chains.entry(link.leaf).or_default().insert(link.depth, says);
    }
    Ok(chains
        .into_iter()
        .map(|(leaf, links)| (leaf, links.into_values().collect()))
        .collect())
}

/// What somebody is in the living ones of these workspaces.
async fn roles(db: &impl ConnectionTrait, user: UserId, homes: &[(DocumentId, WorkspaceId)]) -> Result<HashMap<WorkspaceId, Role>, DbErr> {
    let mut workspaces: Vec<WorkspaceId> = homes.iter().map(|(_, workspace)| *workspace).collect();
    workspaces.sort_unstable();
    workspaces.dedup();
    let alive = workspace::Entity::find()
        .select_only()
        .column(workspace::Column::Id)
        .filter(workspace::Column::Id.is_in(workspaces.iter().copied()))
        .filter(workspace::Column::DeletedAt.is_null())
        .into_query();
    let members = member::Entity::find()
        .filter(member::Column::UserId.eq(user))
        .filter(member::Column::WorkspaceId.is_in(workspaces))
        .filter(member::Column::WorkspaceId.in_subquery(alive))
        .all(db)
        .await?;
    Ok(members.into_iter().map(|member| (member.workspace_id, member.role)).collect())
}
