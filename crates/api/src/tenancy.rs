//! What a workspace goes through as a whole: archived, restored, handed on; its settings, how much it has, and who can be
//! mentioned in it.

use crate::{
    etag::{IfMatch, Tag},
    extract::{Can, Known, Query, id},
    fresh::Fresh,
    invitations::Name,
    json::{Json, maybe},
    problem::ApiError,
    state::State,
    who,
    workspaces::{LevelName, Workspace, tag},
};
use actix_web::{HttpRequest, HttpResponse, get, http::header, patch, post, web::Data};
use kernel::{
    error::Field,
    id::*,
    role::{Level, Role},
};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    access::{Access, DeleteWorkspace, EditWorkspace, ReadWorkspace},
    member, people, settings, transfer, trash, usage, workspace,
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(restore)
        .service(archive)
        .service(unarchive)
        .service(transfer_ownership)
        .service(read_settings)
        .service(edit_settings)
        .service(read_usage)
        .service(mentionables);
}

fn whole(row: entity::workspace::Model, role: Role) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(tag(&row, role).header())
        .json(Workspace::from((row, role)))
}

/// Take a workspace out of the trash.
///
/// Its owners may, for 30 days. For everybody else there is nothing.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.restore", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 200, description = "As it is now", body = Workspace, headers(("ETag" = String, description = "Its version")))))]
#[post("/workspaces/{workspace_id}/restore/")]
async fn restore(state: Data<State>, Known(caller): Known, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let place: WorkspaceId = id(&request, "workspace_id")?;
    if !who::of_caller(&caller).enters(place) {
        return Err(ApiError::not_found());
    }
    let row = backends::db::write(&state.db, async |tx: &DatabaseTransaction| {
        trash::restore(tx, caller.user, place).await
    })
    .await?;
    Ok(whole(row, Role::Owner))
}

async fn set_archived(state: &State, access: &Access<DeleteWorkspace>, is_archived: bool) -> Result<HttpResponse, ApiError> {
    let row = state
        .write(access, async |tx: &DatabaseTransaction| {
            workspace::archive(tx, access, is_archived).await
        })
        .await?;
    Ok(whole(row, access.role()))
}

/// Archive a workspace: from then on it can only be read.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.archive", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 200, description = "As it is now", body = Workspace, headers(("ETag" = String, description = "Its version")))))]
#[post("/workspaces/{workspace_id}/archive/")]
async fn archive(state: Data<State>, Can(access): Can<DeleteWorkspace>) -> Result<HttpResponse, ApiError> {
    set_archived(&state, &access, true).await
}

/// Take a workspace out of the archive.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.unarchive", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 200, description = "As it is now", body = Workspace, headers(("ETag" = String, description = "Its version")))))]
#[post("/workspaces/{workspace_id}/unarchive/")]
async fn unarchive(state: Data<State>, Can(access): Can<DeleteWorkspace>) -> Result<HttpResponse, ApiError> {
    set_archived(&state, &access, false).await
}

/// Who shall own a workspace.
#[derive(Deserialize, ToSchema, Validate)]
struct TransferOwnership {
    /// A member.
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
}

