//! Other people, as far as the caller may know of them.

use crate::{
    extract::{At, Known},
    problem::ApiError,
    state::State,
    who,
};
use actix_web::{HttpResponse, get, web::Data};
use kernel::{id::*, role::Role};
use serde::Serialize;
use users::{Caller, account, avatar};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::acquaintance;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read);
}

/// Somebody.
#[derive(Serialize, ToSchema)]
struct Profile {
    /// The user's id.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// Their name.
    #[schema(example = "Grace Hopper")]
    display_name: String,
    /// The address; null unless it is yours, or you administer a workspace they are in.
    #[schema(example = "grace@example.com")]
    email: Option<String>,
    /// The time zone they live in, if they say.
    #[schema(example = "America/New_York")]
    time_zone: Option<String>,
    /// The version of their picture at `avatar/`; null when they have none.
    #[schema(example = "9f86d081884c7d65")]
    avatar: Option<String>,
}

/// Whether the caller may know of somebody; `true` when of their address too. Nobody else is told that there is somebody.
pub(super) async fn may_know(state: &State, caller: &Caller, other: UserId) -> Result<bool, ApiError> {
    if caller.user == other {
        return Ok(true);
    }
    let role = acquaintance::highest_role_beside(&state.db, who::of_caller(caller), other).await?;
    if account::is_admin(&state.db, caller.user).await? {
        return Ok(true);
    }
    role.map(|role| role >= Role::Admin).ok_or_else(ApiError::not_found)
}

/// Read the profile of somebody you share a workspace with.
#[utoipa::path(tag = "users", operation_id = "users.read", params(("user_id" = uuid::Uuid, Path)), responses((status = 200, description = "Their profile", body = Profile)))]
#[get("/users/{user_id}/")]
async fn read(state: Data<State>, Known(caller): Known, At(id): At<UserId>) -> Result<HttpResponse, ApiError> {
    let sees_address = may_know(&state, &caller, id).await?;
    let user = account::find(&state.db, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(HttpResponse::Ok().json(Profile {
        id,
        display_name: user.display_name,
        email: sees_address.then_some(user.email),
        time_zone: user.time_zone,
        avatar: avatar::version(&state.db, id).await?,
    }))
}
