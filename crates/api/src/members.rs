//! Members of a workspace.

use crate::{
    etag::{IfMatch, Tag},
    extract::{At, Can, Query},
    json::Json,
    page::{self, Listing, Paging},
    problem::ApiError,
    state::State,
    workspaces::RoleName,
};
use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, patch, post, web::Data};
use kernel::{clock::Time, id::*, role::Role};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    access::{self, Access, Allows, ManageMembers, ReadMembers, ReadWorkspace},
    member::{self, NewMember, Wanted},
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(add)
        .service(read)
        .service(change_role)
        .service(remove)
        .service(leave);
}

/// A person, as other members see them.
#[derive(Serialize, ToSchema)]
struct Person {
    /// The user's id.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// The address; null for everybody but admins and themselves.
    #[schema(example = "grace@example.com")]
    email: Option<String>,
    /// Their name.
    #[schema(example = "Grace Hopper")]
    display_name: String,
}

/// What the caller may do about a member.
#[derive(Serialize, ToSchema)]
struct MemberAbilities {
    /// Give another role.
    change_role: bool,
    /// Remove.
    remove: bool,
}

/// Somebody who belongs to a workspace.
#[derive(Serialize, ToSchema)]
struct Member {
    /// Who.
    user: Person,
    /// As what.
    #[schema(value_type = RoleName, inline, example = "member")]
    role: Role,
    /// Since when.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    created_at: Time,
    /// What the caller may do about them.
    abilities: MemberAbilities,
}

fn shape<P>(row: entity::member::Model, user: entity::user::Model, access: &Access<P>) -> Member {
    let may = access.role().may_assign(row.role);
    let sees_address = access.role() >= ManageMembers::ROLE || user.id == access.user();
    Member {
        user: Person {
            id: user.id,
            email: sees_address.then_some(user.email),
            display_name: user.display_name,
        },
        role: row.role,
        created_at: row.created_at,
        abilities: MemberAbilities {
            change_role: may,
            remove: may,
        },
    }
}

/// The version of a member as somebody of this role sees it.
fn tag(row: &entity::member::Model, user: &entity::user::Model, caller: Role) -> Tag {
    Tag::of(&[
        user.updated_at.timestamp_micros().to_string(),
        row.role.name().to_owned(),
        caller.name().to_owned(),
    ])
}

/// Insists that the member still is what the client saw of them, if it says what it saw.
async fn unchanged<P>(tx: &DatabaseTransaction, access: &Access<P>, user: UserId, seen: &IfMatch) -> Result<(), ApiError> {
    if !seen.is_given() {
        return Ok(());
    }
    member::hold(tx, access).await?;
    let access = access::enter::<ReadMembers>(tx, access.user(), access.workspace()).await?;
    let (row, account) = member::find(tx, &access, user).await?;
    seen.allows(&tag(&row, &account, access.role()))
}

/// Somebody to be added: an account that exists.
#[derive(Deserialize, ToSchema, Validate)]
struct AddMember {
    /// Its address; or give `user_id`.
    #[schema(example = "grace@example.com")]
    email: Option<String>,
    /// Its id; or give `email`.
    #[schema(value_type = Option<uuid::Uuid>)]
    user_id: Option<UserId>,
    /// As what.
    #[schema(value_type = RoleName, inline, example = "member")]
    role: Role,
}

/// Another role.
#[derive(Deserialize, ToSchema, Validate)]
struct ChangeRole {
    /// What they shall be.
    #[schema(value_type = RoleName, inline, example = "admin")]
    role: Role,
}

/// Which members, and how much of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The beginning of a name, or of a word of it; of an address too, for admins.
    #[param(example = "Gra")]
    q: Option<String>,
    /// How many at most; 50 when left out, 200 at most.
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<u64>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// List a workspace's members.
#[utoipa::path(tag = "workspaces", operation_id = "members.list", params(("workspace_id" = uuid::Uuid, Path), Which), responses((status = 200, description = "Oldest first", body = inline(Listing<Member>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/members/")]
async fn list(state: Data<State>, Can(access): Can<ReadMembers>, which: Query<Which>) -> Result<Listing<Member>, ApiError> {
    let Which { q, limit, cursor } = which.0;
    let paging = Paging { limit, cursor };
    let limit = paging.limit()?;
    let wanted = Wanted {
        word: q,
        after: paging.after()?,
        limit: limit + 1,
    };
    let mut found = member::list(&state.db, &access, &wanted).await?;
    let has_more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = found.last().filter(|_| has_more);
    let next_cursor = last.and_then(|(row, _)| page::cursor(&(row.created_at, row.user_id)));
    let data = found.into_iter().map(|(row, user)| shape(row, user, &access)).collect();
    Ok(Listing { data, next_cursor })
}

