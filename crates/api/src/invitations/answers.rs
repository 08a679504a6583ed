//! Answering invitations: by the token of a letter or of a link, or by the id of one's own.

use super::Name;
use crate::{
    auth::{Tokens, client},
    extract::{Known, Query, bearer},
    json::Json,
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
    workspaces::RoleName,
};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, get, http::header, post, web::Data};
use backends::db::write;
use futures::future::LocalBoxFuture;
use kernel::{clock::Time, error::Field, id::*, role::Role};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use users::{Caller, Client, NewUser, SignedIn, account, newcomer};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    invitation::{self, Joined, Ticket},
    preview,
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(accept).service(decline).service(look).service(own);
}

/// Somebody who may have a login and need not. A token that is no good is refused still.
struct Perhaps(Option<Caller>);

impl FromRequest for Perhaps {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let known = bearer(request).map(|_| Known::from_request(request, payload));
        Box::pin(async move {
            match known {
                Some(known) => known.await.map(|Known(caller)| Self(Some(caller))),
                None => Ok(Self(None)),
            }
        })
    }
}

/// What an invitation says to whoever holds its token.
#[derive(Serialize, ToSchema)]
struct InvitationPreview {
    /// The workspace's name.
    #[schema(example = "Analytical Engines")]
    workspace: String,
    /// Who invites.
    #[schema(example = "Ada Lovelace")]
    inviter: Option<String>,
    /// As what.
    #[schema(value_type = RoleName, inline, example = "member")]
    role: Role,
    /// The address it was mailed to; null for a link.
    #[schema(example = "grace@example.com")]
    email: Option<String>,
    /// The domain whose verified addresses a link is for.
    email_domain: Option<String>,
    /// What the inviter says.
    message: Option<String>,
    /// After this it is refused.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-27T19:22:00Z")]
    expires_at: Option<Time>,
}

impl From<preview::Preview> for InvitationPreview {
    fn from(seen: preview::Preview) -> Self {
        Self {
            workspace: seen.workspace,
            inviter: seen.inviter,
            role: seen.role,
            email: seen.email,
            email_domain: seen.email_domain,
            message: seen.message,
            expires_at: seen.expires_at,
        }
    }
}

/// An answer to an invitation.
#[derive(Deserialize, ToSchema, Validate)]
struct Accept {
    /// The token of a letter or of a link; or give `invitation_id`.
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    #[validate(length(max = 512))]
    token: Option<String>,
    /// One of your own invitations, when your address is verified.
    #[schema(value_type = Option<uuid::Uuid>)]
    invitation_id: Option<InvitationId>,
    /// For somebody without an account: what others shall see.
    #[schema(example = "Grace Hopper")]
    display_name: Option<String>,
    /// For somebody without an account: the password of the one that is made.
    #[schema(example = "correct horse battery staple")]
    password: Option<String>,
}

/// An answer to an invitation that was mailed.
#[derive(Deserialize, ToSchema, Validate)]
struct Decline {
    /// The token of a letter; or give `invitation_id`.
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    #[validate(length(max = 512))]
    token: Option<String>,
    /// One of your own invitations, when your address is verified.
    #[schema(value_type = Option<uuid::Uuid>)]
    invitation_id: Option<InvitationId>,
}

/// Where you belong now.
#[derive(Serialize, ToSchema)]
struct Accepted {
    /// The workspace.
    #[schema(value_type = uuid::Uuid)]
    workspace_id: WorkspaceId,
    /// Its name.
    #[schema(example = "Analytical Engines")]
    workspace: String,
    /// As what.
    #[schema(value_type = RoleName, inline, example = "member")]
    role: Role,
    /// The first login of an account that was just made; null for whoever had one.
    login: Option<Tokens>,
}

/// An invitation that waits for you.
#[derive(Serialize, ToSchema)]
struct OwnInvitation {
    /// The invitation's id, for the answer.
    #[schema(value_type = uuid::Uuid)]
    id: InvitationId,
    /// The workspace's name.
    #[schema(example = "Analytical Engines")]
    workspace: String,
    /// Who invites; null when they have no account any more.
    invited_by: Option<Name>,
    /// As what.
    #[schema(value_type = RoleName, inline, example = "member")]
    role: Role,
    /// What they say.
    message: Option<String>,
    /// After this it is refused.
    #[schema(value_type = String, format = DateTime, example = "2026-11-27T19:22:00Z")]
    expires_at: Time,
}

fn ticket(token: Option<String>, id: Option<InvitationId>) -> Result<Ticket, ApiError> {
    match (token, id) {
        (Some(token), None) => Ok(Ticket::Token(token)),
        (None, Some(id)) => Ok(Ticket::Id(id)),
        _ => Err(ApiError::invalid(vec![Field::new(
            "/token",
            "required",
            "name the invitation by token or by invitation_id, not both",
        )])),
    }
}

/// Look at an invitation, with its token and without an account.
///
/// Whether the address has an account is not told.
#[utoipa::path(tag = "workspaces", operation_id = "invitations.preview", params(("token" = String, Path, description = "Of a letter or of a link")), responses((status = 200, description = "What it says", body = InvitationPreview), (status = 404, description = "There is no such invitation", body = crate::problem::Problem), (status = 410, description = "It was taken back or answered, or has run out", body = crate::problem::Problem)))]
#[get("/invitations/{token}/")]
async fn look(state: Data<State>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let token: String = crate::extract::id(&request, "token")?;
    let seen = preview::preview(&state.db, &token).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .json(InvitationPreview::from(seen)))
}

