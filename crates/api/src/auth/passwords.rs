//! Passwords: lost, set anew, changed.

use super::emails::{Address, write_to};
use crate::{extract::Known, json::Json, problem::ApiError, state::State};
use actix_web::{HttpRequest, HttpResponse, post, web::Data};
use jobs::kinds::SendToken;
use serde::Deserialize;
use users::reset;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(forgot).service(set).service(change);
}

/// A new password, with the token of a letter.
#[derive(Deserialize, ToSchema, Validate)]
struct Reset {
    /// What stands behind `#reset=` in the letter's link.
    #[validate(length(min = 1, max = 512))]
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    token: String,
    /// At least 8 characters, and not easy to guess.
    #[schema(example = "correct horse battery staple")]
    password: String,
}

/// A new password, with the old one.
#[derive(Deserialize, ToSchema, Validate)]
struct Change {
    /// The password so far.
    #[schema(example = "correct horse battery staple")]
    current_password: String,
    /// At least 8 characters, and not easy to guess.
    #[schema(example = "staple battery horse correct")]
    password: String,
}

/// Ask for a letter to set a new password with.
///
/// The answer is the same whether or not there is such an account.
#[utoipa::path(tag = "auth", operation_id = "auth.forgot_password", request_body = Address, responses((status = 202, description = "If there is such an account, a letter is on its way")))]
#[post("/auth/password/forgot/")]
async fn forgot(state: Data<State>, body: Json<Address>) -> Result<HttpResponse, ApiError> {
    write_to(&state, &body.0.email, |user| SendToken::ResetPassword { user }).await
}

/// Set a new password with the token of a letter.
///
/// Ends every login of the account. A token is good once, for an hour, and only of the newest letter.
#[utoipa::path(tag = "auth", operation_id = "auth.reset_password", request_body = Reset, responses((status = 204, description = "Set; sign in with it")))]
#[post("/auth/password/reset/")]
async fn set(state: Data<State>, body: Json<Reset>) -> Result<HttpResponse, ApiError> {
    let Reset { token, password } = body.0;
    reset::reset(&state.accounts, &token, password).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Change your password.
///
/// Ends the account's other logins.
#[utoipa::path(tag = "auth", operation_id = "auth.change_password", request_body = Change, responses((status = 204, description = "Changed")))]
#[post("/auth/password/change/")]
async fn change(state: Data<State>, Known(caller): Known, request: HttpRequest, body: Json<Change>) -> Result<HttpResponse, ApiError> {
    let Change {
        current_password,
        password,
    } = body.0;
    let source = crate::edge::source(&request);
    reset::change(&state.accounts, &caller, (current_password, password), &source).await?;
    Ok(HttpResponse::NoContent().finish())
}
