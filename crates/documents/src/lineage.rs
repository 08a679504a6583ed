//! Who hangs under whom: the pages above one, and those below it. One statement however deep it goes.

use crate::error::Error;
use entity::document;
use kernel::{error::Field, id::*, role::Level};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QuerySelect,
    Statement, sea_query::LockType,
};
use workspaces::access::{self, DocumentAccess, EditDocument, ViewDocument};

/// How deep pages nest.
pub(crate) const MAX_DEPTH: usize = 100;
/// A chain that is longer is a circle.
const END: i32 = 128;
/// Pages asked about in one statement.
pub(crate) const AT_ONCE: usize = 500;

/// The pages above one, the nearest first, whatever state they are in.
pub(crate) async fn above(db: &impl ConnectionTrait, id: DocumentId) -> Result<Vec<document::Model>, DbErr> {
    let sql = "WITH RECURSIVE up(id, depth) AS (
            SELECT parent_id, 1 FROM documents WHERE id = $1
            UNION ALL
            SELECT d.parent_id, up.depth + 1 FROM up JOIN documents d ON d.id = up.id WHERE up.depth < $2
        )
        SELECT d.* FROM up JOIN documents d ON d.id = up.id ORDER BY up.depth";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [id.into(), END.into()]);
    document::Model::find_by_statement(statement).all(db).await
}

/// The pages above one that somebody may see, from the top on, with what they may do with each.
///
/// # Errors
/// Only the database's.
pub async fn ancestors(db: &impl ConnectionTrait, access: &DocumentAccess<ViewDocument>) -> Result<Vec<(document::Model, Level)>, Error> {
    let rows = above(db, access.id()).await?;
    let ids: Vec<DocumentId> = rows.iter().map(|row| row.id).collect();
    let levels = access::levels(db, access.who(), &ids).await?;
    let level = |row: &document::Model| levels.get(&row.id).copied().unwrap_or(Level::None);
    let seen = rows.into_iter().rev().map(|row| (level(&row), row));
    Ok(seen
        .filter(|(level, _)| *level >= Level::View)
        .map(|(level, row)| (row, level))
        .collect())
}

/// How many levels of pages there are from one down: 1 when nothing hangs under it. The trash counts: it may come back.
pub(crate) async fn height(db: &impl ConnectionTrait, id: DocumentId) -> Result<usize, DbErr> {
    #[derive(FromQueryResult)]
    struct Height {
        height: i32,
    }
    let sql = "WITH RECURSIVE down(id, depth) AS (
            SELECT id, 1 FROM documents WHERE id = $1
            UNION ALL
            SELECT d.id, down.depth + 1 FROM down JOIN documents d ON d.parent_id = down.id WHERE down.depth < $2
        )
        SELECT COALESCE(MAX(depth), 1) AS height FROM down";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [id.into(), END.into()]);
    let found = Height::find_by_statement(statement).one(db).await?;
    Ok(found.map_or(1, |found| usize::try_from(found.height).unwrap_or(usize::MAX)))
}

/// A page and every living page under it, parents first. They are locked, so that no page is made or put under one of them
/// that is not in the answer.
pub(crate) async fn living_subtree(tx: &DatabaseTransaction, id: DocumentId) -> Result<Vec<document::Model>, DbErr> {
    let mut all = locked(tx, document::Column::Id.eq(id)).await?;
    let mut level: Vec<DocumentId> = all.iter().map(|row| row.id).collect();
    while !level.is_empty() {
        let mut below = Vec::new();
        for some in level.chunks(AT_ONCE) {
            let children = document::Column::ParentId.is_in(some.iter().copied());
            below.extend(locked(tx, children.and(document::Column::DeletedAt.is_null())).await?);
        }
        level = below.iter().map(|row| row.id).collect();
        all.extend(below);
    }
    Ok(all)
}

/// Which column says with which page others went: into the trash, or into the archive.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Went {
    /// Into the trash.
    Trash,
    /// Into the archive.
    Archive,
}

impl Went {
    fn column(self) -> document::Column {
        match self {
            Self::Trash => document::Column::DeletedWith,
            Self::Archive => document::Column::ArchivedWith,
        }
    }

    fn with(self, row: &document::Model) -> Option<DocumentId> {
        match self {
            Self::Trash => row.deleted_with,
            Self::Archive => row.archived_with,
        }
    }
}

/// A page, and those under it that went where it went at the same time, parents first.
pub(crate) async fn went_along(tx: &DatabaseTransaction, row: &document::Model, went: Went) -> Result<Vec<DocumentId>, DbErr> {
    let with = went.with(row).unwrap_or(row.id);
    let (mut all, mut level) = (vec![row.id], vec![row.id]);
    while !level.is_empty() {
        let mut below: Vec<DocumentId> = Vec::new();
        for some in level.chunks(AT_ONCE) {
            let children = document::Entity::find()
                .select_only()
                .column(document::Column::Id)
                .filter(document::Column::ParentId.is_in(some.iter().copied()))
                .filter(went.column().eq(with));
            below.extend(children.into_tuple::<DocumentId>().all(tx).await?);
        }
        all.extend(&below);
        level = below;
    }
    Ok(all)
}

async fn locked(tx: &DatabaseTransaction, which: sea_orm::sea_query::SimpleExpr) -> Result<Vec<document::Model>, DbErr> {
    let rows = document::Entity::find().filter(which);
    match tx.get_database_backend() {
        DbBackend::Postgres => rows.lock(LockType::NoKeyUpdate).all(tx).await,
        _ => rows.all(tx).await,
    }
}

pub(crate) fn no_parent() -> Error {
    Error::invalid("/parent_id", "not_found", "is no page of this workspace that you may edit")
}

/// Insists that a page may hang under another one, with `height` levels of its own: the parent lives, is of the workspace, and
/// is not too deep. It stays so until the transaction ends. Gives the pages from the parent up.
pub(crate) async fn check_parent(
    tx: &DatabaseTransaction,
    workspace: WorkspaceId,
    parent: &DocumentAccess<EditDocument>,
    height: usize,
) -> Result<Vec<DocumentId>, Error> {
    let row = document::Entity::find_by_id(parent.id());
    let row = match tx.get_database_backend() {
        DbBackend::Postgres => row.lock(LockType::Share).one(tx).await?,
        _ => row.one(tx).await?,
    };
    let is_good = |row: &document::Model| row.workspace_id == workspace && row.deleted_at.is_none() && row.archived_at.is_none();
    let row = row.filter(is_good).ok_or_else(no_parent)?;
    let mut chain = vec![row.id];
    chain.extend(above(tx, row.id).await?.iter().map(|row| row.id));
    if chain.len() + height > MAX_DEPTH {
        let field = Field::new("/parent_id", "too_deep", format!("pages nest at most {MAX_DEPTH} deep"));
        return Err(Error::Invalid(vec![field]));
    }
    Ok(chain)
}
