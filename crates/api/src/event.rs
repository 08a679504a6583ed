//! A fact as clients see it: the same in the feed, in the audit log and on the live stream.

use entity::event;
use kernel::{clock::Time, id::*};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A fact.
#[derive(Serialize, ToSchema)]
pub struct Event {
    /// The fact's id.
    #[schema(value_type = uuid::Uuid)]
    id: EventId,
    /// Its number in the workspace's log, from 1 and without gaps in the log itself.
    #[schema(example = 42)]
    seq: Option<i64>,
    /// What happened: a resource and a verb in the past tense.
    #[serde(rename = "type")]
    #[schema(example = "document.created")]
    kind: String,
    /// Where.
    #[schema(value_type = Option<uuid::Uuid>)]
    workspace_id: Option<WorkspaceId>,
    /// Who did it; null for the product itself.
    #[schema(value_type = Option<uuid::Uuid>)]
    user_id: Option<UserId>,
    /// The thing it happened to.
    subject_id: Option<uuid::Uuid>,
    /// Ids and small values; `GET /event-types/` describes those of each type.
    #[schema(value_type = Object)]
    payload: Value,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    created_at: Time,
}

impl From<event::Model> for Event {
    fn from(row: event::Model) -> Self {
        Self {
            id: row.id,
            seq: row.seq,
            kind: row.kind,
            workspace_id: row.workspace_id,
            user_id: row.user_id,
            subject_id: row.subject_id,
            payload: serde_json::from_str(&row.payload).unwrap_or_default(),
            created_at: row.created_at,
        }
    }
}