/// Hand a workspace on to a member.
///
/// They own it from then on, and you are an admin. Needs a fresh login.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.transfer", params(("workspace_id" = uuid::Uuid, Path)), request_body = TransferOwnership, responses((status = 204, description = "Handed on")))]
#[post("/workspaces/{workspace_id}/transfer-ownership/")]
async fn transfer_ownership(
    state: Data<State>,
    Can(access): Can<DeleteWorkspace>,
    Fresh(_caller): Fresh,
    body: Json<TransferOwnership>,
) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| {
            transfer::transfer(tx, &access, body.0.user_id).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What a workspace decides for all of its pages and members.
#[derive(Serialize, ToSchema)]
struct WorkspaceSettings {
    /// What members may do with pages that say nothing themselves.
    #[schema(value_type = LevelName, inline, example = "edit")]
    default_level: Level,
    /// Whether pages may be shared by link.
    share_links: bool,
    /// Whether members, and not only admins, may invite.
    member_invites: bool,
    /// After how many days without a change pages are archived; null for never.
    #[schema(example = 365)]
    archive_after_days: Option<i32>,
}

impl From<entity::workspace_settings::Model> for WorkspaceSettings {
    fn from(row: entity::workspace_settings::Model) -> Self {
        Self {
            default_level: row.default_level,
            share_links: row.share_links,
            member_invites: row.member_invites,
            archive_after_days: row.archive_after_days,
        }
    }
}

fn settings_tag(row: &entity::workspace_settings::Model) -> Tag {
    Tag::of(&[row.updated_at.timestamp_micros().to_string()])
}

/// What of the settings is to be changed.
#[derive(Deserialize, ToSchema, Validate)]
struct EditSettings {
    /// What members may do with pages that say nothing themselves.
    #[schema(value_type = Option<LevelName>, inline, example = "edit")]
    default_level: Option<Level>,
    /// Whether pages may be shared by link.
    share_links: Option<bool>,
    /// Whether members, and not only admins, may invite.
    member_invites: Option<bool>,
    /// After how many days (1 to 3650) without a change pages are archived; null for never. Templates are not, nor what is
    /// somebody's favourite or locked.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<u16>, example = 365)]
    archive_after_days: Option<Option<u16>>,
}

/// Read a workspace's settings.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.settings", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 200, description = "The settings", body = WorkspaceSettings, headers(("ETag" = String, description = "Their version")))))]
#[get("/workspaces/{workspace_id}/settings/")]
async fn read_settings(state: Data<State>, Can(access): Can<ReadWorkspace>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let row = settings::read(&state.db, &access).await?;
    Ok(settings_tag(&row).answer(&request, &WorkspaceSettings::from(row)))
}

/// Change a workspace's settings. What is left out stays.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.edit_settings", params(("workspace_id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header, description = "The version you have seen")), request_body = EditSettings, responses((status = 200, description = "As they are now", body = WorkspaceSettings, headers(("ETag" = String, description = "Their version")))))]
#[patch("/workspaces/{workspace_id}/settings/")]
async fn edit_settings(
    state: Data<State>,
    Can(access): Can<EditWorkspace>,
    Can(reading): Can<ReadWorkspace>,
    seen: IfMatch,
    body: Json<EditSettings>,
) -> Result<HttpResponse, ApiError> {
    let changes = settings::Changes {
        default_level: body.0.default_level,
        share_links: body.0.share_links,
        member_invites: body.0.member_invites,
        archive_after_days: body.0.archive_after_days,
    };
    let row = state
        .write(&access, async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
            member::hold(tx, &access).await?;
            seen.allows(&settings_tag(&settings::read(tx, &reading).await?))?;
            Ok(settings::change(tx, &access, changes).await?)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(settings_tag(&row).header())
        .json(WorkspaceSettings::from(row)))
}

/// How much a workspace has, and may have.
#[derive(Serialize, ToSchema)]
struct Usage {
    /// Members who are no guests.
    #[schema(example = 12)]
    members: i64,
    /// Guests.
    #[schema(example = 3)]
    guests: i64,
    /// Pages that are not in the trash.
    #[schema(example = 140)]
    documents: i64,
    /// Pages in the trash.
    #[schema(example = 4)]
    trashed_documents: i64,
    /// Blocks of all pages, as of their last quiet moment.
    #[schema(example = 5_300)]
    blocks: i64,
    /// Bytes of all pages, with what is kept of their past.
    #[schema(example = 8_300_000)]
    bytes: i64,
    /// Bytes of files, those that are still coming and those that were deleted lately too.
    #[schema(example = 120_000_000)]
    storage_bytes: i64,
    /// What of it is limited.
    limits: UsageLimits,
}

/// Limits that whoever runs the instance has set; null where there is none.
#[derive(Serialize, ToSchema)]
struct UsageLimits {
    /// Members who are no guests.
    members: Option<u64>,
    /// Pages, those in the trash too.
    documents: Option<u64>,
    /// Bytes of pages.
    bytes: Option<u64>,
    /// Bytes of files.
    storage_bytes: Option<u64>,
}

/// Read how much a workspace has.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.usage", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 200, description = "Counted now", body = Usage)))]
#[get("/workspaces/{workspace_id}/usage/")]
async fn read_usage(state: Data<State>, Can(access): Can<EditWorkspace>) -> Result<HttpResponse, ApiError> {
    let (has, quotas) = (usage::of(&state.db, &access).await?, state.settings.quotas);
    let usage = Usage {
        members: has.members,
        guests: has.guests,
        documents: has.documents,
        trashed_documents: has.trashed,
        blocks: has.blocks,
        bytes: has.bytes,
        storage_bytes: has.storage_bytes,
        limits: UsageLimits {
            members: quotas.members,
            documents: quotas.documents,
            bytes: quotas.bytes,
            storage_bytes: quotas.storage_bytes,
        },
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(usage))
}

/// Whose name begins how.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Prefix {
    /// The beginning of a name, or of a word of it; everybody when left out.
    #[param(example = "Gra")]
    q: Option<String>,
    /// How many at most; 10 when left out, 50 at most.
    #[param(minimum = 1, maximum = 50, example = 10)]
    limit: Option<u64>,
}

/// Who can be mentioned.
#[derive(Serialize, ToSchema)]
struct Mentionables {
    /// By name.
    data: Vec<Name>,
}

/// List who can be mentioned: members by the beginning of their name. Guests are told of nobody.
#[utoipa::path(tag = "workspaces", operation_id = "workspaces.mentionables", params(("workspace_id" = uuid::Uuid, Path), Prefix), responses((status = 200, description = "By name", body = Mentionables)))]
#[get("/workspaces/{workspace_id}/mentionables/")]
async fn mentionables(state: Data<State>, Can(access): Can<ReadWorkspace>, prefix: Query<Prefix>) -> Result<HttpResponse, ApiError> {
    let limit = prefix.0.limit.unwrap_or(10);
    if !(1..=50).contains(&limit) {
        let field = Field::new("/limit", "out_of_range", "is a number from 1 to 50");
        return Err(ApiError::invalid(vec![field]));
    }
    let word = prefix.0.q.unwrap_or_default();
    let found = people::mentionable(&state.db, &access, &word, limit).await?;
    let name = |user: entity::user::Model| Name {
        id: user.id,
        display_name: user.display_name,
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(Mentionables {
            data: found.into_iter().map(name).collect(),
        }))
}
