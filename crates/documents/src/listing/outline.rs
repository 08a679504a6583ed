//! The tree of a workspace as somebody sees it. A page of results has pages at the top of what they see, each with what hangs
//! under it, level by level, so that it takes as many statements for a large tree as for a small one.

use super::{State, behind, parents_of_any};
use crate::error::Error;
use entity::{document, grant, group_member};
use kernel::{id::*, role::Level};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use std::collections::{HashMap, HashSet};
use workspaces::access::{self, Access, ReadWorkspace, Who};

/// The most levels that are shown at once.
pub const MAX_LEVELS: u32 = 10;
/// Pages in one answer, from which on no further level is shown.
const MOST: u64 = 2_000;
/// Before every page of the same rank.
const NOWHERE: DocumentId = DocumentId(uuid::Uuid::nil());
/// Rounds in search of rows that the caller may see.
const ROUNDS: usize = 20;

/// How much of the tree.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// How many levels, the first included.
    pub levels: u32,
    /// Behind this place, from the page of results before.
    pub after: Option<Place>,
    /// How many pages of the first level at most.
    pub limit: u64,
}

/// A place among the first level: whether it is past the pages at the top of the workspace, rank and id.
pub type Place = (u8, String, DocumentId);

/// A page of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its row.
    pub row: document::Model,
    /// What the caller may do with it.
    pub level: Level,
    /// Whether they see pages under it.
    pub has_children: bool,
    /// Those pages; none when they are not shown in this answer.
    pub children: Option<Vec<Node>>,
}

/// A page of results of the tree, and where the next begins.
///
/// The first level has the pages at the top of the workspace, then those that hang under something the caller does not see.
///
/// # Errors
/// Only the database's.
pub async fn read(db: &impl ConnectionTrait, access: &Access<ReadWorkspace>, wanted: &Wanted) -> Result<(Vec<Node>, Option<Place>), Error> {
    let (first, next) = first_level(db, access, wanted).await?;
    let mut known = vec![first];
    let mut left = MOST;
    for _ in 1..wanted.levels {
        let above: Vec<DocumentId> = known.last().into_iter().flatten().map(|(row, _)| row.id).collect();
        left = left.saturating_sub(above.len() as u64);
        match below(db, access.who(), &above, left).await? {
            Some(rows) if !rows.is_empty() => known.push(rows),
            Some(_) => return Ok((grown(known, None), next)),
            None => break,
        }
    }
    let last: Vec<DocumentId> = known.last().into_iter().flatten().map(|(row, _)| row.id).collect();
    let parents = parents_of_any(db, access.who(), &last).await?;
    Ok((grown(known, Some(&parents)), next))
}

type Rows = Vec<(document::Model, Level)>;

/// Puts the levels together. What hangs under the last is not shown, but which pages have something under them is known; none
/// when there is nothing under any.
fn grown(mut levels: Vec<Rows>, parents: Option<&HashSet<DocumentId>>) -> Vec<Node> {
    let leaf = |(row, level): (document::Model, Level)| {
        let has_children = parents.is_some_and(|parents| parents.contains(&row.id));
        Node {
            has_children,
            children: (!has_children).then(Vec::new),
            row,
            level,
        }
    };
    let mut below: Vec<Node> = levels.pop().into_iter().flatten().map(leaf).collect();
    while let Some(rows) = levels.pop() {
        let mut by_parent: HashMap<DocumentId, Vec<Node>> = HashMap::new();
        for node in below {
            if let Some(parent) = node.row.parent_id {
                by_parent.entry(parent).or_default().push(node);
            }
        }
        let whole = |(row, level): (document::Model, Level)| {
            let children = by_parent.remove(&row.id).unwrap_or_default();
            Node {
                has_children: !children.is_empty(),
                children: Some(children),
                row,
                level,
            }
        };
        below = rows.into_iter().map(whole).collect();
    }
    below
}

/// What hangs directly under these pages and is seen; none when it is too much.
async fn below(db: &impl ConnectionTrait, who: Who, above: &[DocumentId], most: u64) -> Result<Option<Rows>, DbErr> {
    let mut found = Vec::new();
    for some in above.chunks(crate::lineage::AT_ONCE) {
        let rows = document::Entity::find()
            .filter(document::Column::ParentId.is_in(some.iter().copied()))
            .filter(State::Living.condition())
            .order_by_asc(document::Column::Rank)
            .order_by_asc(document::Column::Id)
            .limit(most + 1)
            .all(db)
            .await?;
        found.extend(rows);
        if found.len() as u64 > most {
            return Ok(None);
        }
    }
    Ok(Some(seen(db, who, found).await?))
}

