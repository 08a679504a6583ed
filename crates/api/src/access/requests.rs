//! Requests to be let at a page, and what those who manage it say.

use super::of_document::CanOf;
use crate::{
    extract::{Can, CanDocument, Known, Query},
    json::Json,
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
    who,
    workspaces::LevelName,
};
use actix_web::{HttpRequest, HttpResponse, get, post, web::Data};
use entity::access_request;
use kernel::{clock::Time, id::*, role::Level};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    access::{ManageDocument, ManageMembers},
    access_request::{self as requests, Wish},
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(list_waiting)
        .service(approve)
        .service(deny);
}

/// Somebody who asks to be let at a page, or to do more with it.
#[derive(Serialize, ToSchema)]
struct AccessRequest {
    /// The request's id.
    #[schema(value_type = uuid::Uuid)]
    id: AccessRequestId,
    /// Its tenant.
    #[schema(value_type = uuid::Uuid)]
    workspace_id: WorkspaceId,
    /// The page.
    #[schema(value_type = uuid::Uuid)]
    document_id: DocumentId,
    /// Who asks.
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
    /// What for.
    #[schema(value_type = LevelName, inline, example = "edit")]
    level: Level,
    /// What they say.
    message: Option<String>,
    /// `pending`, `approved` or `denied`.
    #[schema(example = "pending")]
    status: String,
    /// Who decided.
    #[schema(value_type = Option<uuid::Uuid>)]
    decided_by: Option<UserId>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Time>,
    /// When it was asked.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
}

impl From<access_request::Model> for AccessRequest {
    fn from(row: access_request::Model) -> Self {
        Self {
            id: row.id,
            workspace_id: row.workspace_id,
            document_id: row.document_id,
            user_id: row.user_id,
            level: row.level,
            message: row.message,
            status: row.status,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            created_at: row.created_at,
        }
    }
}

/// What is asked for.
#[derive(Deserialize, ToSchema, Validate)]
struct CreateAccessRequest {
    /// View, comment, edit or manage; view when left out.
    #[serde(default = "view")]
    #[schema(value_type = LevelName, inline, example = "edit")]
    level: Level,
    /// At most 1 000 characters.
    #[schema(example = "I am to proof-read this.")]
    message: Option<String>,
}

fn view() -> Level {
    Level::View
}

/// What is granted.
#[derive(Default, Deserialize, ToSchema, Validate)]
struct Approve {
    /// Another level than was asked for.
    #[schema(value_type = Option<LevelName>, example = "view")]
    level: Option<Level>,
}

/// List the requests for a page, newest first.
#[utoipa::path(tag = "access", operation_id = "access_requests.list", params(("document_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Newest first", body = inline(Listing<AccessRequest>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/documents/{document_id}/access-requests/")]
async fn list(
    state: Data<State>,
    CanDocument(access): CanDocument<ManageDocument>,
    paging: Query<Paging>,
) -> Result<Listing<AccessRequest>, ApiError> {
    let all = requests::list(&state.db, &access).await?;
    Listing::cut(all.into_iter().map(AccessRequest::from).collect(), &paging.0)
}

/// List the requests for all pages of a workspace that wait for an answer, oldest first.
#[utoipa::path(tag = "access", operation_id = "workspace_access_requests.list", params(("workspace_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Oldest first", body = inline(Listing<AccessRequest>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/access-requests/")]
async fn list_waiting(
    state: Data<State>,
    Can(access): Can<ManageMembers>,
    paging: Query<Paging>,
) -> Result<Listing<AccessRequest>, ApiError> {
    let all = requests::list_waiting(&state.db, &access).await?;
    Listing::cut(all.into_iter().map(AccessRequest::from).collect(), &paging.0)
}

/// Ask to be let at a page, or to do more with it.
///
/// Whoever may not see a page is not told whether there is one: the answer is the same for any id. The request reaches
/// those who manage the page when the caller is a member or guest of its workspace. Asking again changes what is asked for.
#[utoipa::path(tag = "access", operation_id = "access_requests.create", params(("document_id" = uuid::Uuid, Path)), request_body = CreateAccessRequest, responses((status = 202, description = "Asked, if there is such a page"), (status = 409, description = "You may do this already", body = crate::problem::Problem)))]
#[post("/documents/{document_id}/access-requests/")]
async fn create(
    state: Data<State>,
    Known(caller): Known,
    request: HttpRequest,
    body: Json<CreateAccessRequest>,
) -> Result<HttpResponse, ApiError> {
    let id: DocumentId = crate::extract::id(&request, "document_id")?;
    let wish = Wish {
        level: body.0.level,
        message: body.0.message,
    };
    let who = who::of_caller(&caller);
    let asked = backends::db::write(&state.db, async |tx: &DatabaseTransaction| {
        requests::create(tx, who, id, wish).await
    });
    asked.await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Grant what somebody asks for.
#[utoipa::path(tag = "access", operation_id = "access_requests.approve", params(("access_request_id" = uuid::Uuid, Path)), request_body = Approve, responses((status = 200, description = "As it is now", body = AccessRequest), (status = 409, description = "It was decided already", body = crate::problem::Problem)))]
#[post("/access-requests/{access_request_id}/approve/")]
async fn approve(
    state: Data<State>,
    CanOf(access, id): CanOf<AccessRequestId, ManageDocument>,
    body: Json<Approve>,
) -> Result<HttpResponse, ApiError> {
    let level = body.0.level;
    let decided = state.write(&access, async |tx: &DatabaseTransaction| {
        requests::approve(tx, &access, id, level).await
    });
    Ok(HttpResponse::Ok().json(AccessRequest::from(decided.await?)))
}

/// Say no to what somebody asks for.
#[utoipa::path(tag = "access", operation_id = "access_requests.deny", params(("access_request_id" = uuid::Uuid, Path)), responses((status = 200, description = "As it is now", body = AccessRequest), (status = 409, description = "It was decided already", body = crate::problem::Problem)))]
#[post("/access-requests/{access_request_id}/deny/")]
async fn deny(state: Data<State>, CanOf(access, id): CanOf<AccessRequestId, ManageDocument>) -> Result<HttpResponse, ApiError> {
    let decided = state.write(&access, async |tx: &DatabaseTransaction| requests::deny(tx, &access, id).await);
    Ok(HttpResponse::Ok().json(AccessRequest::from(decided.await?)))
}
