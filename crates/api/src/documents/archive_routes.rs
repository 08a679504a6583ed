//! Archiving pages, and taking them out again.

use super::shape::Document;
use crate::{
    extract::{CanArchived, CanDocument},
    problem::ApiError,
    state::State,
};
use actix_web::{post, web, web::Data};
use documents::archiving;
use sea_orm::DatabaseTransaction;
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::access::{self, EditDocument};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(archive).service(unarchive);
}

/// Archive a page, with what hangs under it.
///
/// From then on they can be read, not changed (`document_archived`), and stand in no list that does not ask for them.
#[utoipa::path(tag = "documents", operation_id = "documents.archive", params(("document_id" = uuid::Uuid, Path)), responses((status = 200, description = "As it is now", body = Document), (status = 409, description = "It is archived, or the workspace is", body = crate::problem::Problem)))]
#[post("/documents/{document_id}/archive/")]
async fn archive(state: Data<State>, CanDocument(access): CanDocument<EditDocument>) -> Result<web::Json<Document>, ApiError> {
    let row = state
        .write(&access, async |tx: &DatabaseTransaction| archiving::archive(tx, &access).await)
        .await?;
    answer(&state, access.who(), row).await
}

/// Take a page out of the archive, with what hangs under it and was archived with it.
///
/// It stays where it is. If what it hangs under is archived, it shows at the top of the tree meanwhile.
#[utoipa::path(tag = "documents", operation_id = "documents.unarchive", params(("document_id" = uuid::Uuid, Path)), responses((status = 200, description = "As it is now", body = Document), (status = 409, description = "The workspace is archived", body = crate::problem::Problem)))]
#[post("/documents/{document_id}/unarchive/")]
async fn unarchive(state: Data<State>, CanArchived(access): CanArchived<EditDocument>) -> Result<web::Json<Document>, ApiError> {
    let row = state
        .write(&access, async |tx: &DatabaseTransaction| archiving::unarchive(tx, &access).await)
        .await?;
    answer(&state, access.who(), row).await
}

/// A page with what the caller may do with it now.
pub(super) async fn answer(state: &State, who: access::Who, row: entity::document::Model) -> Result<web::Json<Document>, ApiError> {
    let level = access::level(&state.db, who, row.id).await?.map(|(level, _)| level);
    Ok(web::Json(Document::from((row, level.unwrap_or(kernel::role::Level::View)))))
}
