//! Moving pages, within a workspace and to another one.

use super::{routes::bad_parent, shape::Document};
use crate::{
    extract::CanDocument,
    json::{Json, maybe},
    problem::ApiError,
    state::State,
};
use actix_web::{post, web, web::Data};
use documents::{
    moving::{self, Across, Mover, Under},
    siblings::Place,
};
use kernel::{error::Field, id::*, role::Level};
use sea_orm::DatabaseTransaction;
use search::{index, subject::Kind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    access::{self, Access, AccessError, CreateDocuments, DocumentAccess, EditDocument, ManageDocument, Who, fence::Both},
    uprooted::Dropped,
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(move_to);
}

/// An end of a row of siblings.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    /// Before all others.
    First,
    /// Behind all others.
    Last,
}

/// Where a page goes. Of `after`, `before` and `position` one at most; behind all others when there is none.
#[derive(Deserialize, ToSchema, Validate)]
struct MoveDocument {
    /// The page it shall hang under; null for the top. Left out, it stays under what it is, or goes to the top of another
    /// workspace.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<uuid::Uuid>)]
    parent_id: Option<Option<DocumentId>>,
    /// The sibling it follows.
    #[schema(value_type = Option<uuid::Uuid>)]
    after: Option<DocumentId>,
    /// The sibling it precedes.
    #[schema(value_type = Option<uuid::Uuid>)]
    before: Option<DocumentId>,
    /// The first or the last of its siblings.
    #[schema(inline)]
    position: Option<End>,
    /// Another workspace. Takes to manage the page and everything under it.
    #[schema(value_type = Option<uuid::Uuid>)]
    workspace_id: Option<WorkspaceId>,
}

/// The one place that is named.
pub(super) fn place((after, before, position): (Option<DocumentId>, Option<DocumentId>, Option<End>)) -> Result<Place, ApiError> {
    match (after, before, position) {
        (None, None, None | Some(End::Last)) => Ok(Place::Last),
        (None, None, Some(End::First)) => Ok(Place::First),
        (Some(id), None, None) => Ok(Place::After(id)),
        (None, Some(id), None) => Ok(Place::Before(id)),
        _ => {
            let field = Field::new("/position", "ambiguous", "name one of after, before and position");
            Err(ApiError::invalid(vec![field]))
        }
    }
}

/// What did not come along to another workspace.
#[derive(Serialize, ToSchema)]
struct DroppedRights {
    /// What people and groups were granted on the pages.
    grants: u64,
    /// Links that opened them.
    share_links: u64,
    /// Requests to be let at them.
    access_requests: u64,
}

impl From<Dropped> for DroppedRights {
    fn from(dropped: Dropped) -> Self {
        Self {
            grants: dropped.grants,
            share_links: dropped.share_links,
            access_requests: dropped.access_requests,
        }
    }
}

/// A page where it is now.
#[derive(Serialize, ToSchema)]
struct MovedDocument {
    /// The page.
    #[serde(flatten)]
    document: Document,
    /// What became void when it left its workspace; null when it did not.
    dropped: Option<DroppedRights>,
}

/// What a page is to be put under, as far as the caller may.
pub(super) enum Parent {
    Page(Box<DocumentAccess<EditDocument>>),
    Top(Access<CreateDocuments>),
}

impl Parent {
    fn under(&self) -> Under<'_> {
        match self {
            Self::Page(access) => Under::Page(access),
            Self::Top(access) => Under::Top(access),
        }
    }
}

/// Whoever cannot edit what a page hangs under already is told so, not that it is a bad field.
pub(super) fn shut(error: AccessError) -> ApiError {
    match error {
        AccessError::NotFound => AccessError::Forbidden.into(),
        other => other.into(),
    }
}

