//! Why somebody may do what they may.

use crate::{
    extract::{Can, CanDocument, Query},
    problem::ApiError,
    state::State,
    workspaces::LevelName,
};
use actix_web::{HttpResponse, get, http::header, web::Data};
use kernel::{
    id::*,
    role::{Level, Role},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::{
    access::{AccessError, Allows, Grants, ManageDocument, ManageMembers, ReadWorkspace, ViewDocument},
    explain::{self, Explanation, Reason},
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(on_document).service(in_workspace);
}

/// Whom it is about.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct About {
    /// Somebody of the workspace; you when left out. Others take the right to manage.
    #[param(value_type = Option<uuid::Uuid>)]
    user: Option<UserId>,
}

/// One thing that gives somebody a level.
#[derive(Serialize, ToSchema)]
struct AccessReason {
    /// `role`, `workspace_default`, `document_default`, `manages_above`, `grant` or `group_grant`.
    #[schema(example = "grant")]
    source: &'static str,
    /// How much it gives.
    #[schema(value_type = LevelName, inline, example = "edit")]
    level: Level,
    /// The page that says so; null when it is none, or one that you may not see.
    #[schema(value_type = Option<uuid::Uuid>)]
    document_id: Option<DocumentId>,
    /// The grant.
    #[schema(value_type = Option<uuid::Uuid>)]
    grant_id: Option<GrantId>,
    /// The group that was granted.
    #[schema(value_type = Option<uuid::Uuid>)]
    group_id: Option<GroupId>,
}

impl From<Reason> for AccessReason {
    fn from(reason: Reason) -> Self {
        Self {
            source: reason.source.name(),
            level: reason.level,
            document_id: reason.document,
            grant_id: reason.grant,
            group_id: reason.group,
        }
    }
}

/// What somebody may do, and why.
#[derive(Serialize, ToSchema)]
struct AccessExplanation {
    /// Whom it is about.
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
    /// guest, member, admin or owner; null for nobody of this workspace.
    #[schema(value_type = Option<String>, example = "member")]
    role: Option<Role>,
    /// What they may do; for a workspace, with pages that say nothing themselves.
    #[schema(value_type = LevelName, inline, example = "edit")]
    level: Level,
    /// Everything that gives them something here, nearest first; the highest counts.
    reasons: Vec<AccessReason>,
    /// The nearest page above which nothing counts.
    #[schema(value_type = Option<uuid::Uuid>)]
    restricted_at: Option<DocumentId>,
    /// Whether the workspace or the page is archived, so that nobody may do more than view.
    is_archived: bool,
}

fn answer(found: Explanation) -> HttpResponse {
    let shape = AccessExplanation {
        user_id: found.user,
        role: found.role,
        level: found.level,
        reasons: found.reasons.into_iter().map(AccessReason::from).collect(),
        restricted_at: found.restricted_at,
        is_archived: found.is_archived,
    };
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(shape)
}

/// Explain what somebody may do with a page, and which role, rule or grant gives it.
#[utoipa::path(tag = "access", operation_id = "access.explain", params(("document_id" = uuid::Uuid, Path), About), responses((status = 200, description = "What they may do, and why", body = AccessExplanation)))]
#[get("/documents/{document_id}/access/explain/")]
async fn on_document(
    state: Data<State>,
    CanDocument(access): CanDocument<ViewDocument>,
    about: Query<About>,
) -> Result<HttpResponse, ApiError> {
    let user = about.0.user.unwrap_or(access.user());
    if user != access.user() {
        if access.level() < ManageDocument::LEVEL {
            return Err(AccessError::Forbidden.into());
        }
        explain::check_member(&state.db, access.workspace(), user).await?;
    }
    Ok(answer(explain::on_document(&state.db, &access, user).await?))
}

/// Explain what somebody may do in a workspace with pages that say nothing themselves.
#[utoipa::path(tag = "access", operation_id = "workspace_access.explain", params(("workspace_id" = uuid::Uuid, Path), About), responses((status = 200, description = "What they may do, and why", body = AccessExplanation)))]
#[get("/workspaces/{workspace_id}/access/explain/")]
async fn in_workspace(state: Data<State>, Can(access): Can<ReadWorkspace>, about: Query<About>) -> Result<HttpResponse, ApiError> {
    let user = about.0.user.unwrap_or(access.user());
    if user != access.user() {
        if access.role() < ManageMembers::ROLE {
            return Err(AccessError::Forbidden.into());
        }
        explain::check_member(&state.db, access.workspace(), user).await?;
    }
    Ok(answer(explain::in_workspace(&state.db, &access, user).await?))
}
