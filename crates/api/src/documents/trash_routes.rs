//! The trash of a workspace.

use super::shape::Document;
use crate::{
    extract::{Can, Query},
    page::{Listing, Paging, cursor},
    problem::ApiError,
    state::State,
};
use actix_web::{ResponseError, delete, get, http::StatusCode, web, web::Data};
use documents::trash::{self, Trashed};
use kernel::{clock::Time, id::*};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::access::{Access, ManageDocument, ReadWorkspace};

/// Pages that are destroyed by one request, not counting what went into the trash with them.
const AT_ONCE: u64 = 100;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(empty);
}

/// A page that another one was under.
#[derive(Serialize, ToSchema)]
struct Above {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    id: DocumentId,
    /// Its title.
    title: String,
    /// Emoji or url.
    icon: Option<String>,
}

/// A page in the trash.
#[derive(Serialize, ToSchema)]
struct TrashedDocument {
    /// The page; `deleted_at` says since when.
    #[serde(flatten)]
    document: Document,
    /// Who put it there.
    #[schema(value_type = Option<uuid::Uuid>)]
    deleted_by: Option<UserId>,
    /// What it was under and will be again; null for the top, when that is in the trash too, and when you may not see it.
    was_under: Option<Above>,
    /// How many pages come back with it, itself included.
    #[schema(example = 3)]
    pages: u64,
    /// When it will be destroyed, within a day.
    #[schema(value_type = Option<String>, format = DateTime)]
    purged_at: Option<Time>,
}

impl TrashedDocument {
    fn new(trashed: Trashed, kept: Duration) -> Self {
        let above = |row: entity::document::Model| Above {
            id: row.id,
            title: row.title,
            icon: row.icon,
        };
        Self {
            deleted_by: trashed.row.deleted_by,
            was_under: trashed.was_under.map(above),
            pages: trashed.pages,
            purged_at: trashed.row.deleted_at.map(|at| at + kept),
            document: Document::from((trashed.row, trashed.level)),
        }
    }
}

/// List what is in a workspace's trash, the latest first: pages that you could take out. What went there with another page is
/// counted with it.
#[utoipa::path(tag = "documents", operation_id = "documents.trash", params(("workspace_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "The latest first", body = inline(Listing<TrashedDocument>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/trash/")]
async fn list(state: Data<State>, Can(access): Can<ReadWorkspace>, paging: Query<Paging>) -> Result<Listing<TrashedDocument>, ApiError> {
    let (rows, next) = trash::list(&state.db, &access, paging.0.after()?, paging.0.limit()?).await?;
    Ok(Listing {
        data: rows
            .into_iter()
            .map(|row| TrashedDocument::new(row, state.settings.trash_kept))
            .collect(),
        next_cursor: next.as_ref().and_then(cursor),
    })
}

/// What became of the trash.
#[derive(Serialize, ToSchema)]
struct Emptied {
    /// Pages that were destroyed, not counting what went into the trash with them.
    #[schema(example = 3)]
    destroyed: u64,
    /// Pages that were not yours to destroy.
    #[schema(example = 0)]
    kept: u64,
    /// Where to go on; null at the end.
    next_cursor: Option<String>,
}

/// Destroy what is in a workspace's trash, as far as you manage it: 100 pages at a time, with what went there with them.
#[utoipa::path(tag = "documents", operation_id = "documents.empty_trash", params(("workspace_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Destroyed", body = Emptied)))]
#[delete("/workspaces/{workspace_id}/trash/")]
async fn empty(state: Data<State>, Can(access): Can<ReadWorkspace>, paging: Query<Paging>) -> Result<web::Json<Emptied>, ApiError> {
    let limit = paging.0.limit()?.min(AT_ONCE);
    let (rows, next) = trash::list(&state.db, &access, paging.0.after()?, limit).await?;
    let mut emptied = Emptied {
        destroyed: 0,
        kept: 0,
        next_cursor: next.as_ref().and_then(cursor),
    };
    for one in rows {
        match destroy(&state, &access, one.row.id).await {
            Ok(()) => emptied.destroyed += 1,
            // It came out of the trash, or another was faster.
            Err(error) if error.status_code() == StatusCode::NOT_FOUND => {}
            Err(error) if error.status_code() == StatusCode::FORBIDDEN => emptied.kept += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(web::Json(emptied))
}

async fn destroy(state: &State, access: &Access<ReadWorkspace>, id: DocumentId) -> Result<(), ApiError> {
    let manages = state.door().open_trashed::<ManageDocument>(access.who(), id).await?;
    state
        .write(&manages, async |tx: &DatabaseTransaction| trash::destroy(tx, &manages).await)
        .await?;
    state.rooms.gone(vec![id]).await;
    Ok(())
}
