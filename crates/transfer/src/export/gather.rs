//! Which pages an export has: those that whoever asked for it may see, parents before what hangs under them.

use super::{
    error::Error,
    order::{Order, Scope},
};
use entity::document;
use kernel::{id::*, role::Level};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{HashMap, HashSet};
use workspaces::access::{self, ExportWorkspace, ViewDocument};

/// Rows that are read for each page that an export may have: many may not be visible.
const ROWS_A_PAGE: u64 = 10;
/// The most pages that are asked for below others in one statement.
const AT_ONCE: usize = 500;

/// The pages of an export.
#[derive(Debug, Default)]
pub struct Gathered {
    /// They, parents first.
    pub pages: Vec<Found>,
    /// How many more there are that are not for them.
    pub not_visible: u64,
}

/// A page of an export.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its row.
    pub row: document::Model,
    /// The nearest page above it that is in the export too.
    pub parent: Option<DocumentId>,
}

/// Finds the pages of an export.
///
/// # Errors
/// What the door says, and [`Error::TooManyPages`].
pub async fn gather(db: &impl ConnectionTrait, order: &Order, most: u64) -> Result<Gathered, Error> {
    let rows = match order.scope {
        Scope::Page(id) => {
            let row = access::open::<ViewDocument>(db, order.user, id).await?.document().clone();
            return Ok(Gathered {
                pages: vec![Found { row, parent: None }],
                not_visible: 0,
            });
        }
        Scope::Subtree(id) => {
            let root = access::open::<ViewDocument>(db, order.user, id).await?.document().clone();
            below(db, root, most * ROWS_A_PAGE).await?
        }
        Scope::Workspace => {
            access::enter::<ExportWorkspace>(db, order.user, order.workspace).await?;
            living(order.workspace).limit(most * ROWS_A_PAGE).all(db).await?
        }
    };
    let ids: Vec<DocumentId> = rows.iter().map(|row| row.id).collect();
    let levels = access::levels(db, order.user, &ids).await?;
    let sees = |id: DocumentId| levels.get(&id).is_some_and(|level| *level >= Level::View);
    let visible = ids.iter().filter(|id| sees(**id)).count() as u64;
    if visible > most {
        return Err(Error::TooManyPages(most));
    }
    Ok(Gathered {
        not_visible: ids.len() as u64 - visible,
        pages: in_order(rows, sees),
    })
}

fn living(workspace: WorkspaceId) -> sea_orm::Select<document::Entity> {
    document::Entity::find()
        .filter(document::Column::WorkspaceId.eq(workspace))
        .filter(document::Column::DeletedAt.is_null())
        .order_by_asc(document::Column::Rank)
        .order_by_asc(document::Column::Id)
}

/// A page and the living pages under it.
async fn below(db: &impl ConnectionTrait, root: document::Model, most: u64) -> Result<Vec<document::Model>, Error> {
    let (workspace, mut level, mut all) = (root.workspace_id, vec![root.id], vec![root]);
    while !level.is_empty() && (all.len() as u64) < most {
        let mut next = Vec::new();
        for some in level.chunks(AT_ONCE) {
            next.extend(
                living(workspace)
                    .filter(document::Column::ParentId.is_in(some.iter().copied()))
                    .all(db)
                    .await?,
            );
        }
        level = next.iter().map(|row| row.id).collect();
        all.extend(next);
    }
    Ok(all)
}

/// Visible pages, parents first. What hangs under a page that is not visible hangs under the nearest one above that is.
fn in_order(rows: Vec<document::Model>, sees: impl Fn(DocumentId) -> bool) -> Vec<Found> {
    let above: HashMap<DocumentId, Option<DocumentId>> = rows.iter().map(|row| (row.id, row.parent_id)).collect();
    let nearest = |row: &document::Model| {
        let (mut at, mut seen) = (row.parent_id, HashSet::new());
        while let Some(id) = at {
            if !above.contains_key(&id) || !seen.insert(id) {
                return None;
            }
            if sees(id) {
                return Some(id);
            }
            at = above.get(&id).copied().flatten();
        }
        None
    };
    let mut under: HashMap<Option<DocumentId>, Vec<Found>> = HashMap::new();
    for row in rows {
        if sees(row.id) {
            let parent = nearest(&row);
            under.entry(parent).or_default().push(Found { row, parent });
        }
    }
    for siblings in under.values_mut() {
        // The last is taken first.
        siblings.sort_by(|a, b| (&b.row.rank, b.row.id).cmp(&(&a.row.rank, a.row.id)));
    }
    let mut open = under.remove(&None).unwrap_or_default();
    let mut pages = Vec::new();
    while let Some(page) = open.pop() {
        open.extend(under.remove(&Some(page.row.id)).unwrap_or_default());
        pages.push(page);
    }
    pages
}
