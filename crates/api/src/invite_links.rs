//! Links that let people join a workspace.

use crate::{
    extract::{At, Can, Named, Query},
    json::Json,
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
    workspaces::RoleName,
};
use actix_web::{HttpResponse, delete, get, post, web::Data};
use entity::invite_link::Model;
use kernel::{clock::Time, id::*, role::Role, secret::Mint};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    access::ManageMembers,
    invite_link::{self, NewLink},
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(revoke);
}

impl Named for InviteLinkId {
    const NAME: &'static str = "invite_link_id";
}

/// A link that lets people join.
#[derive(Serialize, ToSchema)]
struct InviteLink {
    /// The link's id.
    #[schema(value_type = uuid::Uuid)]
    id: InviteLinkId,
    /// What `POST /invitations/accept/` takes; null when the key it was made with is gone.
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    token: Option<String>,
    /// Where people open it, from the product's root.
    #[schema(example = "/open/#invitation=5f0c…a1")]
    path: Option<String>,
    /// As what they join.
    #[schema(value_type = RoleName, inline, example = "member")]
    role: Role,
    /// Only for verified addresses of this domain.
    #[schema(example = "example.com")]
    email_domain: Option<String>,
    /// How many may join.
    #[schema(example = 20)]
    max_uses: Option<i32>,
    /// How many did.
    #[schema(example = 3)]
    uses: i32,
    /// After this it is refused.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-12-20T19:22:00Z")]
    expires_at: Option<Time>,
    /// Who made it.
    #[schema(value_type = uuid::Uuid)]
    created_by: UserId,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    created_at: Time,
}

fn shape(mint: &Mint, row: Model) -> InviteLink {
    let token = invite_link::token(mint, &row);
    InviteLink {
        id: row.id,
        path: token.as_ref().map(|token| format!("/open/#invitation={token}")),
        token,
        role: row.role,
        email_domain: row.email_domain,
        max_uses: row.max_uses,
        uses: row.uses,
        expires_at: row.expires_at,
        created_by: row.created_by,
        created_at: row.created_at,
    }
}

/// A link to be made.
#[derive(Deserialize, ToSchema, Validate)]
struct NewInviteLink {
    /// As what: `guest` or `member`, which it is when left out.
    #[schema(value_type = Option<RoleName>, inline, example = "member")]
    role: Option<Role>,
    /// Only for verified addresses of this domain.
    #[schema(example = "example.com")]
    email_domain: Option<String>,
    /// How many may join; any number when left out.
    #[schema(example = 20)]
    max_uses: Option<i32>,
    /// Until when; until it is switched off when left out.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-12-20T19:22:00Z")]
    expires_at: Option<Time>,
}

/// List the links that let people join.
#[utoipa::path(tag = "workspaces", operation_id = "invite_links.list", params(("workspace_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Newest first", body = inline(Listing<InviteLink>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/invite-links/")]
async fn list(state: Data<State>, Can(access): Can<ManageMembers>, paging: Query<Paging>) -> Result<Listing<InviteLink>, ApiError> {
    let all = invite_link::list(&state.db, &access).await?;
    Listing::cut(all.into_iter().map(|row| shape(&state.mint, row)).collect(), &paging.0)
}

/// Make a link that lets people join.
#[utoipa::path(tag = "workspaces", operation_id = "invite_links.create", params(("workspace_id" = uuid::Uuid, Path)), request_body = NewInviteLink, responses((status = 201, description = "Made", body = InviteLink)))]
#[post("/workspaces/{workspace_id}/invite-links/")]
async fn create(state: Data<State>, Can(access): Can<ManageMembers>, body: Json<NewInviteLink>) -> Result<HttpResponse, ApiError> {
    let new = NewLink {
        role: body.0.role.unwrap_or(Role::Member),
        email_domain: body.0.email_domain,
        max_uses: body.0.max_uses,
        expires_at: body.0.expires_at,
    };
    let row = state
        .write(&access, async |tx: &DatabaseTransaction| {
            invite_link::create(tx, &access, &state.mint, new).await
        })
        .await?;
    Ok(HttpResponse::Created().json(shape(&state.mint, row)))
}

/// Switch a link off.
///
/// Those who joined with it stay.
#[utoipa::path(tag = "workspaces", operation_id = "invite_links.revoke", params(("workspace_id" = uuid::Uuid, Path), ("invite_link_id" = uuid::Uuid, Path)), responses((status = 204, description = "It lets nobody in any more")))]
#[delete("/workspaces/{workspace_id}/invite-links/{invite_link_id}/")]
async fn revoke(state: Data<State>, Can(access): Can<ManageMembers>, At(id): At<InviteLinkId>) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| invite_link::revoke(tx, &access, id).await)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