async fn seen(db: &impl ConnectionTrait, who: Who, rows: Vec<document::Model>) -> Result<Rows, DbErr> {
    let ids: Vec<DocumentId> = rows.iter().map(|row| row.id).collect();
    let levels = access::levels(db, who, &ids).await?;
    let level = |row: &document::Model| levels.get(&row.id).copied().unwrap_or(Level::None);
    let rows = rows.into_iter().map(|row| (level(&row), row));
    Ok(rows
        .filter(|(level, _)| *level >= Level::View)
        .map(|(level, row)| (row, level))
        .collect())
}

async fn first_level(db: &impl ConnectionTrait, access: &Access<ReadWorkspace>, wanted: &Wanted) -> Result<(Rows, Option<Place>), DbErr> {
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let (mut rows, mut place) = (Rows::new(), wanted.after.clone());
    for _ in 0..ROUNDS {
        let (part, rank, id) = place.unwrap_or((0, String::new(), NOWHERE));
        let found = candidates(access, part).filter(behind(&rank, id)).limit(wanted.limit);
        let found = found.all(db).await?;
        place = match found.last().filter(|_| found.len() == limit) {
            Some(last) => Some((part, last.rank.clone(), last.id)),
            None => (part == 0).then(|| (1, String::new(), NOWHERE)),
        };
        let mut topmost = topmost(db, access.who(), found).await?;
        let room = limit - rows.len();
        if topmost.len() > room {
            topmost.truncate(room);
            place = topmost.last().map(|(row, _)| (part, row.rank.clone(), row.id));
        }
        rows.append(&mut topmost);
        if place.is_none() || rows.len() == limit {
            break;
        }
    }
    Ok((rows, place))
}

/// What may stand on the first level: pages at the top, or those that say something themselves about who may see them, or
/// that came out of the archive before what they hang under.
fn candidates(access: &Access<ReadWorkspace>, part: u8) -> Select<document::Entity> {
    let rows = document::Entity::find()
        .filter(document::Column::WorkspaceId.eq(access.workspace()))
        .filter(State::Living.condition())
        .order_by_asc(document::Column::Rank)
        .order_by_asc(document::Column::Id);
    if part == 0 {
        return rows.filter(document::Column::ParentId.is_null());
    }
    let groups = group_member::Entity::find()
        .select_only()
        .column(group_member::Column::GroupId)
        .filter(group_member::Column::WorkspaceId.eq(access.workspace()))
        .filter(group_member::Column::UserId.eq(access.user()))
        .into_query();
    let theirs = Condition::any()
        .add(grant::Column::UserId.eq(access.user()))
        .add(grant::Column::GroupId.in_subquery(groups));
    let granted = grant::Entity::find()
        .select_only()
        .column(grant::Column::DocumentId)
        .filter(grant::Column::WorkspaceId.eq(access.workspace()))
        .filter(grant::Column::DocumentId.is_not_null())
        .filter(theirs)
        .into_query();
    let archived = document::Entity::find()
        .select_only()
        .column(document::Column::Id)
        .filter(document::Column::WorkspaceId.eq(access.workspace()))
        .filter(State::Archived.condition())
        .into_query();
    let own = Condition::any()
        .add(document::Column::Id.in_subquery(granted))
        .add(document::Column::DefaultLevel.is_in([Level::View, Level::Comment, Level::Edit, Level::Manage]))
        .add(document::Column::ParentId.in_subquery(archived));
    rows.filter(document::Column::ParentId.is_not_null()).filter(own)
}

/// Those that are seen and hang under nothing that is.
async fn topmost(db: &impl ConnectionTrait, who: Who, rows: Vec<document::Model>) -> Result<Rows, DbErr> {
    let parents: Vec<DocumentId> = rows.iter().filter_map(|row| row.parent_id).collect();
    if parents.is_empty() {
        return seen(db, who, rows).await;
    }
    let parents = document::Entity::find()
        .filter(document::Column::Id.is_in(parents))
        .filter(State::Living.condition());
    let parents: HashSet<DocumentId> = seen(db, who, parents.all(db).await?)
        .await?
        .into_iter()
        .map(|(row, _)| row.id)
        .collect();
    let topmost = rows
        .into_iter()
        .filter(|row| row.parent_id.is_none_or(|parent| !parents.contains(&parent)));
    seen(db, who, topmost.collect()).await
}
