//! Keys for programs. What guards the account itself, these keys included, is closed to them.

use crate::{
    extract::{At, Known, NOT_FOR_KEYS, Named, Query},
    fresh::Fresh,
    json::{Json, maybe},
    openapi,
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
};
use ::users::api_key::manage::{self, Wish};
use actix_web::{HttpResponse, delete, get, http::header, patch, post, web::Data};
use kernel::{
    clock::Time,
    error::{Explain, Field, Kind},
    id::*,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::access::{self, ReadWorkspace};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(read).service(edit).service(revoke);
}

impl Named for ApiKeyId {
    const NAME: &'static str = "api_key_id";
}

/// A key, without the key.
#[derive(Serialize, ToSchema)]
struct ApiKey {
    /// The key's id.
    #[schema(value_type = uuid::Uuid)]
    id: ApiKeyId,
    /// What it is for.
    #[schema(example = "Nightly backup")]
    name: String,
    /// Its first characters.
    #[schema(example = "sheaf_5f0c9e")]
    prefix: String,
    /// Its last four.
    #[schema(example = "a1b2")]
    last_four: String,
    /// What it may do, as `resource:verb`: the resource is a tag of this document or `*`, the verb `read`, `write`,
    /// `delete` or `*`.
    #[schema(example = json!(["documents:read"]))]
    scopes: Vec<String>,
    /// The only workspace it opens; all of yours when null.
    #[schema(value_type = Option<uuid::Uuid>)]
    workspace_id: Option<WorkspaceId>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// After this it is refused; never when null.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Time>,
}

impl From<entity::api_key::Model> for ApiKey {
    fn from(row: entity::api_key::Model) -> Self {
        Self {
            id: row.id,
            scopes: manage::scopes_of(&row),
            name: row.name,
            prefix: row.prefix,
            last_four: row.last_four,
            workspace_id: row.workspace_id,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        }
    }
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
struct NewApiKey {
    /// What it is known by from now on.
    #[serde(flatten)]
    key: ApiKey,
    /// The key, for `Authorization: Bearer …`. Shown this once.
    #[schema(example = "sheaf_5f0c…64 hexadecimal digits…a1b2")]
    secret: String,
}

/// A key to be made.
#[derive(Deserialize, ToSchema, Validate)]
struct ApiKeyFields {
    /// What it is for.
    #[schema(example = "Nightly backup")]
    name: String,
    /// What it may do, as `resource:verb`.
    #[schema(example = json!(["documents:read"]))]
    scopes: Vec<String>,
    /// The only workspace it opens; all of yours when left out.
    #[schema(value_type = Option<uuid::Uuid>)]
    workspace_id: Option<WorkspaceId>,
    /// After this it is refused.
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-20T19:22:00Z")]
    expires_at: Option<Time>,
}

/// Changes to a key. What is left out stays.
#[derive(Deserialize, ToSchema, Validate)]
struct ApiKeyChanges {
    /// What it is for.
    #[schema(example = "Nightly backup")]
    name: Option<String>,
    /// What it may do, as `resource:verb`.
    #[schema(example = json!(["documents:read"]))]
    scopes: Option<Vec<String>>,
    /// After this it is refused; null for never.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-20T19:22:00Z")]
    expires_at: Option<Option<Time>>,
}

/// What scopes may name.
fn resources() -> Vec<&'static str> {
    let mut all = openapi::resources();
    all.retain(|name| !NOT_FOR_KEYS.contains(name));
    all
}

/// Insists that the caller belongs to a workspace. What is none of theirs and what is not there are told alike.
async fn belongs(state: &State, user: UserId, workspace: WorkspaceId) -> Result<(), ApiError> {
    match access::enter::<ReadWorkspace>(&state.db, user, workspace).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == Kind::NotFound => Err(ApiError::invalid(vec![Field::new(
            "/workspace_id",
            "unknown",
            "names no workspace of yours",
        )])),
        Err(error) => Err(error.into()),
    }
}

/// List your API keys.
#[utoipa::path(tag = "auth", operation_id = "auth.api_keys", params(Paging), responses((status = 200, description = "Yours, oldest first", body = inline(Listing<ApiKey>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/auth/api-keys/")]
async fn list(state: Data<State>, Known(caller): Known, paging: Query<Paging>) -> Result<Listing<ApiKey>, ApiError> {
    let all = manage::list(&state.db, caller.user).await?;
    Listing::cut(all.into_iter().map(ApiKey::from).collect(), &paging.0)
}

/// Make an API key.
///
/// A request with the key may do what you may, as far as its scopes go, and nothing under `auth` and `admin`. The key is
/// shown this once. Needs a fresh login.
#[utoipa::path(tag = "auth", operation_id = "auth.create_api_key", request_body = ApiKeyFields, responses((status = 201, description = "Made; the key is in it", body = NewApiKey, headers(("Location" = String, description = "Where it is")))))]
#[post("/auth/api-keys/")]
async fn create(state: Data<State>, Fresh(caller): Fresh, body: Json<ApiKeyFields>) -> Result<HttpResponse, ApiError> {
    let ApiKeyFields {
        name,
        scopes,
        workspace_id,
        expires_at,
    } = body.0;
    if let Some(workspace) = workspace_id {
        belongs(&state, caller.user, workspace).await?;
    }
    let wish = Wish {
        name: Some(name),
        scopes: Some(scopes),
        expires_at: Some(expires_at),
    };
    let (row, secret) = manage::create(&state.accounts, &caller, &wish, workspace_id, &resources()).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::LOCATION, format!("/api/v1/auth/api-keys/{}/", row.id)))
        .json(NewApiKey { key: row.into(), secret }))
}

/// Read what is known of an API key.
#[utoipa::path(tag = "auth", operation_id = "auth.api_key", params(("api_key_id" = uuid::Uuid, Path)), responses((status = 200, description = "The key, without the key", body = ApiKey)))]
#[get("/auth/api-keys/{api_key_id}/")]
async fn read(state: Data<State>, Known(caller): Known, At(id): At<ApiKeyId>) -> Result<HttpResponse, ApiError> {
    let row = manage::find(&state.db, caller.user, id).await?;
    Ok(HttpResponse::Ok().json(ApiKey::from(row)))
}

/// Change an API key's name, scopes or expiry. Needs a fresh login.
#[utoipa::path(tag = "auth", operation_id = "auth.edit_api_key", params(("api_key_id" = uuid::Uuid, Path)), request_body = ApiKeyChanges, responses((status = 200, description = "As it is now", body = ApiKey)))]
#[patch("/auth/api-keys/{api_key_id}/")]
async fn edit(state: Data<State>, Fresh(caller): Fresh, At(id): At<ApiKeyId>, body: Json<ApiKeyChanges>) -> Result<HttpResponse, ApiError> {
    let ApiKeyChanges { name, scopes, expires_at } = body.0;
    let wish = Wish { name, scopes, expires_at };
    let row = manage::change(&state.accounts, caller.user, id, &wish, &resources()).await?;
    Ok(HttpResponse::Ok().json(ApiKey::from(row)))
}

/// Revoke an API key. It is refused from now on.
#[utoipa::path(tag = "auth", operation_id = "auth.revoke_api_key", params(("api_key_id" = uuid::Uuid, Path)), responses((status = 204, description = "Revoked")))]
#[delete("/auth/api-keys/{api_key_id}/")]
async fn revoke(state: Data<State>, Known(caller): Known, At(id): At<ApiKeyId>) -> Result<HttpResponse, ApiError> {
    manage::revoke(&state.accounts, caller.user, id).await?;
    Ok(HttpResponse::NoContent().finish())
}
