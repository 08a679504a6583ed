//! Health and version: for balancers and people, without a token.

use crate::state::State;
use actix_web::{HttpResponse, http::header, web};
use sea_orm::ConnectionTrait;
use serde_json::json;
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
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(json!({ "status": "ok" }))
}

/// The process can do its work: database and bus answer, and it is not going away. Without the bus the node still
/// serves, slower to hear of others; it says so and stays ready.
async fn ready(state: web::Data<State>) -> HttpResponse {
    let database = matches!(tokio::time::timeout(PATIENCE, state.db.execute_unprepared("SELECT 1")).await, Ok(Ok(_)));
    let bus = matches!(tokio::time::timeout(PATIENCE, state.bus.is_alive()).await, Ok(true));
    let is_ready = database && !state.is_draining();
    let word = |good: bool| if good { "ok" } else { "down" };
    let status = if is_ready { "ok" } else { "unavailable" };
    let parts = json!({ "status": status, "database": word(database), "bus": word(bus), "draining": state.is_draining(), "live_documents": state.rooms.live() });
    let mut answer = if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    answer.insert_header((header::CACHE_CONTROL, "no-store")).json(parts)
}

async fn version() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "name": "sheaf", "version": env!("CARGO_PKG_VERSION") }))
}
