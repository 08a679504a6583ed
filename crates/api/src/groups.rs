//! Groups of members.

use crate::{
    extract::{At, Can, Named, Query},
    invitations::Name,
    json::Json,
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, delete, get, http::header, patch, post, put, web::Data};
use entity::group::Model;
use kernel::{clock::Time, id::*};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    access::{ManageMembers, ReadMembers},
    group,
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(edit)
        .service(delete_group)
        .service(add_member)
        .service(remove_member);
}

impl Named for GroupId {
    const NAME: &'static str = "group_id";
}

/// A group of members.
#[derive(Serialize, ToSchema)]
struct Group {
    /// The group's id.
    #[schema(value_type = uuid::Uuid)]
    id: GroupId,
    /// Its name.
    #[schema(example = "Engineers")]
    name: String,
    /// How many belong to it.
    #[schema(example = 4)]
    member_count: u64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    created_at: Time,
    /// When it was last renamed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    updated_at: Time,
}

fn shape(row: Model, member_count: u64) -> Group {
    Group {
        id: row.id,
        name: row.name,
        member_count,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// A group and who belongs to it.
#[derive(Serialize, ToSchema)]
struct GroupWithMembers {
    /// The group.
    #[serde(flatten)]
    group: Group,
    /// Who belongs to it, by name.
    members: Vec<Name>,
}

/// A group's own fields.
#[derive(Deserialize, ToSchema, Validate)]
struct GroupFields {
    /// 1 to 80 characters, another than that of every other group.
    #[schema(example = "Engineers")]
    name: String,
}

/// List the groups of a workspace.
#[utoipa::path(tag = "workspaces", operation_id = "groups.list", params(("workspace_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "By name", body = inline(Listing<Group>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/groups/")]
async fn list(state: Data<State>, Can(access): Can<ReadMembers>, paging: Query<Paging>) -> Result<Listing<Group>, ApiError> {
    let all = group::list(&state.db, &access).await?;
    Listing::cut(all.into_iter().map(|(row, count)| shape(row, count)).collect(), &paging.0)
}

/// Make a group.
#[utoipa::path(tag = "workspaces", operation_id = "groups.create", params(("workspace_id" = uuid::Uuid, Path)), request_body = GroupFields, responses((status = 201, description = "Made", body = Group, headers(("Location" = String, description = "Where it is")))))]
#[post("/workspaces/{workspace_id}/groups/")]
async fn create(state: Data<State>, Can(access): Can<ManageMembers>, body: Json<GroupFields>) -> Result<HttpResponse, ApiError> {
    let row = state
        .write(&access, async |tx: &DatabaseTransaction| {
            group::create(tx, &access, &body.0.name).await
        })
        .await?;
    let place = format!("/api/v1/workspaces/{}/groups/{}/", row.workspace_id, row.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).json(shape(row, 0)))
}

/// Read a group and who belongs to it.
#[utoipa::path(tag = "workspaces", operation_id = "groups.read", params(("workspace_id" = uuid::Uuid, Path), ("group_id" = uuid::Uuid, Path)), responses((status = 200, description = "The group", body = GroupWithMembers)))]
#[get("/workspaces/{workspace_id}/groups/{group_id}/")]
async fn read(state: Data<State>, Can(access): Can<ReadMembers>, At(id): At<GroupId>) -> Result<HttpResponse, ApiError> {
    let (row, people) = group::find(&state.db, &access, id).await?;
    let name = |user: entity::user::Model| Name {
        id: user.id,
        display_name: user.display_name,
    };
    let members: Vec<Name> = people.into_iter().map(name).collect();
    let group = shape(row, members.len() as u64);
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(GroupWithMembers { group, members }))
}

/// Rename a group.
#[utoipa::path(tag = "workspaces", operation_id = "groups.edit", params(("workspace_id" = uuid::Uuid, Path), ("group_id" = uuid::Uuid, Path)), request_body = GroupFields, responses((status = 200, description = "As it is now", body = Group)))]
#[patch("/workspaces/{workspace_id}/groups/{group_id}/")]
async fn edit(
    state: Data<State>,
    Can(access): Can<ManageMembers>,
    Can(reading): Can<ReadMembers>,
    At(id): At<GroupId>,
    body: Json<GroupFields>,
) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| {
            group::rename(tx, &access, id, &body.0.name).await
        })
        .await?;
    let (row, people) = group::find(&state.db, &reading, id).await?;
    Ok(HttpResponse::Ok().json(shape(row, people.len() as u64)))
}

/// Remove a group, with what it was granted.
#[utoipa::path(tag = "workspaces", operation_id = "groups.delete", params(("workspace_id" = uuid::Uuid, Path), ("group_id" = uuid::Uuid, Path)), responses((status = 204, description = "Gone"), (status = 409, description = "The workspace is archived", body = crate::problem::Problem)))]
#[delete("/workspaces/{workspace_id}/groups/{group_id}/")]
async fn delete_group(state: Data<State>, Can(access): Can<ManageMembers>, At(id): At<GroupId>) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| group::delete(tx, &access, id).await)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take a member into a group.
#[utoipa::path(tag = "workspaces", operation_id = "groups.add_member", params(("workspace_id" = uuid::Uuid, Path), ("group_id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)), responses((status = 204, description = "In it now, or before"), (status = 409, description = "The workspace is archived, or the group is full", body = crate::problem::Problem)))]
#[put("/workspaces/{workspace_id}/groups/{group_id}/members/{user_id}/")]
async fn add_member(
    state: Data<State>,
    Can(access): Can<ManageMembers>,
    At(id): At<GroupId>,
    At(user): At<UserId>,
) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| {
            group::add_member(tx, &access, id, user).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take somebody out of a group.
#[utoipa::path(tag = "workspaces", operation_id = "groups.remove_member", params(("workspace_id" = uuid::Uuid, Path), ("group_id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)), responses((status = 204, description = "Not in it any more, or never"), (status = 409, description = "The workspace is archived", body = crate::problem::Problem)))]
#[delete("/workspaces/{workspace_id}/groups/{group_id}/members/{user_id}/")]
async fn remove_member(
    state: Data<State>,
    Can(access): Can<ManageMembers>,
    At(id): At<GroupId>,
    At(user): At<UserId>,
) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| {
            group::remove_member(tx, &access, id, user).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