/// Add an existing user to a workspace.
#[utoipa::path(tag = "workspaces", operation_id = "members.add", params(("workspace_id" = uuid::Uuid, Path)), request_body = AddMember, responses((status = 201, description = "A member now", body = Member, headers(("Location" = String, description = "Where it is")))))]
#[post("/workspaces/{workspace_id}/members/")]
async fn add(state: Data<State>, Can(access): Can<ManageMembers>, body: Json<AddMember>) -> Result<HttpResponse, ApiError> {
    let AddMember { email, user_id, role } = body.0;
    let new = NewMember {
        user: user_id,
        email,
        role,
    };
    let (row, user) = state
        .write(&access, async |tx: &DatabaseTransaction| {
            member::add(tx, &access, new, &state.settings.quotas).await
        })
        .await?;
    let place = (
        header::LOCATION,
        format!("/api/v1/workspaces/{}/members/{}/", row.workspace_id, row.user_id),
    );
    Ok(HttpResponse::Created().insert_header(place).json(shape(row, user, &access)))
}

/// Read a member.
#[utoipa::path(tag = "workspaces", operation_id = "members.read", params(("workspace_id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path)), responses((status = 200, description = "The member", body = Member, headers(("ETag" = String, description = "Its version")))))]
#[get("/workspaces/{workspace_id}/members/{user_id}/")]
async fn read(
    state: Data<State>,
    Can(access): Can<ReadMembers>,
    At(user): At<UserId>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let (row, user) = member::find(&state.db, &access, user).await?;
    Ok(tag(&row, &user, access.role()).answer(&request, &shape(row, user, &access)))
}

/// Give a member another role.
#[utoipa::path(tag = "workspaces", operation_id = "members.change_role", params(("workspace_id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header, description = "The version you have seen")), request_body = ChangeRole, responses((status = 200, description = "As it is now", body = Member, headers(("ETag" = String, description = "Its version")))))]
#[patch("/workspaces/{workspace_id}/members/{user_id}/")]
async fn change_role(
    state: Data<State>,
    Can(access): Can<ManageMembers>,
    At(user): At<UserId>,
    seen: IfMatch,
    body: Json<ChangeRole>,
) -> Result<HttpResponse, ApiError> {
    let row = state
        .write(&access, async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
            unchanged(tx, &access, user, &seen).await?;
            Ok(member::change_role(tx, &access, user, body.0.role, &state.settings.quotas).await?)
        })
        .await?;
    let account = users::account::find(&state.db, row.user_id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let mut answer = HttpResponse::Ok();
    Ok(answer
        .insert_header(tag(&row, &account, access.role()).header())
        .json(shape(row, account, &access)))
}

/// Remove a member.
#[utoipa::path(tag = "workspaces", operation_id = "members.remove", params(("workspace_id" = uuid::Uuid, Path), ("user_id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header, description = "The version you have seen")), responses((status = 204, description = "No member any more")))]
#[delete("/workspaces/{workspace_id}/members/{user_id}/")]
async fn remove(
    state: Data<State>,
    Can(access): Can<ManageMembers>,
    At(user): At<UserId>,
    seen: IfMatch,
) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
            unchanged(tx, &access, user, &seen).await?;
            Ok(member::remove(tx, &access, user).await?)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Leave a workspace.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.leave", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 204, description = "You are no member any more"), (status = 409, description = "You are the last owner", body = crate::problem::Problem)))]
#[post("/workspaces/{workspace_id}/leave/")]
async fn leave(state: Data<State>, Can(access): Can<ReadWorkspace>) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| member::leave(tx, &access).await)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
