//! Invitations by mail: made by those who may, and answered by those they were sent to.

mod answers;

pub(crate) use answers::routes as answers;

use crate::{
    extract::{At, Can, Named, Query},
    json::Json,
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
    workspaces::RoleName,
};
use actix_web::{HttpResponse, delete, get, post, web::Data};
use kernel::{
    clock::{self, Time},
    error::Field,
    id::*,
    role::{Level, Role},
};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    access::{self, ManageDocument, ManageMembers, ReadMembers},
    invitation::{self, Listed, NewInvitations, Outcome},
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(invite).service(list).service(revoke).service(resend);
}

impl Named for InvitationId {
    const NAME: &'static str = "invitation_id";
}

/// Somebody, by name.
#[derive(Serialize, ToSchema)]
pub(crate) struct Name {
    /// The user's id.
    #[schema(value_type = uuid::Uuid)]
    pub(crate) id: UserId,
    /// Their name.
    #[schema(example = "Grace Hopper")]
    pub(crate) display_name: String,
}

/// An invitation by mail. Its token stands in the letter alone.
#[derive(Serialize, ToSchema)]
struct Invitation {
    /// The invitation's id.
    #[schema(value_type = uuid::Uuid)]
    id: InvitationId,
    /// The address it was sent to.
    #[schema(example = "grace@example.com")]
    email: String,
    /// As what.
    #[schema(value_type = RoleName, inline, example = "member")]
    role: Role,
    /// What the inviter says.
    message: Option<String>,
    /// The page that is granted with it.
    #[schema(value_type = Option<uuid::Uuid>)]
    document_id: Option<DocumentId>,
    /// At this level.
    #[schema(value_type = Option<String>, example = "view")]
    level: Option<Level>,
    /// Who invites; null when they have no account any more.
    invited_by: Option<Name>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    created_at: Time,
    /// When its last letter was asked for.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    sent_at: Time,
    /// After this it is refused.
    #[schema(value_type = String, format = DateTime, example = "2026-11-27T19:22:00Z")]
    expires_at: Time,
    /// Whether it has run out.
    is_expired: bool,
}

impl From<Listed> for Invitation {
    fn from(Listed { row, inviter }: Listed) -> Self {
        Self {
            id: row.id,
            is_expired: row.expires_at <= clock::now(),
            invited_by: inviter.map(|display_name| Name {
                id: row.invited_by,
                display_name,
            }),
            email: row.email,
            role: row.role,
            message: row.message,
            document_id: row.document_id,
            level: row.level,
            created_at: row.created_at,
            sent_at: row.sent_at,
            expires_at: row.expires_at,
        }
    }
}

/// Who is to be invited.
#[derive(Deserialize, ToSchema, Validate)]
struct Invite {
    /// 1 to 50 addresses.
    #[serde(default)]
    #[schema(example = json!(["grace@example.com"]))]
    emails: Vec<String>,
    /// As what; `member` when left out. Admins give what is below admin, owners everything, and members, where the
    /// workspace lets them, up to their own.
    #[schema(value_type = Option<RoleName>, inline, example = "member")]
    role: Option<Role>,
    /// What the letter says, at most 1 000 characters.
    #[schema(example = "Have a look at our plans.")]
    message: Option<String>,
    /// A page that is granted with it; you have to manage it.
    #[schema(value_type = Option<uuid::Uuid>)]
    document_id: Option<DocumentId>,
    /// How much of the page: `view`, `comment`, `edit` or `manage`; `view` when left out.
    #[schema(value_type = Option<String>, example = "view")]
    level: Option<Level>,
}

/// What became of one address. Whether it has an account is not told.
#[derive(Serialize, ToSchema)]
struct Invited {
    /// The address.
    #[schema(example = "grace@example.com")]
    email: String,
    /// `invited`, `already_invited`, `already_member`, or `too_many_letters` when the address got five within the hour.
    #[schema(example = "invited")]
    status: &'static str,
    /// The invitation.
    #[schema(value_type = Option<uuid::Uuid>)]
    invitation_id: Option<InvitationId>,
}

