//! The logins of an account: listed, ended, made fresh again.

use crate::{
    extract::{Known, id},
    json::Json,
    problem::ApiError,
    state::State,
};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web::Data};
use entity::session;
use kernel::{clock::Time, id::*};
use serde::{Deserialize, Serialize};
use users::{Caller, logins, reauthenticate};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(revoke).service(revoke_others).service(prove);
}

/// A login.
#[derive(Serialize, ToSchema)]
struct Session {
    /// The login's id.
    #[schema(value_type = uuid::Uuid)]
    id: SessionId,
    /// Whether this request came with it.
    is_current: bool,
    /// What the client called itself when it signed in.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]
    user_agent: String,
    /// The network it came from, as far as it is known.
    #[schema(example = "192.0.2.7")]
    source: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    created_at: Time,
    /// When it was last refreshed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T07:40:00Z")]
    last_used_at: Time,
    /// When it ends, however often it is refreshed.
    #[schema(value_type = String, format = DateTime, example = "2027-02-18T19:22:00Z")]
    expires_at: Time,
}

impl Session {
    fn of(row: session::Model, caller: &Caller) -> Self {
        Self {
            id: row.id,
            is_current: caller.session() == Some(row.id),
            user_agent: row.user_agent,
            source: row.source,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        }
    }
}

/// The logins of an account.
#[derive(Serialize, ToSchema)]
struct Sessions {
    /// The last used first.
    data: Vec<Session>,
}

/// How many logins were ended.
#[derive(Serialize, ToSchema)]
struct Ended {
    /// The number.
    #[schema(example = 3)]
    ended: u64,
}

/// What proves again who somebody is.
#[derive(Deserialize, ToSchema, Validate)]
struct Proof {
    /// The password, if the account has one.
    #[schema(example = "correct horse battery staple")]
    password: Option<String>,
    /// A code of the second factor or a recovery code, if the account has one.
    #[validate(length(max = 64))]
    #[schema(example = "492039")]
    code: Option<String>,
}

/// A login that is fresh.
#[derive(Serialize, ToSchema)]
struct FreshLogin {
    /// Until when it counts as such.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:37:00Z")]
    fresh_until: Time,
}

/// List your logins.
#[utoipa::path(tag = "auth", operation_id = "auth.sessions", responses((status = 200, description = "Those that go on", body = Sessions)))]
#[get("/auth/sessions/")]
async fn list(state: Data<State>, Known(caller): Known) -> Result<HttpResponse, ApiError> {
    let rows = logins::list(&state.accounts, caller.user).await?;
    let data = rows.into_iter().map(|row| Session::of(row, &caller)).collect();
    Ok(HttpResponse::Ok().json(Sessions { data }))
}

/// End one of your logins.
///
/// Its tokens, sockets and streams end with it. Your own may be the one.
#[utoipa::path(tag = "auth", operation_id = "auth.revoke_session", params(("session_id" = uuid::Uuid, Path)), responses((status = 204, description = "Ended")))]
#[delete("/auth/sessions/{session_id}/")]
async fn revoke(state: Data<State>, Known(caller): Known, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    logins::revoke(&state.accounts, caller.user, id(&request, "session_id")?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End all your logins but this one.
#[utoipa::path(tag = "auth", operation_id = "auth.revoke_others", responses((status = 200, description = "Ended", body = Ended)))]
#[post("/auth/sessions/revoke-others/")]
async fn revoke_others(state: Data<State>, Known(caller): Known) -> Result<HttpResponse, ApiError> {
    let ended = logins::revoke_others(&state.accounts, &caller).await?;
    Ok(HttpResponse::Ok().json(Ended { ended }))
}

/// Prove again who you are, for what needs a fresh login.
///
/// Whoever has a password gives it; whoever has a second factor gives a code too.
#[utoipa::path(tag = "auth", operation_id = "auth.reauthenticate", request_body = Proof, responses((status = 200, description = "This login is fresh again", body = FreshLogin)))]
#[post("/auth/reauthenticate/")]
async fn prove(state: Data<State>, Known(caller): Known, request: HttpRequest, body: Json<Proof>) -> Result<HttpResponse, ApiError> {
    let Proof { password, code } = body.0;
    let proof = reauthenticate::Proof { password, code };
    let fresh_until = reauthenticate::reauthenticate(&state.accounts, &caller, proof, &crate::edge::source(&request)).await?;
    Ok(HttpResponse::Ok().json(FreshLogin { fresh_until }))
}
