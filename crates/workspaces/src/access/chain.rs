//! What pages and those above them say, read in one statement however many they are and however deep.

use super::rule::{Said, Standing};
use entity::{document, workspace_settings};
use kernel::{
    id::*,
    role::{Level, Role},
};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Statement, Value};
use std::collections::{BTreeMap, HashMap};

/// Links of a chain that are looked at. Pages nest no deeper than 100, so a chain that is longer is a circle.
pub(super) const MAX_DEPTH: i32 = 128;

#[derive(FromQueryResult)]
struct Link {
    leaf: DocumentId,
    id: DocumentId,
    parent_id: Option<DocumentId>,
    default_level: Option<Level>,
    restricted: bool,
    depth: i32,
    granted: Option<Level>,
}

/// `$from, $from+1, …` for a list of values.
pub(super) fn places(from: usize, count: usize) -> String {
    let places: Vec<String> = (from..from + count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

/// The chains of pages, nearest first, with what this person or their groups were granted; up to the first restricted page.
/// A chain without an end allows nothing.
pub(super) async fn chains(db: &impl ConnectionTrait, user: UserId, ids: &[DocumentId]) -> Result<HashMap<DocumentId, Vec<Said>>, DbErr> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let leaves = places(3, ids.len());
    let sql = format!(
        "WITH RECURSIVE up(leaf, id, parent_id, default_level, restricted, depth) AS (
            SELECT id, id, parent_id, default_level, restricted, 0 FROM documents WHERE id IN ({leaves})
            UNION ALL
            SELECT up.leaf, d.id, d.parent_id, d.default_level, d.restricted, up.depth + 1
            FROM up JOIN documents d ON d.id = up.parent_id
            WHERE NOT up.restricted AND up.depth < $1
        ), mine(document_id, level) AS (
            SELECT g.document_id, g.level FROM grants g WHERE g.user_id = $2 AND g.document_id IN (SELECT id FROM up)
            UNION ALL
            SELECT g.document_id, g.level FROM group_members m JOIN grants g ON g.group_id = m.group_id
            WHERE m.user_id = $2 AND g.document_id IN (SELECT id FROM up)
        )
        SELECT up.leaf, up.id, up.parent_id, up.default_level, up.restricted, up.depth, mine.level AS granted
        FROM up LEFT JOIN mine ON mine.document_id = up.id"
    );
    let values = [Value::from(MAX_DEPTH), Value::from(user)];
    let values = values.into_iter().chain(ids.iter().map(|id| Value::from(*id)));
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let mut chains: HashMap<DocumentId, BTreeMap<i32, Said>> = HashMap::new();
    for link in Link::find_by_statement(statement).all(db).await? {
        let granted = link.granted.unwrap_or(Level::None);
        let is_cut = link.depth >= MAX_DEPTH && link.parent_id.is_some();
        let said = Said {
            id: link.id,
            default: link.default_level.filter(|_| !is_cut),
            is_restricted: link.restricted || is_cut,
            granted: if is_cut { Level::None } else { granted },
        };
        let chain = chains.entry(link.leaf).or_default();
        // A page that was granted twice, to them and to a group, is there twice.
        chain
            .entry(link.depth)
            .and_modify(|known| known.granted = known.granted.max(said.granted))
            .or_insert(said);
    }
    Ok(chains
        .into_iter()
        .map(|(leaf, links)| (leaf, links.into_values().collect()))
        .collect())
}

/// The workspace of a page that members in general may not see; none for one that they may, or that is not there.
///
/// # Errors
/// Only the database's.
pub async fn restricted_in(db: &impl ConnectionTrait, id: DocumentId) -> Result<Option<WorkspaceId>, DbErr> {
    let nobody = UserId(uuid::Uuid::nil());
    let Some(chain) = chains(db, nobody, &[id]).await?.remove(&id) else {
        return Ok(None);
    };
    let Some(document) = document::Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    let settings = workspace_settings::Entity::find_by_id(document.workspace_id).one(db).await?;
    let member = Standing {
        role: Role::Member,
        default: settings.map_or(super::DEFAULT, |settings| settings.default_level),
        granted: Level::None,
        is_archived: false,
    };
    let is_open = super::rule::level_of(&member, &chain) >= Level::View;
    Ok((!is_open).then_some(document.workspace_id))
}
