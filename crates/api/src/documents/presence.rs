//! Who is on a page, for those who are not on a socket.

use crate::{extract::CanShared, problem::ApiError, state::State};
use actix_web::{
    get,
    web::{self, Data},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::access::ViewDocument;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read);
}

/// Everybody who said where they are on a page within the last minute.
#[derive(Serialize, ToSchema)]
struct Presence {
    /// One for each client: `client_id`, `user_id`, and what it says of itself (`cursor`, `selection`, `typing`, `status`).
    #[schema(value_type = Vec<Object>, example = json!([{"client_id": "c1", "user_id": "0198f4a1-6c1e-7d0a-9a57-2f6f6e1d7a11", "cursor": {"block": "intro", "pos": 2}}]))]
    data: Vec<Value>,
}

/// See who is on a page.
#[utoipa::path(tag = "documents", operation_id = "documents.presence", params(("document_id" = uuid::Uuid, Path)), responses((status = 200, description = "Who is there and where", body = Presence)))]
#[get("/documents/{document_id}/presence/")]
async fn read(state: Data<State>, CanShared(access): CanShared<ViewDocument>) -> Result<web::Json<Presence>, ApiError> {
    let data = state.rooms.presence(&access).await?;
    Ok(web::Json(Presence { data }))
}
