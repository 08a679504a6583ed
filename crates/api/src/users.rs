//! People.

mod avatar;
mod closing;
mod export;
mod me;
mod people;

use kernel::{clock::Time, id::*};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    me::routes(config);
    closing::routes(config);
    export::routes(config);
    avatar::routes(config);
    people::routes(config);
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
    /// An IANA time zone, for times in letters; UTC when null.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
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
            time_zone: row.time_zone,
            created_at: row.created_at,
            abilities,
        }
    }
}
