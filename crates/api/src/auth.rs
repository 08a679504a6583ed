//! Accounts and logins.

use crate::{json::Json, problem::ApiError, state::State, users::User};
use actix_web::{HttpRequest, HttpResponse, http::header, post, web::Data};
use serde::{Deserialize, Serialize};
use users::{Client, SignedIn, account, session};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(register).service(login).service(refresh).service(logout);
}

/// An account to be made.
#[derive(Deserialize, ToSchema, Validate)]
struct Register {
    /// The address, which signs in.
    #[schema(example = "ada@example.com")]
    email: String,
    /// At least 8 characters, and not easy to guess.
    #[schema(example = "correct horse battery staple")]
    password: String,
    /// What others see.
    #[schema(example = "Ada Lovelace")]
    display_name: String,
}

/// What somebody signs in with.
#[derive(Deserialize, ToSchema, Validate)]
struct Login {
    /// The address.
    #[schema(example = "ada@example.com")]
    email: String,
    /// The password.
    #[schema(example = "correct horse battery staple")]
    password: String,
}

/// A refresh token.
#[derive(Deserialize, ToSchema, Validate)]
struct Refresh {
    /// As the answer before had it.
    #[validate(length(min = 1, max = 512))]
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    refresh_token: String,
}

/// Who signed in, and their tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// Who.
    user: User,
    /// For `Authorization: Bearer …`, and for sockets.
    #[schema(example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.e30.c2ln")]
    access_token: String,
    /// Good once, for the next pair.
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    refresh_token: String,
    /// How the access token is sent.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token runs out.
    #[schema(example = 900)]
    expires_in: u64,
}

impl From<SignedIn> for Tokens {
    fn from(signed_in: SignedIn) -> Self {
        let SignedIn {
            user,
            access_token,
            refresh_token,
            expires_in,
        } = signed_in;
        Self {
            user: user.into(),
            access_token,
            refresh_token,
            token_type: "Bearer",
            expires_in,
        }
    }
}

pub(crate) fn client(request: &HttpRequest) -> Client {
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Client {
        user_agent: agent.unwrap_or_default().to_owned(),
    }
}

fn tokens(mut answer: actix_web::HttpResponseBuilder, signed_in: SignedIn) -> HttpResponse {
    answer
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Tokens::from(signed_in))
}

/// Make an account and sign in.
#[utoipa::path(tag = "auth", operation_id = "auth.register", request_body = Register, responses((status = 201, description = "Signed in", body = Tokens)))]
#[post("/auth/register/")]
async fn register(state: Data<State>, request: HttpRequest, body: Json<Register>) -> Result<HttpResponse, ApiError> {
    let Register {
        email,
        password,
        display_name,
    } = body.0;
    let signed_in = account::register(
        &state.accounts,
        users::NewUser {
            email,
            password,
            display_name,
        },
        client(&request),
    )
    .await?;
    Ok(tokens(HttpResponse::Created(), signed_in))
}

/// Sign in.
#[utoipa::path(tag = "auth", operation_id = "auth.login", request_body = Login, responses((status = 200, description = "Signed in", body = Tokens)))]
#[post("/auth/login/")]
async fn login(state: Data<State>, request: HttpRequest, body: Json<Login>) -> Result<HttpResponse, ApiError> {
    let Login { email, password } = body.0;
    let signed_in = account::login(&state.accounts, users::Credentials { email, password }, client(&request)).await?;
    Ok(tokens(HttpResponse::Ok(), signed_in))
}

/// Turn a refresh token in for the next pair.
///
/// A token is good once. Two tabs that race within ten seconds both get a pair; a token that comes again later ends the
/// login for everybody who holds a token of it.
#[utoipa::path(tag = "auth", operation_id = "auth.refresh", request_body = Refresh, responses((status = 200, description = "The next pair", body = Tokens)))]
#[post("/auth/token/refresh/")]
async fn refresh(state: Data<State>, body: Json<Refresh>) -> Result<HttpResponse, ApiError> {
    let signed_in = session::refresh(&state.accounts, &body.0.refresh_token).await?;
    Ok(tokens(HttpResponse::Ok(), signed_in))
}

/// End the login a refresh token belongs to.
#[utoipa::path(tag = "auth", operation_id = "auth.logout", request_body = Refresh, responses((status = 204, description = "Ended, or was not there")))]
#[post("/auth/logout/")]
async fn logout(state: Data<State>, body: Json<Refresh>) -> Result<HttpResponse, ApiError> {
    session::logout(&state.accounts, &body.0.refresh_token).await?;
    Ok(HttpResponse::NoContent().finish())
}
