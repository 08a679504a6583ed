//! The second factor: set up, used and switched off.

use super::{Tokens, client, tokens};
use crate::{extract::Known, fresh::Fresh, json::Json, problem::ApiError, state::State};
use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, post, web::Data};
use serde::{Deserialize, Serialize};
use users::{mfa, totp};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(read)
        .service(start)
        .service(confirm)
        .service(renew)
        .service(disable)
        .service(verify);
}

/// The second factor of an account.
#[derive(Serialize, ToSchema)]
struct Factor {
    /// Whether there is one.
    is_enabled: bool,
    /// Recovery codes that were not used.
    #[schema(example = 10)]
    recovery_codes_left: u64,
}

/// What an authenticator app is set up with; shown this once.
#[derive(Serialize, ToSchema)]
struct Started {
    /// To be typed.
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    secret: String,
    /// To be shown as a QR code.
    #[schema(example = "otpauth://totp/Sheaf:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Sheaf")]
    otpauth_url: String,
}

/// A code of the authenticator app.
#[derive(Deserialize, ToSchema, Validate)]
struct Code {
    /// Six digits.
    #[validate(length(min = 1, max = 64))]
    #[schema(example = "492039")]
    code: String,
}

/// Codes for who has lost their second factor; shown this once.
#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    /// Each good once.
    #[schema(example = json!(["5f0c1-9b2e4-77ad0-31c8f"]))]
    recovery_codes: Vec<String>,
}

/// A code for a login that waits for it.
#[derive(Deserialize, ToSchema, Validate)]
struct Verify {
    /// As the login's answer had it.
    #[validate(length(min = 1, max = 512))]
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    mfa_token: String,
    /// Six digits of the authenticator app, or a recovery code.
    #[validate(length(min = 1, max = 64))]
    #[schema(example = "492039")]
    code: String,
}

fn once(mut answer: actix_web::HttpResponseBuilder, shown: impl Serialize) -> HttpResponse {
    answer.insert_header((header::CACHE_CONTROL, "no-store")).json(shown)
}

/// See whether you have a second factor.
#[utoipa::path(tag = "auth", operation_id = "auth.totp", responses((status = 200, description = "Whether you do", body = Factor)))]
#[get("/auth/totp/")]
async fn read(state: Data<State>, Known(caller): Known) -> Result<HttpResponse, ApiError> {
    let factor = Factor {
        is_enabled: totp::is_on(&state.db, caller.user).await?,
        recovery_codes_left: totp::codes::left(&state.db, caller.user).await?,
    };
    Ok(HttpResponse::Ok().json(factor))
}

/// Begin to set up a second factor.
///
/// It guards nothing until a first code is confirmed. Needs a fresh login.
#[utoipa::path(tag = "auth", operation_id = "auth.start_totp", responses((status = 201, description = "Put it into your authenticator app", body = Started)))]
#[post("/auth/totp/")]
async fn start(state: Data<State>, Fresh(caller): Fresh) -> Result<HttpResponse, ApiError> {
    let totp::Started { secret, url } = totp::start(&state.accounts, caller.user).await?;
    let shown = Started { secret, otpauth_url: url };
    Ok(once(HttpResponse::Created(), shown))
}

/// Switch the second factor on with a first code.
#[utoipa::path(tag = "auth", operation_id = "auth.confirm_totp", request_body = Code, responses((status = 200, description = "It is on; keep these codes", body = RecoveryCodes)))]
#[post("/auth/totp/confirm/")]
async fn confirm(state: Data<State>, Known(caller): Known, body: Json<Code>) -> Result<HttpResponse, ApiError> {
    let recovery_codes = totp::confirm(&state.accounts, caller.user, &body.0.code).await?;
    Ok(once(HttpResponse::Ok(), RecoveryCodes { recovery_codes }))
}

/// Make new recovery codes.
///
/// The old ones are void. Needs a fresh login.
#[utoipa::path(tag = "auth", operation_id = "auth.recovery_codes", responses((status = 201, description = "Keep these codes", body = RecoveryCodes)))]
#[post("/auth/totp/recovery-codes/")]
async fn renew(state: Data<State>, Fresh(caller): Fresh) -> Result<HttpResponse, ApiError> {
    let recovery_codes = totp::renew_codes(&state.accounts, caller.user).await?;
    Ok(once(HttpResponse::Created(), RecoveryCodes { recovery_codes }))
}

/// Switch the second factor off.
///
/// Needs a fresh login, so a code was given a short while ago.
#[utoipa::path(tag = "auth", operation_id = "auth.disable_totp", responses((status = 204, description = "It is off")))]
#[delete("/auth/totp/")]
async fn disable(state: Data<State>, Fresh(caller): Fresh) -> Result<HttpResponse, ApiError> {
    totp::disable(&state.accounts, caller.user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Finish a login with a code.
///
/// A code is good once. A login takes five, then the password has to be given again.
#[utoipa::path(tag = "auth", operation_id = "auth.verify_mfa", request_body = Verify, responses((status = 200, description = "Signed in", body = Tokens)))]
#[post("/auth/mfa/verify/")]
async fn verify(state: Data<State>, request: HttpRequest, body: Json<Verify>) -> Result<HttpResponse, ApiError> {
    let Verify { mfa_token, code } = body.0;
    let signed_in = mfa::verify(&state.accounts, &mfa_token, &code, client(&request)).await?;
    Ok(tokens(HttpResponse::Ok(), signed_in))
}
