//! Grants on a page and on a whole workspace.

use crate::{
    extract::{At, Can, CanDocument, Query},
    json::Json,
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
    workspaces::LevelName,
};
use actix_web::{HttpResponse, delete, get, http::header, patch, post, web::Data};
use entity::grant;
use kernel::{clock::Time, error::Field, id::*, role::Level};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    access::{ManageDocument, ManageMembers, fence::Proof},
    grant::{self as grants, Grantee, On},
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(edit).service(delete);
    config
        .service(list_all)
        .service(create_for_all)
        .service(edit_for_all)
        .service(delete_for_all);
}

/// What a person or a group was granted.
#[derive(Serialize, ToSchema)]
struct Grant {
    /// The grant's id.
    #[schema(value_type = uuid::Uuid)]
    id: GrantId,
    /// Its tenant.
    #[schema(value_type = uuid::Uuid)]
    workspace_id: WorkspaceId,
    /// The page; null for the whole workspace.
    #[schema(value_type = Option<uuid::Uuid>)]
    document_id: Option<DocumentId>,
    /// The person; null for a group.
    #[schema(value_type = Option<uuid::Uuid>)]
    user_id: Option<UserId>,
    /// The group; null for a person.
    #[schema(value_type = Option<uuid::Uuid>)]
    group_id: Option<GroupId>,
    /// How much.
    #[schema(value_type = LevelName, inline, example = "edit")]
    level: Level,
    /// Who granted it.
    #[schema(value_type = uuid::Uuid)]
    created_by: UserId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When its level was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
}

impl From<grant::Model> for Grant {
    fn from(row: grant::Model) -> Self {
        Self {
            id: row.id,
            workspace_id: row.workspace_id,
            document_id: row.document_id,
            user_id: row.user_id,
            group_id: row.group_id,
            level: row.level,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A grant to be made: to a person or to a group.
#[derive(Deserialize, ToSchema, Validate)]
struct CreateGrant {
    /// A member or guest of the workspace.
    #[schema(value_type = Option<uuid::Uuid>)]
    user_id: Option<UserId>,
    /// A group of the workspace.
    #[schema(value_type = Option<uuid::Uuid>)]
    group_id: Option<GroupId>,
    /// View, comment, edit or manage.
    #[schema(value_type = LevelName, inline, example = "edit")]
    level: Level,
}

impl CreateGrant {
    fn grantee(&self) -> Result<Grantee, ApiError> {
        match (self.user_id, self.group_id) {
            (Some(user), None) => Ok(Grantee::User(user)),
            (None, Some(group)) => Ok(Grantee::Group(group)),
            _ => {
                let why = "name a user_id or a group_id, not both";
                Err(ApiError::invalid(vec![Field::new("/user_id", "required", why)]))
            }
        }
    }
}

/// Another level.
#[derive(Deserialize, ToSchema, Validate)]
struct EditGrant {
    /// View, comment, edit or manage.
    #[schema(value_type = LevelName, inline, example = "view")]
    level: Level,
}

async fn make(state: &State, proof: &impl Proof, on: On<'_>, body: &CreateGrant) -> Result<HttpResponse, ApiError> {
    let to = body.grantee()?;
    let made = state.write(proof, async |tx: &DatabaseTransaction| grants::create(tx, on, to, body.level).await);
    let row = made.await?;
    let place = match row.document_id {
        Some(document) => format!("/api/v1/documents/{document}/grants/{}/", row.id),
        None => format!("/api/v1/workspaces/{}/grants/{}/", row.workspace_id, row.id),
    };
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, place))
        .json(Grant::from(row)))
}

async fn change(state: &State, proof: &impl Proof, on: On<'_>, (id, level): (GrantId, Level)) -> Result<HttpResponse, ApiError> {
    let changed = state.write(proof, async |tx: &DatabaseTransaction| grants::edit(tx, on, id, level).await);
    Ok(HttpResponse::Ok().json(Grant::from(changed.await?)))
}