impl From<(String, Outcome)> for Invited {
    fn from((email, outcome): (String, Outcome)) -> Self {
        let (status, invitation_id) = match outcome {
            Outcome::Invited(row) => ("invited", Some(row.id)),
            Outcome::AlreadyInvited(id) => ("already_invited", Some(id)),
            Outcome::AlreadyMember => ("already_member", None),
            Outcome::TooMany => ("too_many_letters", None),
        };
        Self {
            email,
            status,
            invitation_id,
        }
    }
}

/// What became of all addresses.
#[derive(Serialize, ToSchema)]
struct InviteResult {
    /// Each address once, in the order of the request.
    results: Vec<Invited>,
}

/// Invite people by mail.
///
/// Each gets a letter with a link that is good for seven days and for that address alone.
#[utoipa::path(tag = "workspaces", operation_id = "invitations.create", params(("workspace_id" = uuid::Uuid, Path)), request_body = Invite, responses((status = 200, description = "What became of each address", body = InviteResult)))]
#[post("/workspaces/{workspace_id}/invite/")]
async fn invite(state: Data<State>, Can(access): Can<ReadMembers>, body: Json<Invite>) -> Result<HttpResponse, ApiError> {
    let Invite {
        emails,
        role,
        message,
        document_id,
        level,
    } = body.0;
    let grant = match document_id {
        Some(document) => Some((document, granted(&state, &access, document, level.unwrap_or(Level::View)).await?)),
        None => None,
    };
    let new = NewInvitations {
        emails,
        role,
        message,
        grant,
    };
    let outcomes = state
        .write(&access, async |tx: &DatabaseTransaction| {
            invitation::invite(tx, &access, &state.mint, &new).await
        })
        .await?;
    let results = outcomes.into_iter().map(Invited::from).collect();
    Ok(HttpResponse::Ok().json(InviteResult { results }))
}

/// The level that may be given on a page with an invitation: some, on a page of this workspace that the caller manages.
async fn granted(state: &State, access: &access::Access<ReadMembers>, document: DocumentId, level: Level) -> Result<Level, ApiError> {
    let page = state.door().open::<ManageDocument>(access.who(), document).await?;
    if page.workspace() != access.workspace() {
        return Err(ApiError::not_found());
    }
    if level == Level::None {
        return Err(ApiError::invalid(vec![Field::new(
            "/level",
            "invalid",
            "is view, comment, edit or manage",
        )]));
    }
    Ok(level)
}

/// List the invitations that nobody has answered.
#[utoipa::path(tag = "workspaces", operation_id = "invitations.list", params(("workspace_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Newest first", body = inline(Listing<Invitation>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/invitations/")]
async fn list(state: Data<State>, Can(access): Can<ManageMembers>, paging: Query<Paging>) -> Result<Listing<Invitation>, ApiError> {
    let all = invitation::list(&state.db, &access).await?;
    Listing::cut(all.into_iter().map(Invitation::from).collect(), &paging.0)
}

/// Take an invitation back.
#[utoipa::path(tag = "workspaces", operation_id = "invitations.revoke", params(("workspace_id" = uuid::Uuid, Path), ("invitation_id" = uuid::Uuid, Path)), responses((status = 204, description = "Its token opens nothing any more")))]
#[delete("/workspaces/{workspace_id}/invitations/{invitation_id}/")]
async fn revoke(state: Data<State>, Can(access): Can<ManageMembers>, At(id): At<InvitationId>) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| invitation::revoke(tx, &access, id).await)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Mail an invitation again.
///
/// The letter has a new token, and the one before opens nothing any more. At most once a minute.
#[utoipa::path(tag = "workspaces", operation_id = "invitations.resend", params(("workspace_id" = uuid::Uuid, Path), ("invitation_id" = uuid::Uuid, Path)), responses((status = 200, description = "As it is now", body = Invitation), (status = 409, description = "The workspace is archived", body = crate::problem::Problem), (status = 429, description = "It was mailed less than a minute ago", body = crate::problem::Problem)))]
#[post("/workspaces/{workspace_id}/invitations/{invitation_id}/resend/")]
async fn resend(state: Data<State>, Can(access): Can<ManageMembers>, At(id): At<InvitationId>) -> Result<HttpResponse, ApiError> {
    let sent = state
        .write(&access, async |tx: &DatabaseTransaction| {
            invitation::resend(tx, &access, &state.mint, id).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(Invitation::from(sent)))
}
