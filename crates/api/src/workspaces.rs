//! Tenants.

use crate::{
    etag::{IfMatch, Tag},
    extract::{Can, Known, Query},
    fresh::Fresh,
    json::Json,
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
    who,
};
use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, patch, post, web::Data};
use backends::db::write;
use kernel::{clock::Time, id::*, role::Role};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    access::{self, Access, Allows, CreateDocuments, DeleteWorkspace, EditWorkspace, ManageMembers, ReadMembers, ReadWorkspace},
    member, trash, workspace,
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(edit)
        .service(delete_workspace);
}

/// What somebody is in a workspace, each more than the next.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum RoleName {
    /// Everything, and at least one of them in every workspace.
    Owner,
    /// Its name and its members.
    Admin,
    /// Pages.
    Member,
    /// What is shared with them.
    Guest,
}

/// What somebody may do with a page, each more than the one before.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum LevelName {
    /// Not even see that it exists.
    None,
    /// Read.
    View,
    /// Read and comment.
    Comment,
    /// Change its content.
    Edit,
    /// Change who may do what.
    Manage,
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
pub(crate) struct Workspace {
    /// The workspace's id.
    #[schema(value_type = uuid::Uuid)]
    id: WorkspaceId,
    /// Its name.
    #[schema(example = "Analytical Engines")]
    name: String,
    /// What the caller is in it.
    #[schema(value_type = RoleName, inline, example = "owner")]
    role: Role,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    created_at: Time,
    /// When its fields were last changed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    updated_at: Time,
    /// When it was archived: since then it can only be read.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    archived_at: Option<Time>,
    /// When it was put in the trash; it is destroyed 30 days later.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    deleted_at: Option<Time>,
    /// What the caller may do.
    abilities: WorkspaceAbilities,
}

impl From<(entity::workspace::Model, Role)> for Workspace {
    fn from((row, role): (entity::workspace::Model, Role)) -> Self {
        Self {
            id: row.id,
            name: row.name,
            role,
            created_at: row.created_at,
            updated_at: row.updated_at,
            archived_at: row.archived_at,
            deleted_at: row.deleted_at,
            abilities: role.into(),
        }
    }
}

/// A workspace's own fields.
#[derive(Deserialize, ToSchema, Validate)]
struct WorkspaceFields {
    /// 1 to 120 characters.
    #[schema(example = "Analytical Engines")]
    name: String,
}

/// The version of a workspace as somebody of this role sees it.
pub(crate) fn tag(row: &entity::workspace::Model, role: Role) -> Tag {
    Tag::of(&[row.updated_at.timestamp_micros().to_string(), role.name().to_owned()])
}

/// Insists that the workspace still is what the client saw of it, if it says what it saw. It is held then, so that of two
/// who saw the same only one goes on.
async fn unchanged<P>(tx: &DatabaseTransaction, access: &Access<P>, seen: &IfMatch) -> Result<(), ApiError> {
    if !seen.is_given() {
        return Ok(());
    }
    member::hold(tx, access).await?;
    let access = access::enter::<ReadWorkspace>(tx, access.user(), access.workspace()).await?;
    let row = workspace::find(tx, &access).await?;
    seen.allows(&tag(&row, access.role()))
}

/// Which workspaces, and how much of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Those in the trash that you own, and may restore.
    trashed: Option<bool>,
    /// How many at most; 50 when left out, 200 at most.
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<u64>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// List your workspaces.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.list", params(Which), responses((status = 200, description = "Yours, oldest first", body = inline(Listing<Workspace>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/")]
async fn list(state: Data<State>, Known(caller): Known, which: Query<Which>) -> Result<Listing<Workspace>, ApiError> {
    let Which { trashed, limit, cursor } = which.0;
    let who = who::of_caller(&caller);
    let all = if trashed.unwrap_or(false) {
        let owned = trash::list(&state.db, caller.user).await?;
        let owned = owned.into_iter().filter(|row| who.enters(row.id));
        owned.map(|row| (row, Role::Owner)).collect()
    } else {
        workspace::list(&state.db, who).await?
    };
    Listing::cut(all.into_iter().map(Workspace::from).collect(), &Paging { limit, cursor })
}

/// Make a workspace, and own it.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.create", request_body = WorkspaceFields, responses((status = 201, description = "Made", body = Workspace, headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Where it is")))))]
#[post("/workspaces/")]
async fn create(state: Data<State>, Known(caller): Known, body: Json<WorkspaceFields>) -> Result<HttpResponse, ApiError> {
    let row = write(&state.db, async |tx: &DatabaseTransaction| {
        workspace::create(tx, caller.user, &body.0.name).await
    })
    .await?;
    let place = (header::LOCATION, format!("/api/v1/workspaces/{}/", row.id));
    let mut answer = HttpResponse::Created();
    Ok(answer
        .insert_header(tag(&row, Role::Owner).header())
        .insert_header(place)
        .json(Workspace::from((row, Role::Owner))))
}

/// Read a workspace.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.read", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 200, description = "The workspace", body = Workspace, headers(("ETag" = String, description = "Its version")))))]
#[get("/workspaces/{workspace_id}/")]
async fn read(state: Data<State>, Can(access): Can<ReadWorkspace>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let row = workspace::find(&state.db, &access).await?;
    Ok(tag(&row, access.role()).answer(&request, &Workspace::from((row, access.role()))))
}

/// Rename a workspace.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.edit", params(("workspace_id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header, description = "The version you have seen")), request_body = WorkspaceFields, responses((status = 200, description = "As it is now", body = Workspace, headers(("ETag" = String, description = "Its version")))))]
#[patch("/workspaces/{workspace_id}/")]
async fn edit(
    state: Data<State>,
    Can(access): Can<EditWorkspace>,
    seen: IfMatch,
    body: Json<WorkspaceFields>,
) -> Result<HttpResponse, ApiError> {
    let row = state
        .write(&access, async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
            unchanged(tx, &access, &seen).await?;
            Ok(workspace::rename(tx, &access, &body.0.name).await?)
        })
        .await?;
    let mut answer = HttpResponse::Ok();
    Ok(answer
        .insert_header(tag(&row, access.role()).header())
        .json(Workspace::from((row, access.role()))))
}

/// Put a workspace in the trash.
///
/// Its owners may restore it for 30 days. Needs a fresh login.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.delete", params(("workspace_id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header, description = "The version you have seen")), responses((status = 204, description = "Gone")))]
#[delete("/workspaces/{workspace_id}/")]
async fn delete_workspace(
    state: Data<State>,
    Can(access): Can<DeleteWorkspace>,
    Fresh(_caller): Fresh,
    seen: IfMatch,
) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
            unchanged(tx, &access, &seen).await?;
            Ok(workspace::trash(tx, &access).await?)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
