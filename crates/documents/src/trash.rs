//! The trash of a workspace: pages go there with what hangs under them, come back to where they were, and are destroyed when
//! somebody says so or their time is over.

mod purge;

pub use purge::{overdue, purge_some};

use crate::{
    error::Error,
    lineage::{self, AT_ONCE, Went},
    lock, place,
};
use entity::document;
use events::Change;
use kernel::{
    clock::{self, Time},
    id::*,
    role::Level,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use std::collections::HashMap;
use workspaces::{
    access::{self, Access, AccessError, DocumentAccess, EditDocument, ManageDocument, ReadWorkspace},
    hold,
};

/// Puts a page and what hangs under it in the trash. Returns the pages that went.
///
/// # Errors
/// [`Error::Locked`], or the database's.
pub async fn put(tx: &DatabaseTransaction, access: &DocumentAccess<EditDocument>) -> Result<Vec<DocumentId>, Error> {
    let id = access.id();
    hold::trees(tx, &[access.workspace()]).await?;
    lock::check(tx, access).await?;
    let ids: Vec<DocumentId> = lineage::living_subtree(tx, id).await?.iter().map(|row| row.id).collect();
    for some in ids.chunks(AT_ONCE) {
        document::Entity::update_many()
            .col_expr(document::Column::DeletedAt, Expr::value(Some(clock::now())))
            .col_expr(document::Column::DeletedWith, Expr::value(Some(id.0)))
            .col_expr(document::Column::DeletedBy, Expr::value(Some(access.user().0)))
            .filter(document::Column::Id.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
    }
    events::append(tx, access.by(), Change::DocumentTrashed { document: id }).await?;
    Ok(ids)
}

/// The row of a page that is in the trash, now that the tree is held.
async fn in_trash(tx: &DatabaseTransaction, id: DocumentId) -> Result<document::Model, Error> {
    let row = document::Entity::find_by_id(id).one(tx).await?;
    row.filter(|row| row.deleted_at.is_some()).ok_or(Error::NotFound)
}

/// Takes a page out of the trash, with what hangs under it and went there with it: to where it was, or to the nearest place
/// above that is not in the trash itself.
///
/// # Errors
/// [`Error::NotFound`] when it is not in the trash; [`Error::Locked`].
pub async fn restore(tx: &DatabaseTransaction, access: &DocumentAccess<EditDocument>) -> Result<document::Model, Error> {
    hold::trees(tx, &[access.workspace()]).await?;
    let row = in_trash(tx, access.id()).await?;
    lock::check(tx, access).await?;
    for some in lineage::went_along(tx, &row, Went::Trash).await?.chunks(AT_ONCE) {
        document::Entity::update_many()
            .col_expr(document::Column::DeletedAt, Expr::value(Option::<Time>::None))
            .col_expr(document::Column::DeletedWith, Expr::value(Option::<uuid::Uuid>::None))
            .col_expr(document::Column::DeletedBy, Expr::value(Option::<uuid::Uuid>::None))
            .filter(document::Column::Id.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
    }
    // A page that was archived goes back into the archive, where one above may be too.
    let stays = |page: &document::Model| page.deleted_at.is_none() && (page.archived_at.is_none() || row.archived_at.is_some());
    let above = place::above(tx, row.parent_id, stays).await?;
    let mut restored = row.clone().into_active_model();
    above.take(&mut restored, &row);
    restored.deleted_at = Set(None);
    restored.deleted_with = Set(None);
    restored.deleted_by = Set(None);
    restored.updated_at = Set(clock::now());
    let restored = restored.update(tx).await?;
    events::append(tx, access.by(), Change::DocumentRestored { document: row.id }).await?;
    Ok(restored)
}

/// Destroys a trashed page and what went with it, content and history included.
///
/// # Errors
/// [`Error::NotFound`] when it is not in the trash, [`AccessError::Forbidden`] when something under it is not theirs to destroy.
pub async fn destroy(tx: &DatabaseTransaction, access: &DocumentAccess<ManageDocument>) -> Result<(), Error> {
    hold::trees(tx, &[access.workspace()]).await?;
    let row = in_trash(tx, access.id()).await?;
    let doomed = document::Entity::find()
        .select_only()
        .column(document::Column::Id)
        .filter(document::Column::DeletedWith.eq(row.id));
    let doomed: Vec<DocumentId> = doomed.into_tuple().all(tx).await?;
    // What hangs under it may be restricted, and not theirs to destroy.
    if !access::manages_all(tx, access.who(), &doomed).await? {
        return Err(AccessError::Forbidden.into());
    }
    purge::let_go(tx, row.id).await?;
    while purge::leaves(tx, row.id).await? > 0 {}
    document::Entity::delete_by_id(row.id).exec(tx).await?;
    events::append(tx, access.by(), Change::DocumentDeleted { document: row.id }).await?;
    Ok(())
}

/// A page that was put in the trash by itself, not with one above it.
#[derive(Clone, Debug)]
pub struct Trashed {
    /// Its row: who put it there, and when.
    pub row: document::Model,
    /// What the caller may do with it.
    pub level: Level,
    /// The page it was under, if that is not in the trash and the caller may see it.
    pub was_under: Option<document::Model>,
    /// How many pages come back with it, itself included.
    pub pages: u64,
}

/// One page of results of the trash, and where the next begins.
pub type Listed = (Vec<Trashed>, Option<(Time, DocumentId)>);

/// Rounds in search of rows that the caller may see.
const ROUNDS: usize = 20;

/// What is in a workspace's trash, the latest first, as far as the caller could take it out.
///
/// # Errors
/// Only the database's.
pub async fn list(
    db: &impl ConnectionTrait,
    access: &Access<ReadWorkspace>,
    after: Option<(Time, DocumentId)>,
    limit: u64,
) -> Result<Listed, Error> {
    let (mut seen, mut next) = (Vec::new(), after);
    for _ in 0..ROUNDS {
        let found = roots(access.workspace(), next).limit(limit + 1).all(db).await?;
        let is_end = found.len() as u64 <= limit;
        let ids: Vec<DocumentId> = found.iter().map(|row| row.id).collect();
        let levels = access::levels(db, access.who(), &ids).await?;
        let (count, mut looked) = (found.len(), 0);
        for row in found.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)) {
            if seen.len() as u64 == limit {
                break;
            }
            looked += 1;
            next = row.deleted_at.map(|at| (at, row.id));
            let level = levels.get(&row.id).copied().unwrap_or(Level::None);
            if level >= Level::Edit {
                seen.push((row, level));
            }
        }
        if is_end && looked == count {
            next = None;
            break;
        }
        if seen.len() as u64 == limit {
            break;
        }
    }
    Ok((described(db, access, seen).await?, next))
}

fn roots(workspace: WorkspaceId, after: Option<(Time, DocumentId)>) -> sea_orm::Select<document::Entity> {
    let roots = document::Entity::find()
        .filter(document::Column::WorkspaceId.eq(workspace))
        .filter(document::Column::DeletedAt.is_not_null())
        .filter(Expr::col(document::Column::DeletedWith).eq(Expr::col(document::Column::Id)))
        .order_by_desc(document::Column::DeletedAt)
        .order_by_desc(document::Column::Id);
    let Some((at, id)) = after else { return roots };
    let same = Condition::all()
        .add(document::Column::DeletedAt.eq(at))
        .add(document::Column::Id.lt(id));
    roots.filter(Condition::any().add(document::Column::DeletedAt.lt(at)).add(same))
}

/// With how many went along, and what each was under.
async fn described(
    db: &impl ConnectionTrait,
    access: &Access<ReadWorkspace>,
    rows: Vec<(document::Model, Level)>,
) -> Result<Vec<Trashed>, DbErr> {
    let ids: Vec<DocumentId> = rows.iter().map(|(row, _)| row.id).collect();
    let parents: Vec<DocumentId> = rows.iter().filter_map(|(row, _)| row.parent_id).collect();
    let counts = counts(db, &ids).await?;
    let levels = access::levels(db, access.who(), &parents).await?;
    let above = document::Entity::find()
        .filter(document::Column::Id.is_in(parents))
        .filter(document::Column::DeletedAt.is_null());
    let is_seen = |row: &document::Model| levels.get(&row.id).is_some_and(|level| *level >= Level::View);
    let above: HashMap<DocumentId, document::Model> = above.all(db).await?.into_iter().filter(is_seen).map(|row| (row.id, row)).collect();
    let whole = |(row, level): (document::Model, Level)| Trashed {
        was_under: row.parent_id.and_then(|id| above.get(&id).cloned()),
        pages: counts.get(&row.id).copied().unwrap_or(1),
        row,
        level,
    };
    Ok(rows.into_iter().map(whole).collect())
}

async fn counts(db: &impl ConnectionTrait, roots: &[DocumentId]) -> Result<HashMap<DocumentId, u64>, DbErr> {
    #[derive(FromQueryResult)]
    struct Count {
        deleted_with: DocumentId,
        pages: i64,
    }
    let counts = document::Entity::find()
        .select_only()
        .column(document::Column::DeletedWith)
        .column_as(document::Column::Id.count(), "pages")
        .filter(document::Column::DeletedWith.is_in(roots.iter().copied()))
        .group_by(document::Column::DeletedWith);
    let counts = counts.into_model::<Count>().all(db).await?;
    Ok(counts
        .into_iter()
        .map(|count| (count.deleted_with, u64::try_from(count.pages).unwrap_or_default()))
        .collect())
}