/// Move a page with what hangs under it.
///
/// Among its siblings, or to where nobody's rights to it become others: takes the edit level on it and on what it goes under.
/// Else it takes to manage it. In another workspace, what was granted on the pages and links that opened them are void; what
/// is in the trash stays behind.
#[utoipa::path(tag = "documents", operation_id = "documents.move", params(("document_id" = uuid::Uuid, Path)), request_body = MoveDocument, responses((status = 200, description = "Where it is now", body = MovedDocument)))]
#[post("/documents/{document_id}/move/")]
async fn move_to(
    state: Data<State>,
    CanDocument(access): CanDocument<EditDocument>,
    body: Json<MoveDocument>,
) -> Result<web::Json<MovedDocument>, ApiError> {
    let body = body.0;
    let place = place((body.after, body.before, body.position))?;
    match body.workspace_id.filter(|id| *id != access.workspace()) {
        Some(home) => across(&state, &access, (home, body.parent_id.flatten()), place).await,
        None => within(&state, access, body.parent_id, place).await,
    }
}

async fn within(
    state: &State,
    access: DocumentAccess<EditDocument>,
    parent: Option<Option<DocumentId>>,
    place: Place,
) -> Result<web::Json<MovedDocument>, ApiError> {
    let (who, home, id) = (access.who(), access.workspace(), access.id());
    let parent = match (parent, parent.unwrap_or(access.document().parent_id)) {
        (_, None) => Parent::Top(state.door().enter(who, home).await?),
        (Some(_), Some(id)) => Parent::Page(Box::new(state.door().open(who, id).await.map_err(|e| bad_parent(&e))?)),
        (None, Some(id)) => Parent::Page(Box::new(state.door().open(who, id).await.map_err(shut)?)),
    };
    let mover = match state.door().open::<ManageDocument>(who, id).await {
        Ok(manages) => Mover::Manages(manages),
        Err(AccessError::Forbidden) => Mover::Edits(access),
        Err(error) => return Err(error.into()),
    };
    let under = parent.under();
    let row = state
        .write(&Both(&mover, Some(&under)), async |tx: &DatabaseTransaction| {
            moving::move_to(tx, &mover, under, place).await
        })
        .await?;
    answer(state, who, (row, None)).await
}

async fn across(
    state: &State,
    access: &DocumentAccess<EditDocument>,
    (home, parent): (WorkspaceId, Option<DocumentId>),
    place: Place,
) -> Result<web::Json<MovedDocument>, ApiError> {
    let who = access.who();
    let manages = state.door().open::<ManageDocument>(who, access.id()).await?;
    let home: Access<CreateDocuments> = state.door().enter(who, home).await.map_err(|e| bad_home(&e))?;
    let under = match parent {
        Some(id) => Some(state.door().open::<EditDocument>(who, id).await.map_err(|e| bad_parent(&e))?),
        None => None,
    };
    let to = Across {
        home: &home,
        under: under.as_ref(),
        place,
    };
    let target = Both(&home, under.as_ref());
    let moved = state
        .write(
            &Both(&manages, Some(&target)),
            async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
                let moved = moving::move_across(tx, &manages, to, &state.settings.quotas).await?;
                // Their words are put in anew, as those of the workspace that they are in now.
                for page in &moved.pages {
                    index::take_out(tx, Kind::Document, page.0).await?;
                }
                Ok(moved)
            },
        )
        .await?;
    answer(state, who, (moved.row, Some(moved.dropped))).await
}

/// A workspace that cannot be used is a bad field of the request, but for one the caller is in and faults of ours.
pub(super) fn bad_home(error: &AccessError) -> ApiError {
    match error {
        AccessError::Db(_) => ApiError::of_status(actix_web::http::StatusCode::SERVICE_UNAVAILABLE),
        AccessError::NotFound => ApiError::invalid(vec![Field::new("/workspace_id", "not_found", "is no workspace of yours")]),
        AccessError::Archived => AccessError::Archived.into(),
        _ => AccessError::Forbidden.into(),
    }
}

async fn answer(
    state: &State,
    who: Who,
    (row, dropped): (entity::document::Model, Option<Dropped>),
) -> Result<web::Json<MovedDocument>, ApiError> {
    let level = access::level(&state.db, who, row.id).await?.map_or(Level::View, |(level, _)| level);
    Ok(web::Json(MovedDocument {
        document: Document::from((row, level)),
        dropped: dropped.map(DroppedRights::from),
    }))
}