async fn take_back(state: &State, proof: &impl Proof, on: On<'_>, id: GrantId) -> Result<HttpResponse, ApiError> {
    let taken = state.write(proof, async |tx: &DatabaseTransaction| grants::delete(tx, on, id).await);
    taken.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List the grants on a page.
///
/// Those on the page itself. Grants on the pages above and on the workspace count too, down to a restricted page: see
/// `access/explain`.
#[utoipa::path(tag = "access", operation_id = "grants.list", params(("document_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Oldest first", body = inline(Listing<Grant>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/documents/{document_id}/grants/")]
async fn list(
    state: Data<State>,
    CanDocument(access): CanDocument<ManageDocument>,
    paging: Query<Paging>,
) -> Result<Listing<Grant>, ApiError> {
    let all = grants::list(&state.db, On::Document(&access)).await?;
    Listing::cut(all.into_iter().map(Grant::from).collect(), &paging.0)
}

/// Grant somebody a level on a page and what hangs under it.
#[utoipa::path(tag = "access", operation_id = "grants.create", params(("document_id" = uuid::Uuid, Path)), request_body = CreateGrant, responses((status = 201, description = "Granted", body = Grant, headers(("Location" = String, description = "Where it is"))), (status = 409, description = "They were granted something here before", body = crate::problem::Problem)))]
#[post("/documents/{document_id}/grants/")]
async fn create(
    state: Data<State>,
    CanDocument(access): CanDocument<ManageDocument>,
    body: Json<CreateGrant>,
) -> Result<HttpResponse, ApiError> {
    make(&state, &access, On::Document(&access), &body.0).await
}

/// Change the level of a grant on a page.
#[utoipa::path(tag = "access", operation_id = "grants.edit", params(("document_id" = uuid::Uuid, Path), ("grant_id" = uuid::Uuid, Path)), request_body = EditGrant, responses((status = 200, description = "As it is now", body = Grant)))]
#[patch("/documents/{document_id}/grants/{grant_id}/")]
async fn edit(
    state: Data<State>,
    CanDocument(access): CanDocument<ManageDocument>,
    At(id): At<GrantId>,
    body: Json<EditGrant>,
) -> Result<HttpResponse, ApiError> {
    change(&state, &access, On::Document(&access), (id, body.0.level)).await
}

/// Take back a grant on a page.
#[utoipa::path(tag = "access", operation_id = "grants.delete", params(("document_id" = uuid::Uuid, Path), ("grant_id" = uuid::Uuid, Path)), responses((status = 204, description = "Gone")))]
#[delete("/documents/{document_id}/grants/{grant_id}/")]
async fn delete(
    state: Data<State>,
    CanDocument(access): CanDocument<ManageDocument>,
    At(id): At<GrantId>,
) -> Result<HttpResponse, ApiError> {
    take_back(&state, &access, On::Document(&access), id).await
}

/// List the grants on a whole workspace.
#[utoipa::path(tag = "access", operation_id = "workspace_grants.list", params(("workspace_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Oldest first", body = inline(Listing<Grant>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/grants/")]
async fn list_all(state: Data<State>, Can(access): Can<ManageMembers>, paging: Query<Paging>) -> Result<Listing<Grant>, ApiError> {
    let all = grants::list(&state.db, On::Workspace(&access)).await?;
    Listing::cut(all.into_iter().map(Grant::from).collect(), &paging.0)
}

/// Grant somebody a level on all pages of a workspace, down to restricted ones.
#[utoipa::path(tag = "access", operation_id = "workspace_grants.create", params(("workspace_id" = uuid::Uuid, Path)), request_body = CreateGrant, responses((status = 201, description = "Granted", body = Grant, headers(("Location" = String, description = "Where it is"))), (status = 409, description = "They were granted something here before", body = crate::problem::Problem)))]
#[post("/workspaces/{workspace_id}/grants/")]
async fn create_for_all(state: Data<State>, Can(access): Can<ManageMembers>, body: Json<CreateGrant>) -> Result<HttpResponse, ApiError> {
    make(&state, &access, On::Workspace(&access), &body.0).await
}

/// Change the level of a grant on a workspace.
#[utoipa::path(tag = "access", operation_id = "workspace_grants.edit", params(("workspace_id" = uuid::Uuid, Path), ("grant_id" = uuid::Uuid, Path)), request_body = EditGrant, responses((status = 200, description = "As it is now", body = Grant)))]
#[patch("/workspaces/{workspace_id}/grants/{grant_id}/")]
async fn edit_for_all(
    state: Data<State>,
    Can(access): Can<ManageMembers>,
    At(id): At<GrantId>,
    body: Json<EditGrant>,
) -> Result<HttpResponse, ApiError> {
    change(&state, &access, On::Workspace(&access), (id, body.0.level)).await
}

/// Take back a grant on a workspace.
#[utoipa::path(tag = "access", operation_id = "workspace_grants.delete", params(("workspace_id" = uuid::Uuid, Path), ("grant_id" = uuid::Uuid, Path)), responses((status = 204, description = "Gone")))]
#[delete("/workspaces/{workspace_id}/grants/{grant_id}/")]
async fn delete_for_all(state: Data<State>, Can(access): Can<ManageMembers>, At(id): At<GrantId>) -> Result<HttpResponse, ApiError> {
    take_back(&state, &access, On::Workspace(&access), id).await
}
