//! Tenants.

use crate::{
    extract::{Can, Known},
    json::Json,
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, delete, get, patch, post, web, web::Data};
use backends::db::write;
use kernel::{clock::Time, id::*, role::Role};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    access::{Allows, CreateDocuments, DeleteWorkspace, EditWorkspace, ManageMembers, ReadMembers, ReadWorkspace},
    workspace,
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(read).service(edit).service(trash);
}

/// What the caller may do in a workspace.
#[derive(Serialize, ToSchema)]
pub struct WorkspaceAbilities {
    /// See who belongs to it.
    read_members: bool,
    /// Make pages.
    create_documents: bool,
    /// Rename it.
    edit: bool,
    /// Add, change and remove members.
    manage_members: bool,
    /// Put it in the trash.
    delete: bool,
}

impl From<Role> for WorkspaceAbilities {
    fn from(role: Role) -> Self {
        Self {
            read_members: role >= ReadMembers::ROLE,
            create_documents: role >= CreateDocuments::ROLE,
            edit: role >= EditWorkspace::ROLE,
            manage_members: role >= ManageMembers::ROLE,
            delete: role >= DeleteWorkspace::ROLE,
        }
    }
}

/// A tenant.
#[derive(Serialize, ToSchema)]
struct Workspace {
    /// The workspace's id.
    #[schema(value_type = uuid::Uuid)]
    id: WorkspaceId,
    /// Its name.
    #[schema(example = "Analytical Engines")]
    name: String,
    /// What the caller is in it: owner, admin, member or guest.
    #[schema(value_type = String, example = "owner")]
    role: Role,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    created_at: Time,
    /// When its fields were last changed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    updated_at: Time,
    /// What the caller may do.
    abilities: WorkspaceAbilities,
}

impl From<(entity::workspace::Model, Role)> for Workspace {
    fn from((row, role): (entity::workspace::Model, Role)) -> Self {
        Self { id: row.id, name: row.name, role, created_at: row.created_at, updated_at: row.updated_at, abilities: role.into() }
    }
}

/// A workspace's own fields.
#[derive(Deserialize, ToSchema, Validate)]
struct WorkspaceFields {
    /// 1 to 120 characters.
    #[schema(example = "Analytical Engines")]
    name: String,
}

/// List your workspaces.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.list", params(Paging), responses((status = 200, description = "Yours, oldest first", body = inline(Listing<Workspace>))))]
#[get("/workspaces/")]
async fn list(state: Data<State>, Known(caller): Known, paging: crate::extract::Query<Paging>) -> Result<web::Json<Listing<Workspace>>, ApiError> {
    let all = workspace::list(&state.db, caller.user).await?;
    Listing::cut(all.into_iter().map(Workspace::from).collect(), &paging.0).map(web::Json)
}

/// Make a workspace, and own it.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.create", request_body = WorkspaceFields, responses((status = 201, description = "Made", body = Workspace)))]
#[post("/workspaces/")]
async fn create(state: Data<State>, Known(caller): Known, body: Json<WorkspaceFields>) -> Result<HttpResponse, ApiError> {
    let row = write(&state.db, async |tx: &DatabaseTransaction| workspace::create(tx, caller.user, &body.0.name).await).await?;
    Ok(HttpResponse::Created().json(Workspace::from((row, Role::Owner))))
}

/// Read a workspace.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.read", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 200, description = "The workspace", body = Workspace)))]
#[get("/workspaces/{workspace_id}/")]
async fn read(state: Data<State>, Can(access): Can<ReadWorkspace>) -> Result<web::Json<Workspace>, ApiError> {
    let row = workspace::find(&state.db, &access).await?;
    Ok(web::Json((row, access.role()).into()))
}

/// Rename a workspace.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.edit", params(("workspace_id" = uuid::Uuid, Path)), request_body = WorkspaceFields, responses((status = 200, description = "As it is now", body = Workspace)))]
#[patch("/workspaces/{workspace_id}/")]
async fn edit(state: Data<State>, Can(access): Can<EditWorkspace>, body: Json<WorkspaceFields>) -> Result<web::Json<Workspace>, ApiError> {
    let row = write(&state.db, async |tx: &DatabaseTransaction| workspace::rename(tx, &access, &body.0.name).await).await?;
    Ok(web::Json((row, access.role()).into()))
}

/// Put a workspace in the trash.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.delete", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 204, description = "Gone")))]
#[delete("/workspaces/{workspace_id}/")]
async fn trash(state: Data<State>, Can(access): Can<DeleteWorkspace>) -> Result<HttpResponse, ApiError> {
    write(&state.db, async |tx: &DatabaseTransaction| workspace::trash(tx, &access).await).await?;
    state.rooms.access_changed(access.workspace()).await;
    Ok(HttpResponse::NoContent().finish())
}