/// Accept an invitation.
///
/// With a login, for that account: an invitation by mail is for the address it was sent to alone. Without one, with a name
/// and a password, the token of a letter makes an account whose address is verified, and signs it in.
#[utoipa::path(tag = "workspaces", operation_id = "invitations.accept", request_body = Accept, responses((status = 200, description = "A member now", body = Accepted), (status = 401, description = "Sign in, or say how the new account shall be", body = crate::problem::Problem), (status = 403, description = "It is for another address", body = crate::problem::Problem), (status = 404, description = "There is no such invitation", body = crate::problem::Problem), (status = 409, description = "You are a member already, or the address has an account: sign in", body = crate::problem::Problem), (status = 410, description = "It was taken back or answered, or has run out", body = crate::problem::Problem)))]
#[post("/invitations/accept/")]
async fn accept(state: Data<State>, Perhaps(caller): Perhaps, request: HttpRequest, body: Json<Accept>) -> Result<HttpResponse, ApiError> {
    let Accept {
        token,
        invitation_id,
        display_name,
        password,
    } = body.0;
    let ticket = ticket(token, invitation_id)?;
    let (joined, login) = match caller {
        Some(caller) => (join(&state, &caller, &ticket).await?, None),
        None if display_name.is_none() && password.is_none() => return Err(ApiError::unauthenticated()),
        None => {
            let new = (display_name.unwrap_or_default(), password.unwrap_or_default());
            let (joined, login) = join_anew(&state, &ticket, new, client(&request)).await?;
            (joined, Some(Tokens::from(login)))
        }
    };
    let accepted = Accepted {
        workspace_id: joined.workspace.id,
        workspace: joined.workspace.name,
        role: joined.role,
        login,
    };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(accepted))
}

/// Joins with the account of a login.
async fn join(state: &State, caller: &Caller, ticket: &Ticket) -> Result<Joined, ApiError> {
    write(&state.db, async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
        let user = account::find(tx, caller.user).await?.ok_or_else(ApiError::unauthenticated)?;
        let joined = invitation::accept(tx, &user, ticket, &state.settings.quotas).await?;
        if joined.proves_address {
            newcomer::prove(tx, user.id).await?;
        }
        Ok(joined)
    })
    .await
}

/// Joins with an account that is made for it: all of it, or nothing. The password is hashed before the transaction, and
/// only for a token that is good.
async fn join_anew(
    state: &State,
    ticket: &Ticket,
    (display_name, password): (String, String),
    client: Client,
) -> Result<(Joined, SignedIn), ApiError> {
    let Ticket::Token(token) = ticket else {
        return Err(ApiError::unauthenticated());
    };
    // A link proves no address: its holder registers first.
    let email = preview::preview(&state.db, token)
        .await?
        .email
        .ok_or_else(ApiError::unauthenticated)?;
    if account::find_by_email(&state.db, &email).await?.is_some() {
        return Err(users::Error::EmailTaken.into());
    }
    let new = NewUser {
        email,
        password,
        display_name,
    };
    let newcomer = newcomer::prepare(&state.accounts, new).await?;
    write(&state.db, async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
        let user = newcomer::admit(tx, newcomer).await?;
        let joined = invitation::accept(tx, &user, ticket, &state.settings.quotas).await?;
        let login = newcomer::sign_in(tx, &state.accounts, user, &client).await?;
        Ok((joined, login))
    })
    .await
}

/// Decline an invitation by mail.
///
/// The token of its letter is enough; with a login it can be named by its id.
#[utoipa::path(tag = "workspaces", operation_id = "invitations.decline", request_body = Decline, responses((status = 204, description = "Declined"), (status = 404, description = "There is no such invitation", body = crate::problem::Problem), (status = 410, description = "It was taken back or answered, or has run out", body = crate::problem::Problem)))]
#[post("/invitations/decline/")]
async fn decline(state: Data<State>, Perhaps(caller): Perhaps, body: Json<Decline>) -> Result<HttpResponse, ApiError> {
    let ticket = ticket(body.0.token, body.0.invitation_id)?;
    write(&state.db, async |tx: &DatabaseTransaction| -> Result<_, ApiError> {
        let user = match &caller {
            Some(caller) => account::find(tx, caller.user).await?,
            None => None,
        };
        Ok(invitation::decline(tx, user.as_ref(), &ticket).await?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List the invitations that wait for you.
///
/// None while your address is not verified.
#[utoipa::path(tag = "users", operation_id = "users.invitations", params(Paging), responses((status = 200, description = "Newest first", body = inline(Listing<OwnInvitation>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/users/me/invitations/")]
async fn own(state: Data<State>, Known(caller): Known, paging: Query<Paging>) -> Result<Listing<OwnInvitation>, ApiError> {
    let user = account::find(&state.db, caller.user).await?.ok_or_else(ApiError::unauthenticated)?;
    let all = invitation::own(&state.db, &user)
        .await?
        .into_iter()
        .map(|(listed, home)| OwnInvitation {
            id: listed.row.id,
            workspace: home.name,
            invited_by: listed.inviter.map(|display_name| Name {
                id: listed.row.invited_by,
                display_name,
            }),
            role: listed.row.role,
            message: listed.row.message,
            expires_at: listed.row.expires_at,
        });
    Listing::cut(all.collect(), &paging.0)
}
