//! The socket's messages over plain HTTP, for networks that let no WebSocket through.
//!
//! Each request is a short visit: the same session as a socket's, let into the room, that says hello, sends what the
//! request brings, hears what comes of it, and leaves. So rights, order, idempotency and limits are the socket's own.

mod visit;

use crate::{
    extract::{Query, Speaks},
    json::Json,
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, get, http::header, post, web::Data};
use kernel::error::Field;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use visit::Visit;

/// The longest that a request may wait for news: below the half minute after which proxies commonly give up.
const MOST_WAIT_SECS: u64 = 25;
/// Edits a request may bring: as many as a socket may have unacknowledged.
const MOST_MESSAGES: usize = 64;
/// How long edits may take to be committed before the request is answered without them.
const COMMIT: Duration = Duration::from_secs(20);

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(listen).service(say);
}

/// Where a client stands, and what it wants to be told.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Stands {
    /// The last number it saw; without it the page comes whole.
    #[param(minimum = 0)]
    last_seen_server_seq: Option<i64>,
    /// The epoch it saw it in.
    epoch: Option<String>,
    /// What the page comes as when it comes whole: `json` (the default), `automerge` or `none`.
    snapshot: Option<String>,
    /// The Automerge changes with every edit, as base64.
    #[serde(default)]
    changes: bool,
    /// Seconds to wait when there is nothing new: 0 (the default) to 25.
    #[serde(default)]
    #[param(maximum = 25)]
    wait_secs: u64,
}

impl Stands {
    fn hello(&self) -> Result<Value, ApiError> {
        let snapshot = self.snapshot.as_deref().unwrap_or("json");
        let mut wrong = Vec::new();
        if !["json", "automerge", "none"].contains(&snapshot) {
            wrong.push(Field::new("/snapshot", "invalid_value", "is json, automerge or none"));
        }
        if self.wait_secs > MOST_WAIT_SECS {
            wrong.push(Field::new("/wait_secs", "out_of_range", format!("is from 0 to {MOST_WAIT_SECS}")));
        }
        if !wrong.is_empty() {
            return Err(ApiError::invalid(wrong));
        }
        let want = json!({ "snapshot": snapshot, "changes": self.changes, "presence": false, "echo": true });
        let mut hello = json!({ "type": "hello", "want": want });
        if let Some(seq) = self.last_seen_server_seq {
            hello["last_seen_server_seq"] = json!(seq);
        }
        if let Some(epoch) = &self.epoch {
            hello["epoch"] = json!(epoch);
        }
        Ok(hello)
    }
}

/// What the server has to say, in its order.
#[derive(Serialize, ToSchema)]
struct Messages {
    /// Messages of the JSON protocol; see docs/PROTOCOL.md.
    #[schema(value_type = Vec<Object>, example = json!([{"type": "hello_ack", "server_seq": 7, "epoch": "…", "permission": "write"}, {"type": "op_echo", "server_seq": 7, "id": "m1", "ops": []}]))]
    messages: Vec<Value>,
}

fn answer(messages: Vec<Value>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Messages { messages })
}

/// Hear what happened on a page since a number, or wait for it.
#[utoipa::path(tag = "documents", operation_id = "documents.listen", params(("document_id" = uuid::Uuid, Path), Stands), responses((status = 200, description = "`hello_ack`, then a `snapshot` or the edits that were missed", body = Messages)))]
#[get("/documents/{document_id}/sync/")]
async fn listen(state: Data<State>, speaks: Speaks, stands: Query<Stands>) -> Result<HttpResponse, ApiError> {
    let hello = stands.0.hello()?;
    let mut visit = Visit::begin(&state, &speaks);
    let heard = visit.listen(&hello, Duration::from_secs(stands.0.wait_secs)).await;
    visit.end().await;
    Ok(answer(heard?))
}

/// Edits to be made, as a socket would send them.
#[derive(Deserialize, ToSchema, Validate)]
struct Sent {
    /// `op`, `operation`, `insert`, `delete`, `replace` and `format` messages, each with an `id` that makes it safe to send
    /// again.
    #[schema(value_type = Vec<Object>, max_items = 64, example = json!([{"type": "insert", "id": "m1", "block": "intro", "pos": 0, "text": "Hello"}]))]
    #[validate(length(min = 1, max = 64, message = "takes 1 to 64 messages"))]
    messages: Vec<Map<String, Value>>,
}

fn checked(messages: Vec<Map<String, Value>>) -> Result<Vec<Value>, ApiError> {
    const EDITS: [&str; 6] = ["op", "operation", "insert", "delete", "replace", "format"];
    debug_assert!(messages.len() <= MOST_MESSAGES, "the length was validated");
    let is_edit = |message: &Map<String, Value>| {
        message
            .get("type")
            .and_then(Value::as_str)
            .is_some_and(|kind| EDITS.contains(&kind))
    };
    let mut wrong = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        if !is_edit(message) {
            wrong.push(Field::new(
                format!("/messages/{at}/type"),
                "invalid_value",
                format!("is one of {}", EDITS.join(", ")),
            ));
        }
        if !message.get("id").is_some_and(Value::is_string) {
            wrong.push(Field::new(
                format!("/messages/{at}/id"),
                "required",
                "is a text of your own, so that it is safe to send again",
            ));
        }
    }
    if wrong.is_empty() {
        Ok(messages.into_iter().map(Value::Object).collect())
    } else {
        Err(ApiError::invalid(wrong))
    }
}

/// Edit a page with the socket's messages.
///
/// Each is answered by an `ack` once it is committed, or by an `error`. One that is not answered was not committed in
/// time: send it again with its `id`, and it is made once.
#[utoipa::path(tag = "documents", operation_id = "documents.say", params(("document_id" = uuid::Uuid, Path)), request_body = Sent, responses((status = 200, description = "`hello_ack`, then an `ack` or `error` for each message", body = Messages)))]
#[post("/documents/{document_id}/sync/")]
async fn say(state: Data<State>, speaks: Speaks, body: Json<Sent>) -> Result<HttpResponse, ApiError> {
    let messages = checked(body.0.messages)?;
    let mut visit = Visit::begin(&state, &speaks);
    let heard = visit.say(messages, COMMIT).await;
    visit.end().await;
    Ok(answer(heard?))
}
