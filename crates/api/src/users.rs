//! People.

use crate::{etag::Tag, extract::Known, problem::ApiError, state::State};
use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use kernel::{clock::Time, id::*};
use serde::Serialize;
use users::account;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(me);
}

/// What somebody may do beside what workspaces and pages let them.
#[derive(Serialize, ToSchema)]
pub struct UserAbilities {
    /// Make workspaces.
    create_workspaces: bool,
}

/// An account, as its owner sees it.
#[derive(Serialize, ToSchema)]
pub struct User {
    /// The user's id.
    #[schema(value_type = uuid::Uuid)]
    pub id: UserId,
    /// The address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// Whether the address was proven to be theirs.
    pub email_verified: bool,
    /// What others see.
    #[schema(example = "Ada Lovelace")]
    pub display_name: String,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    pub created_at: Time,
    /// What the caller may do.
    pub abilities: UserAbilities,
}

impl From<entity::user::Model> for User {
    fn from(row: entity::user::Model) -> Self {
        let abilities = UserAbilities { create_workspaces: true };
        Self {
            id: row.id,
            email: row.email,
            email_verified: row.email_verified_at.is_some(),
            display_name: row.display_name,
            created_at: row.created_at,
            abilities,
        }
    }
}

/// Read your own account.
#[utoipa::path(tag = "users", operation_id = "users.me", responses((status = 200, description = "You", body = User, headers(("ETag" = String, description = "Its version")))))]
#[get("/users/me/")]
async fn me(state: Data<State>, Known(caller): Known, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let user = account::find(&state.db, caller.user).await?.ok_or_else(ApiError::unauthenticated)?;
    let tag = Tag::of(&[user.updated_at.timestamp_micros().to_string()]);
    Ok(tag.answer(&request, &User::from(user)))
}
