//! What somebody is in workspaces, read in one statement.

use super::{chain::places, rule::Standing, who::Who};
use entity::workspace;
use kernel::{
    id::*,
    role::{Level, Role},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Statement, Value};
use std::{collections::HashMap, hash::Hash};

#[derive(FromQueryResult)]
struct Row {
    user_id: UserId,
    workspace_id: WorkspaceId,
    role: Role,
    default_level: Option<Level>,
    is_archived: bool,
    granted: Option<Level>,
    version: i64,
}

/// What members are in living workspaces, with what they were granted on the whole, and where the counters of changes of
/// access stand. One row for each grant.
const SQL: &str = "
    SELECT m.workspace_id, m.user_id, m.role, s.default_level, w.archived_at IS NOT NULL AS is_archived, g.level AS granted,
        COALESCE(v.version, 0) AS version
    FROM members m
    JOIN workspaces w ON w.id = m.workspace_id AND w.deleted_at IS NULL
    LEFT JOIN workspace_settings s ON s.workspace_id = m.workspace_id
    LEFT JOIN access_versions v ON v.workspace_id = m.workspace_id
    LEFT JOIN grants g ON g.workspace_id = m.workspace_id AND g.document_id IS NULL AND (
        g.user_id = m.user_id
        OR g.group_id IN (SELECT t.group_id FROM group_members t WHERE t.workspace_id = m.workspace_id AND t.user_id = m.user_id))";

/// What somebody is in the living ones of these workspaces, and where the workspace's counter of changes of access stands.
/// Whoever holds a share link is nothing in any.
pub(crate) async fn standings(
    db: &impl ConnectionTrait,
    who: Who,
    workspaces: &[WorkspaceId],
) -> Result<HashMap<WorkspaceId, (Standing, i64)>, DbErr> {
    let mut asked: Vec<WorkspaceId> = workspaces.iter().copied().filter(|id| who.enters(*id)).collect();
    asked.sort_unstable();
    asked.dedup();
    if asked.is_empty() || who.link().is_some() {
        return Ok(HashMap::new());
    }
    let homes = places(2, asked.len());
    let values = std::iter::once(Value::from(who.user())).chain(asked.into_iter().map(Value::from));
    let sql = format!("{SQL} WHERE m.user_id = $1 AND m.workspace_id IN ({homes})");
    Ok(together(rows(db, sql, values).await?, |row| row.workspace_id))
}

/// What these people are in a workspace, if it lives.
pub(super) async fn standings_of(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    users: &[UserId],
) -> Result<HashMap<UserId, Standing>, DbErr> {
    let people = places(2, users.len());
    let values = std::iter::once(Value::from(workspace)).chain(users.iter().map(|user| Value::from(*user)));
    let sql = format!("{SQL} WHERE m.workspace_id = $1 AND m.user_id IN ({people})");
    let found = together(rows(db, sql, values).await?, |row| row.user_id);
    Ok(found.into_iter().map(|(user, (standing, _))| (user, standing)).collect())
}

async fn rows(db: &impl ConnectionTrait, sql: String, values: impl Iterator<Item = Value>) -> Result<Vec<Row>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Row::find_by_statement(statement).all(db).await
}

/// The rows of each, with the highest of their grants.
fn together<K: Eq + Hash>(rows: Vec<Row>, key: impl Fn(&Row) -> K) -> HashMap<K, (Standing, i64)> {
    let mut standings: HashMap<K, (Standing, i64)> = HashMap::new();
    for row in rows {
        let granted = row.granted.unwrap_or(Level::None);
        standings
            .entry(key(&row))
            .and_modify(|(known, _)| known.granted = known.granted.max(granted))
            .or_insert_with(|| {
                let standing = Standing {
                    role: row.role,
                    default: row.default_level.unwrap_or(super::DEFAULT),
                    granted,
                    is_archived: row.is_archived,
                };
                (standing, row.version)
            });
    }
    standings
}

/// What somebody is in a living workspace.
pub(crate) async fn role_in(db: &impl ConnectionTrait, user: UserId, workspace: WorkspaceId) -> Result<Option<Role>, DbErr> {
    let found = standings(db, user.into(), &[workspace]).await?;
    Ok(found.get(&workspace).map(|(standing, _)| standing.role))
}

/// Whether a workspace is archived; none when there is no living one.
pub(super) async fn is_archived(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<bool>, DbErr> {
    let row = workspace::Entity::find_by_id(id)
        .filter(workspace::Column::DeletedAt.is_null())
        .select_only()
        .column(workspace::Column::ArchivedAt)
        .into_tuple::<Option<kernel::clock::Time>>()
        .one(db)
        .await?;
    Ok(row.map(|archived_at| archived_at.is_some()))
}
