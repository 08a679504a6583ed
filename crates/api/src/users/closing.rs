//! Closing one's account, and keeping it after all.

use super::me::{Me, describe};
use crate::{extract::Known, fresh::Fresh, problem::ApiError, state::State};
use actix_web::{HttpResponse, delete, http::StatusCode, post, web::Data};
use backends::db::write;
use entity::account_deletion;
use kernel::{clock::Time, id::*};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use serde_json::{Map, json};
use users::{Caller, deletion};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::departure;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(close).service(keep);
}

/// An account that is to be erased.
#[derive(Serialize, ToSchema)]
struct Closed {
    /// When; until then signing in keeps it.
    #[schema(value_type = String, format = DateTime)]
    erased_at: Time,
}

/// What stands in the way: workspaces with other members that would have no owner.
fn held(workspaces: Vec<entity::workspace::Model>) -> ApiError {
    let list: Vec<_> = workspaces
        .into_iter()
        .map(|workspace| json!({ "id": workspace.id, "name": workspace.name }))
        .collect();
    let mut more = Map::new();
    more.insert("workspaces".to_owned(), list.into());
    ApiError::new(
        StatusCode::CONFLICT,
        "last_owner",
        "you are the last owner of workspaces with other members; hand them on or delete them first",
    )
    .with(more)
}

async fn schedule(state: &State, caller: &Caller) -> Result<account_deletion::Model, ApiError> {
    let scheduled = write(&state.db, async |tx: &DatabaseTransaction| {
        let held = departure::holding(tx, caller.user).await?;
        if !held.is_empty() {
            return Ok(Err(held));
        }
        deletion::schedule(&state.accounts, tx, caller).await.map(Ok)
    })
    .await
    .map_err(|error: users::Error| ApiError::from(error))?;
    scheduled.map_err(self::held)
}

/// Close your account. Needs a fresh login.
///
/// It is erased when the grace has passed, and a letter says when. Until then signing in keeps it, as `keep/` does. Your
/// other logins end at once and your API keys are refused. Workspaces that are yours alone go to the trash with the
/// account; while others would be left without an owner, this is refused and they are listed. What you wrote elsewhere
/// stays, without your name.
#[utoipa::path(tag = "users", operation_id = "users.close_me", responses((status = 202, description = "It will be erased", body = Closed), (status = 409, description = "You are the last owner of workspaces with other members; `workspaces` lists them", body = crate::problem::Problem, content_type = "application/problem+json")))]
#[delete("/users/me/")]
async fn close(state: Data<State>, Fresh(caller): Fresh) -> Result<HttpResponse, ApiError> {
    let row = schedule(&state, &caller).await?;
    state.accounts.forget_standings();
    Ok(HttpResponse::Accepted().json(Closed { erased_at: row.due_at }))
}

/// Keep an account that you closed.
#[utoipa::path(tag = "users", operation_id = "users.keep_me", responses((status = 200, description = "It goes on", body = Me)))]
#[post("/users/me/keep/")]
async fn keep(state: Data<State>, Known(caller): Known) -> Result<HttpResponse, ApiError> {
    let user: UserId = caller.user;
    write(&state.db, async |tx: &DatabaseTransaction| deletion::keep(tx, user).await).await?;
    let (me, tag) = describe(&state.db, user).await?;
    Ok(HttpResponse::Ok().insert_header(tag.header()).json(me))
}
