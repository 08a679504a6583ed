//! The audit log: everything, for admins; and whether it is what was written.

use super::{Filter, export, listing};
use crate::{
    event::Event,
    extract::{Can, Query},
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, get, web::Data};
use events::verify::Verdict;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::{access::ReadAudit, audit};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(verify).service(export_all);
}

/// Whether the log is what was written.
#[derive(Serialize, ToSchema)]
struct Verification {
    /// Nothing was changed, removed or put in between.
    is_intact: bool,
    /// Entries that were looked at.
    #[schema(example = 1312)]
    entries: u64,
    /// Signed checkpoints that were looked at.
    checkpoints: u64,
    /// Entries up to this number were cut off by the retention; 0 when none were.
    floor_seq: i64,
    /// The last number that is known to be good.
    seq: i64,
    /// The first thing that is wrong.
    fault: Option<FaultShape>,
}

/// What is wrong with the log.
#[derive(Serialize, ToSchema)]
struct FaultShape {
    /// The number at which it shows.
    seq: i64,
    /// `altered`, `missing`, `head_differs`, `cut_without_checkpoint`, `checkpoint_differs`, `checkpoint_forged` or
    /// `checkpoint_key_unknown`.
    #[schema(example = "altered")]
    kind: &'static str,
}

impl From<Verdict> for Verification {
    fn from(verdict: Verdict) -> Self {
        Self {
            is_intact: verdict.fault.is_none(),
            entries: verdict.entries,
            checkpoints: verdict.checkpoints,
            floor_seq: verdict.floor_seq,
            seq: verdict.seq,
            fault: verdict.fault.map(|fault| FaultShape {
                seq: fault.seq,
                kind: fault.kind.name(),
            }),
        }
    }
}

/// How an export is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// One JSON object a line.
    #[default]
    Ndjson,
    /// Comma-separated values with a head line (RFC 4180).
    Csv,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct As {
    /// `ndjson` when left out.
    #[param(inline)]
    format: Option<Format>,
}

/// Read everything that happened in a workspace, newest first.
#[utoipa::path(tag = "events", operation_id = "audit_log.list", params(("workspace_id" = uuid::Uuid, Path), Filter, Paging), responses((status = 200, description = "Newest first", body = inline(Listing<Event>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/audit-log/")]
async fn list(
    state: Data<State>,
    Can(access): Can<ReadAudit>,
    filter: Query<Filter>,
    paging: Query<Paging>,
) -> Result<Listing<Event>, ApiError> {
    let wanted = filter.0.wanted(Some(&paging.0))?;
    Ok(listing(audit::list(&state.db, &access, &wanted).await?))
}

/// Check that the audit log is what was written: every entry is hashed again, every checkpoint's signature checked.
#[utoipa::path(tag = "events", operation_id = "audit_log.verify", params(("workspace_id" = uuid::Uuid, Path)), responses((status = 200, description = "What was found", body = Verification)))]
#[get("/workspaces/{workspace_id}/audit-log/verify/")]
async fn verify(state: Data<State>, Can(access): Can<ReadAudit>) -> Result<HttpResponse, ApiError> {
    let verdict = audit::verify(&state.db, &access, &state.seals).await?;
    Ok(HttpResponse::Ok().json(Verification::from(verdict)))
}

/// Download the audit log, oldest first. That it was downloaded is an entry of its own.
#[utoipa::path(tag = "events", operation_id = "audit_log.export", params(("workspace_id" = uuid::Uuid, Path), As, Filter), responses((status = 200, description = "The entries, as they are read", content_type = "application/x-ndjson", body = String)))]
#[get("/workspaces/{workspace_id}/audit-log/export/")]
async fn export_all(
    state: Data<State>,
    Can(access): Can<ReadAudit>,
    format: Query<As>,
    filter: Query<Filter>,
) -> Result<HttpResponse, ApiError> {
    let wanted = filter.0.wanted(None)?;
    state
        .write(&access, async |tx: &DatabaseTransaction| audit::exported(tx, &access).await)
        .await?;
    Ok(export::answer(
        state.db.clone(),
        access,
        wanted,
        format.0.format.unwrap_or_default(),
    ))
}
