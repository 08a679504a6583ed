//! Lists of pages that a caller may see.

use crate::error::Error;
use entity::document;
use kernel::{id::*, role::Level};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use workspaces::access::{self, Access, ReadWorkspace};

/// Which pages of a workspace.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those directly under this page; `Some(None)` only those at the top.
    pub parent: Option<Option<DocumentId>>,
    /// Those in the trash instead of those outside it.
    pub trashed: bool,
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
    let limit = wanted.limit.clamp(1, 200);
    let mut listed = Listed {
        rows: Vec::new(),
        next: wanted.after.clone(),
    };
    // Rows the caller may not see do not count, so a few more rounds may be needed to fill a page of results.
    for _ in 0..20 {
        let found = query(access.workspace(), wanted, listed.next.as_ref())
            .limit(limit + 1)
            .all(db)
            .await?;
        let more = found.len() as u64 > limit;
        let found: Vec<document::Model> = found.into_iter().take(limit as usize).collect();
        let ids: Vec<DocumentId> = found.iter().map(|row| row.id).collect();
        let levels = access::levels(db, access.who(), &ids).await?;
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
    let mut query = document::Entity::find().filter(document::Column::WorkspaceId.eq(workspace));
    query = match wanted.parent {
        Some(Some(parent)) => query.filter(document::Column::ParentId.eq(parent)),
        Some(None) => query.filter(document::Column::ParentId.is_null()),
        None => query,
    };
    query = if wanted.trashed {
        query.filter(document::Column::DeletedAt.is_not_null())
    } else {
        query.filter(document::Column::DeletedAt.is_null())
    };
    if let Some((rank, id)) = after {
        let same_rank = Condition::all()
            .add(document::Column::Rank.eq(rank))
            .add(document::Column::Id.gt(*id));
        query = query.filter(Condition::any().add(document::Column::Rank.gt(rank)).add(same_rank));
    }
    query.order_by_asc(document::Column::Rank).order_by_asc(document::Column::Id)
}
