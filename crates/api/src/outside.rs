//! Health and version: for balancers and people, without a token.

use crate::{problem::ApiError, state::State};
use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web,
};
use sea_orm::ConnectionTrait;
use serde_json::{Map, json};
use std::time::Duration;

/// A part that has not answered by then counts as gone.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/health/", web::get().to(live))
        .route("/health/live/", web::get().to(live))
        .route("/health/ready/", web::get().to(ready))
        .route("/version/", web::get().to(version));
}

/// The process answers.
async fn live() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(json!({ "status": "ok" }))
}

/// The process can do its work: database and bus answer, and it is not going away. Without the bus the node still
/// serves, slower to hear of others; it says so and stays ready. When it is not ready, the answer is a problem document
/// with the same parts in it.
async fn ready(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let database = matches!(
        tokio::time::timeout(PATIENCE, state.db.execute_unprepared("SELECT 1")).await,
        Ok(Ok(_))
    );
    let bus = matches!(tokio::time::timeout(PATIENCE, state.bus.is_alive()).await, Ok(true));
    let draining = state.is_draining();
    let mut parts = Map::new();
    parts.insert("database".to_owned(), word(database).into());
    parts.insert("bus".to_owned(), word(bus).into());
    parts.insert("draining".to_owned(), draining.into());
    parts.insert("live_documents".to_owned(), state.rooms.live().into());
    if !database || draining {
        let why = if draining {
            "this node is going away"
        } else {
            "the database does not answer"
        };
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why).with(parts));
    }
    parts.insert("status".to_owned(), "ok".into());
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(parts))
}

fn word(is_good: bool) -> &'static str {
    if is_good { "ok" } else { "down" }
}

async fn version() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "name": "sheaf", "version": env!("CARGO_PKG_VERSION") }))
}
