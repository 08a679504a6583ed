//! Exports that are kept until their time is over, for nobody but who asked for them.

use super::{
    error::Error,
    make::Made,
    order::{Order, Scope},
    settings::Settings,
};
use backends::files::{Area, Files, Key};
use entity::export;
use events::{By, Change};
use futures::TryStreamExt;
use kernel::{
    clock,
    error::{Explain, Kind},
    id::*,
    role::Level,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::time::Duration;
use workspaces::access::{self, ExportWorkspace, ViewDocument, Who};

/// Rows that are removed at once.
const AT_ONCE: u64 = 200;
/// How long bytes that no row knows may lie in the store: longer than a job may take.
const UNKNOWN: Duration = Duration::from_secs(24 * 60 * 60);

/// Insists that somebody may have one more export kept.
///
/// # Errors
/// [`Error::TooManyKept`].
pub async fn check_kept(db: &impl ConnectionTrait, user: UserId, settings: &Settings) -> Result<(), Error> {
    let kept = || {
        let good = export::Column::ExpiresAt.gt(clock::now());
        export::Entity::find().filter(export::Column::UserId.eq(user)).filter(good)
    };
    if kept().count(db).await? < settings.most_kept {
        return Ok(());
    }
    let oldest = kept().order_by_asc(export::Column::ExpiresAt).one(db).await?;
    let wait = oldest.and_then(|row| (row.expires_at - clock::now()).to_std().ok());
    Err(Error::TooManyKept(wait.unwrap_or_default()))
}

/// Notes an export whose bytes lie in the store, and that it was made.
///
/// # Errors
/// Only the database's.
pub async fn keep(tx: &DatabaseTransaction, order: &Order, job: JobId, made: (&Made, clock::Time)) -> Result<(), Error> {
    let (made, expires_at) = made;
    let row = export::Model {
        id: job,
        workspace_id: order.workspace,
        document_id: order.scope.document(),
        user_id: order.user,
        format: order.format.name().to_owned(),
        name: made.name.clone(),
        media_type: made.media_type.to_owned(),
        size: i64::try_from(made.size).unwrap_or(i64::MAX),
        documents: serde_json::to_string(&made.documents).map_err(|error| Error::Unwritable(error.to_string()))?,
        created_at: clock::now(),
        expires_at,
    };
    export::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    let by = By {
        workspace: Some(order.workspace),
        user: Some(order.user),
    };
    let format = order.format.name().to_owned();
    let change = match order.scope {
        Scope::Page(document) => Change::DocumentExported { document, format },
        Scope::Subtree(document) => Change::SubtreeExported { document, format },
        Scope::Workspace => Change::WorkspaceExported {
            workspace: order.workspace,
            format,
        },
    };
    events::append(tx, by, change).await?;
    Ok(())
}

/// An export that somebody made, as long as its time is not over and they still may see every page in it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, who: Who, id: JobId) -> Result<export::Model, Error> {
    let row = export::Entity::find_by_id(id)
        .filter(export::Column::UserId.eq(who.user()))
        .filter(export::Column::ExpiresAt.gt(clock::now()))
        .one(db)
        .await?
        .ok_or(Error::NotFound)?;
    let open = match row.document_id {
        Some(document) => access::open::<ViewDocument>(db, who, document).await.map(drop),
        None => access::enter::<ExportWorkspace>(db, who, row.workspace_id).await.map(drop),
    };
    open.map_err(|error| match error.kind() {
        Kind::NotFound | Kind::Forbidden => Error::NotFound,
        _ => error.into(),
    })?;
    let ids: Vec<DocumentId> = serde_json::from_str(&row.documents).unwrap_or_default();
    let levels = access::levels(db, who, &ids).await?;
    let sees_all = ids.iter().all(|id| levels.get(id).is_some_and(|level| *level >= Level::View));
    if sees_all { Ok(row) } else { Err(Error::NotFound) }
}

/// Removes exports whose time is over, and bytes that no row knows because their job was killed. Gives how many of both.
///
/// # Errors
/// The database's and the store's.
pub async fn purge(db: &impl ConnectionTrait, files: &Files) -> Result<(u64, u64), Error> {
    let (mut late, now) = (0, clock::now());
    loop {
        let over = export::Entity::find().filter(export::Column::ExpiresAt.lte(now));
        let ids: Vec<JobId> = over
            .select_only()
            .column(export::Column::Id)
            .limit(AT_ONCE)
            .into_tuple()
            .all(db)
            .await?;
        if ids.is_empty() {
            break;
        }
        for id in &ids {
            files.delete(&Key::export(*id)).await?;
        }
        late += export::Entity::delete_many()
            .filter(export::Column::Id.is_in(ids))
            .exec(db)
            .await?
            .rows_affected;
    }
    Ok((late, purge_unknown(db, files, now - UNKNOWN).await?))
}

async fn purge_unknown(db: &impl ConnectionTrait, files: &Files, before: clock::Time) -> Result<u64, Error> {
    let (mut listed, mut unknown) = (files.list(Area::Exports), 0);
    while let Some(file) = listed.try_next().await? {
        let Ok(id) = file.key.name().parse::<JobId>() else { continue };
        if file.modified_at < before && export::Entity::find_by_id(id).one(db).await?.is_none() {
            files.delete(&file.key).await?;
            unknown += 1;
        }
    }
    Ok(unknown)
}
