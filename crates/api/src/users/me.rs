//! The caller's own profile.

use super::User;
use crate::{
    etag::{IfMatch, Tag},
    extract::Known,
    json::{Json, maybe},
    problem::ApiError,
    state::State,
};
use actix_web::{HttpRequest, HttpResponse, get, patch, web::Data};
use kernel::{clock::Time, id::UserId};
use sea_orm::DatabaseConnection;
use serde::{Deserialize, Serialize};
use users::{
    account, avatar, deletion,
    profile::{self, Changes},
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read).service(change);
}

/// You.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    #[serde(flatten)]
    user: User,
    /// The version of your picture at `avatar/`; null when you have none.
    #[schema(example = "9f86d081884c7d65")]
    avatar: Option<String>,
    /// When the account is erased, if you have closed it.
    #[schema(value_type = Option<String>, format = DateTime)]
    erased_at: Option<Time>,
}

/// Changes to your profile. What is left out stays.
#[derive(Deserialize, ToSchema, Validate)]
struct ProfileChanges {
    /// What others see.
    #[schema(example = "Ada King")]
    display_name: Option<String>,
    /// An IANA time zone, for times in letters; null for UTC.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    time_zone: Option<Option<String>>,
}

/// The caller with everything about them, and its version.
pub(super) async fn describe(db: &DatabaseConnection, id: UserId) -> Result<(Me, Tag), ApiError> {
    let user = account::find(db, id).await?.ok_or_else(ApiError::unauthenticated)?;
    let avatar = avatar::version(db, id).await?;
    let erased_at = deletion::pending(db, id).await?.map(|row| row.due_at);
    let tag = Tag::of(&[
        user.updated_at.timestamp_micros().to_string(),
        avatar.clone().unwrap_or_default(),
        erased_at.map(|at| at.timestamp().to_string()).unwrap_or_default(),
    ]);
    let me = Me {
        user: user.into(),
        avatar,
        erased_at,
    };
    Ok((me, tag))
}

/// Read your own account.
#[utoipa::path(tag = "users", operation_id = "users.me", responses((status = 200, description = "You", body = Me, headers(("ETag" = String, description = "Its version")))))]
#[get("/users/me/")]
async fn read(state: Data<State>, Known(caller): Known, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let (me, tag) = describe(&state.db, caller.user).await?;
    Ok(tag.answer(&request, &me))
}

/// Change your profile.
#[utoipa::path(tag = "users", operation_id = "users.change_me", params(("If-Match" = Option<String>, Header, description = "Only if it still is of this version")), request_body = ProfileChanges, responses((status = 200, description = "As it is now", body = Me, headers(("ETag" = String, description = "Its version")))))]
#[patch("/users/me/")]
async fn change(state: Data<State>, Known(caller): Known, expected: IfMatch, body: Json<ProfileChanges>) -> Result<HttpResponse, ApiError> {
    if expected.is_given() {
        expected.allows(&describe(&state.db, caller.user).await?.1)?;
    }
    let ProfileChanges { display_name, time_zone } = body.0;
    profile::change(&state.accounts, caller.user, Changes { display_name, time_zone }).await?;
    let (me, tag) = describe(&state.db, caller.user).await?;
    Ok(HttpResponse::Ok().insert_header(tag.header()).json(me))
}
