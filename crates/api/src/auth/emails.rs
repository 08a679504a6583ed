//! Addresses: proven, and changed.

use crate::{fresh::Fresh, json::Json, problem::ApiError, state::State};
use actix_web::{HttpResponse, post, web::Data};
use backends::{db::write, signal::Signal};
use jobs::{
    Job, Queue,
    kinds::{SendMail, SendToken},
    letter::Mail,
};
use kernel::clock;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use users::{
    account,
    verification::{self, Asked},
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(verify).service(resend).service(change);
}

/// The token of a letter.
#[derive(Deserialize, ToSchema, Validate)]
struct Token {
    /// What stands behind `#verify=` in the letter's link.
    #[validate(length(min = 1, max = 512))]
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    token: String,
}

/// An address.
#[derive(Deserialize, ToSchema, Validate)]
pub(super) struct Address {
    /// The address.
    #[validate(length(min = 1, max = 254))]
    #[schema(example = "ada@example.com")]
    pub email: String,
}

/// An address that was proven.
#[derive(Serialize, ToSchema)]
struct Proven {
    /// The account's address.
    #[schema(example = "ada@example.com")]
    email: String,
}

/// Enqueues a letter to whoever has this address. The same work is done when nobody has.
pub(super) async fn write_to(
    state: &State,
    email: &str,
    letter: impl FnOnce(Option<kernel::id::UserId>) -> SendToken,
) -> Result<HttpResponse, ApiError> {
    let user = account::find_by_email(&state.db, email).await?;
    let job = letter(user.map(|user| user.id)).job()?;
    write(&state.db, async |tx: &DatabaseTransaction| queue::add(tx, job).await).await?;
    wake(state);
    Ok(HttpResponse::Accepted().finish())
}

fn wake(state: &State) {
    let queues = vec![Queue::Mail.name().to_owned()];
    state.signals.send(Signal::JobsDue { queues });
}

/// Prove an address with the token of a letter.
///
/// The token of a letter to a new address makes it the account's. A token is good once, and only for the newest letter.
#[utoipa::path(tag = "auth", operation_id = "auth.verify_email", request_body = Token, responses((status = 200, description = "Proven", body = Proven)))]
#[post("/auth/email/verify/")]
async fn verify(state: Data<State>, body: Json<Token>) -> Result<HttpResponse, ApiError> {
    let email = verification::verify(&state.accounts, &body.0.token).await?;
    Ok(HttpResponse::Ok().json(Proven { email }))
}

/// Ask for another letter that proves your address.
///
/// The answer is the same whether or not there is such an account, and whether or not its address is proven already.
#[utoipa::path(tag = "auth", operation_id = "auth.resend_verification", request_body = Address, responses((status = 202, description = "If there is something to prove, a letter is on its way")))]
#[post("/auth/email/resend/")]
async fn resend(state: Data<State>, body: Json<Address>) -> Result<HttpResponse, ApiError> {
    write_to(&state, &body.0.email, |user| SendToken::VerifyEmail { user }).await
}

/// Ask for another address.
///
/// It is the account's once the link in the letter to it is opened. The address so far is told. Whether the new one has an
/// account already is not: then there is no letter. Needs a fresh login.
#[utoipa::path(tag = "auth", operation_id = "auth.change_email", request_body = Address, responses((status = 202, description = "A letter is on its way to the new address")))]
#[post("/auth/email/change/")]
async fn change(state: Data<State>, Fresh(caller): Fresh, body: Json<Address>) -> Result<HttpResponse, ApiError> {
    write(&state.db, async |tx: &DatabaseTransaction| {
        let Asked { user, token } = verification::ask_change(tx, &state.accounts, caller.user, &body.0.email).await?;
        if let Some(token) = token {
            queue::add(tx, SendToken::ChangeEmail { token }.job()?).await?;
        }
        let notice = SendMail {
            to: user.email,
            to_name: user.display_name,
            mail: Mail::EmailChanging {
                at: clock::now().format("%Y-%m-%d %H:%M UTC").to_string(),
                email: body.0.email.trim().to_lowercase(),
            },
        };
        queue::add(tx, notice.job()?).await?;
        Ok::<_, ApiError>(())
    })
    .await?;
    wake(&state);
    Ok(HttpResponse::Accepted().finish())
}
