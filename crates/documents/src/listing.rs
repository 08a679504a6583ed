//! Lists of pages that a caller may see. What they may not see counts nowhere, not even in the length of a page of results.

pub mod outline;

use crate::error::Error;
use entity::document;
use kernel::{id::*, role::Level};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Statement, Value,
};
use std::collections::HashSet;
use workspaces::access::{self, Access, DocumentAccess, ReadWorkspace, ViewDocument, Who};

/// In which state pages are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Neither archived nor in the trash.
    #[default]
    Living,
    /// Archived.
    Archived,
    /// In the trash.
    Trashed,
    /// Pages that others are made from, neither archived nor in the trash.
    Template,
}

impl State {
    fn condition(self) -> Condition {
        let all = Condition::all();
        let all = match self {
            Self::Trashed => return all.add(document::Column::DeletedAt.is_not_null()),
            Self::Archived => all.add(document::Column::ArchivedAt.is_not_null()),
            Self::Living => all.add(document::Column::ArchivedAt.is_null()),
            Self::Template => all
                .add(document::Column::ArchivedAt.is_null())
                .add(document::Column::IsTemplate.eq(true)),
        };
        all.add(document::Column::DeletedAt.is_null())
    }
}

/// Which pages of a workspace.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those directly under this page; `Some(None)` only those at the top.
    pub parent: Option<Option<DocumentId>>,
    /// Only those in this state.
    pub state: State,
    /// Behind this rank and id, from the page of results before.
    pub after: Option<(String, DocumentId)>,
    /// How many at most.
    pub limit: u64,
}

/// One page of results: rows with the caller's level, and the place to go on from.
pub struct Listed {
    /// Visible rows, ordered by rank.
    pub rows: Vec<(document::Model, Level)>,
    /// Where the next page of results begins; none at the end.
    pub next: Option<(String, DocumentId)>,
}

/// Pages of a workspace that the caller may see, in the order of their ranks.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, access: &Access<ReadWorkspace>, wanted: &Wanted) -> Result<Listed, Error> {
    of(db, (access.who(), access.workspace()), wanted).await
}

/// The pages directly under one that the caller may see, in their order.
///
/// # Errors
/// Only the database's.
pub async fn children(db: &impl ConnectionTrait, access: &DocumentAccess<ViewDocument>, wanted: &Wanted) -> Result<Listed, Error> {
    let wanted = Wanted {
        parent: Some(Some(access.id())),
        ..wanted.clone()
    };
    of(db, (access.who(), access.workspace()), &wanted).await
}

/// Rounds in search of rows that the caller may see.
const ROUNDS: usize = 20;

async fn of(db: &impl ConnectionTrait, (who, workspace): (Who, WorkspaceId), wanted: &Wanted) -> Result<Listed, Error> {
    let limit = wanted.limit.clamp(1, 200);
    let mut listed = Listed {
        rows: Vec::new(),
        next: wanted.after.clone(),
    };
    // Rows the caller may not see do not count, so a few more rounds may be needed to fill a page of results.
    for _ in 0..ROUNDS {
        let found = query(workspace, wanted, listed.next.as_ref()).limit(limit + 1).all(db).await?;
        let more = found.len() as u64 > limit;
        let found: Vec<document::Model> = found.into_iter().take(limit as usize).collect();
        let ids: Vec<DocumentId> = found.iter().map(|row| row.id).collect();
        let levels = access::levels(db, who, &ids).await?;
        let mut left = found.len();
        for row in found {
            left -= 1;
            listed.next = Some((row.rank.clone(), row.id));
            let level = levels.get(&row.id).copied().unwrap_or(Level::None);
            if level >= Level::View {
                listed.rows.push((row, level));
            }
            if listed.rows.len() as u64 == limit {
                break;
            }
        }
        if !more && left == 0 {
            listed.next = None;
            break;
        }
        if listed.rows.len() as u64 >= limit {
            break;
        }
    }
    Ok(listed)
}

fn query(workspace: WorkspaceId, wanted: &Wanted, after: Option<&(String, DocumentId)>) -> sea_orm::Select<document::Entity> {
    let mut query = document::Entity::find()
        .filter(document::Column::WorkspaceId.eq(workspace))
        .filter(wanted.state.condition());
    query = match wanted.parent {
        Some(Some(parent)) => query.filter(document::Column::ParentId.eq(parent)),
        Some(None) => query.filter(document::Column::ParentId.is_null()),
        None => query,
    };
    if let Some((rank, id)) = after {
        query = query.filter(behind(rank, *id));
    }
    query.order_by_asc(document::Column::Rank).order_by_asc(document::Column::Id)
}

/// Behind a place in the order of ranks.
fn behind(rank: &str, id: DocumentId) -> Condition {
    let same_rank = Condition::all()
        .add(document::Column::Rank.eq(rank))
        .add(document::Column::Id.gt(id));
    Condition::any().add(document::Column::Rank.gt(rank)).add(same_rank)
}

/// Children that are looked at one by one, for whole pages of results.
const LOOKED_AT: u64 = 500;

/// Those of these pages, which somebody sees, under which they see others that are neither archived nor in the trash.
///
/// A page that is not restricted and closes itself to nobody is seen by whoever sees the one above it, so hardly any child
/// has to be asked about.
///
/// # Errors
/// Only the database's.
pub async fn parents_of_any(db: &impl ConnectionTrait, who: Who, pages: &[DocumentId]) -> Result<HashSet<DocumentId>, DbErr> {
    #[derive(FromQueryResult)]
    struct Parent {
        parent_id: DocumentId,
        open: i64,
    }
    if pages.is_empty() {
        return Ok(HashSet::new());
    }
    let mut parents = HashSet::new();
    let mut doubtful = Vec::new();
    for some in pages.chunks(crate::lineage::AT_ONCE) {
        let places: Vec<String> = (1..=some.len()).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT parent_id, CAST(SUM(CASE WHEN restricted OR default_level = 'none' THEN 0 ELSE 1 END) AS BIGINT) AS open
             FROM documents WHERE parent_id IN ({}) AND deleted_at IS NULL AND archived_at IS NULL GROUP BY parent_id",
            places.join(", ")
        );
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, some.iter().map(|id| Value::from(*id)));
        for parent in Parent::find_by_statement(statement).all(db).await? {
            if parent.open > 0 {
                parents.insert(parent.parent_id);
            } else {
                doubtful.push(parent.parent_id);
            }
        }
    }
    if doubtful.is_empty() {
        return Ok(parents);
    }
    let children: Vec<(DocumentId, DocumentId)> = document::Entity::find()
        .select_only()
        .columns([document::Column::Id, document::Column::ParentId])
        .filter(document::Column::ParentId.is_in(doubtful))
        .filter(State::Living.condition())
        .order_by_asc(document::Column::Rank)
        .limit(LOOKED_AT)
        .into_tuple()
        .all(db)
        .await?;
    let ids: Vec<DocumentId> = children.iter().map(|(id, _)| *id).collect();
    let levels = access::levels(db, who, &ids).await?;
    let seen = children
        .into_iter()
        .filter(|(id, _)| levels.get(id).is_some_and(|level| *level >= Level::View));
    parents.extend(seen.map(|(_, parent)| parent));
    Ok(parents)
}
