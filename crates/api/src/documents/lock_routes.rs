//! Locks on pages: who keeps others from changing one, why and until when.

use crate::{extract::CanDocument, json::Json, problem::ApiError, state::State};
use actix_web::{HttpResponse, delete, get, put, web, web::Data};
use documents::lock::{self, Held, Kind, NewLock, Pass};
use kernel::{
    clock::{self, Time},
    error::Field,
    id::*,
    role::Level,
};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::access::{DocumentAccess, EditDocument, ViewDocument};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read).service(take).service(unlock);
}

/// The longest a lock can be asked for in seconds: a hundred years.
const MAX_SECS: u64 = 100 * 366 * 86_400;

/// A lock to be put on a page. Without an end it stays until it is taken off.
#[derive(Deserialize, ToSchema, Validate)]
struct LockBody {
    /// What for; others are told.
    #[schema(example = "final, do not edit")]
    reason: Option<String>,
    /// When it ends by itself. Not together with `expires_in_secs`.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-12-01T18:00:00Z")]
    expires_at: Option<Time>,
    /// After how many seconds it ends by itself.
    #[schema(example = 3600)]
    expires_in_secs: Option<u64>,
}

/// What the caller may do about a lock.
#[derive(Serialize, ToSchema)]
struct LockAbilities {
    /// Change the page as it is locked now.
    edit: bool,
    /// Put a lock on it, or say anew until when and why.
    lock: bool,
    /// Take the lock off.
    unlock: bool,
}

/// Whether a page is locked.
#[derive(Serialize, ToSchema)]
struct Lock {
    /// Whether somebody keeps others from changing it.
    locked: bool,
    /// `lock`: a person's, until it is taken off or ends. `lease`: for some seconds, of a client or a large operation.
    #[schema(example = "lock")]
    kind: Option<&'static str>,
    /// `person`: the owner can go on changing it. `server`: the product works on it, for the owner.
    #[schema(example = "person")]
    holder: Option<&'static str>,
    /// Who holds it, or for whom the product works on it.
    #[schema(value_type = Option<uuid::Uuid>)]
    owner_id: Option<UserId>,
    /// What for.
    #[schema(example = "final, do not edit")]
    reason: Option<String>,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Time>,
    /// When it ends by itself; null for never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
    /// What the caller may do about it.
    abilities: LockAbilities,
}

impl Lock {
    /// As the caller sees it: a lease of the moment before a lock that lasts.
    fn seen<P>(stand: &[Held], by: &DocumentAccess<P>) -> Self {
        let (user, is_manager) = (by.user(), by.level() >= Level::Manage);
        let pass = Pass { user, lease: None };
        let is_mine = |held: &Held| held.kind == Kind::Lock && (held.holder.owner() == user || is_manager);
        let may_edit = by.level() >= Level::Edit;
        let shown = stand.first();
        Self {
            locked: shown.is_some(),
            kind: shown.map(|held| held.kind.name()),
            holder: shown.map(|held| held.holder.name()),
            owner_id: shown.map(|held| held.holder.owner()),
            reason: shown.and_then(|held| held.reason.clone()),
            created_at: shown.map(|held| held.created_at),
            expires_at: shown.and_then(|held| held.expires_at),
            abilities: LockAbilities {
                edit: may_edit && lock::stop(stand, pass).is_none(),
                lock: may_edit && stand.iter().all(|held| is_mine(held) || !held.stops(pass)),
                unlock: may_edit && stand.iter().any(is_mine),
            },
        }
    }
}

impl LockBody {
    fn parsed(self) -> Result<NewLock, ApiError> {
        let bad = |pointer: &str, code, detail: &str| Err(ApiError::invalid(vec![Field::new(pointer, code, detail)]));
        let expires_at = match (self.expires_at, self.expires_in_secs) {
            (Some(_), Some(_)) => return bad("/expires_in_secs", "invalid", "is not given together with expires_at"),
            (None, Some(secs)) if !(1..=MAX_SECS).contains(&secs) => {
                return bad("/expires_in_secs", "out_of_range", "is 1 to 3162240000");
            }
            (None, Some(secs)) => Some(clock::now() + Duration::from_secs(secs)),
            (at, None) => at,
        };
        Ok(NewLock {
            reason: self.reason,
            expires_at,
        })
    }
}

/// Read whether a page is locked.
#[utoipa::path(tag = "documents", operation_id = "documents.read_lock", params(("document_id" = uuid::Uuid, Path)), responses((status = 200, description = "Who holds it, if anybody does", body = Lock)))]
#[get("/documents/{document_id}/lock/")]
async fn read(state: Data<State>, CanDocument(access): CanDocument<ViewDocument>) -> Result<web::Json<Lock>, ApiError> {
    let stand = lock::held(&state.db, access.id()).await?;
    Ok(web::Json(Lock::seen(&stand, &access)))
}

/// Lock a page against the edits of others, or say anew until when and why.
#[utoipa::path(tag = "documents", operation_id = "documents.lock", params(("document_id" = uuid::Uuid, Path)), request_body = LockBody, responses((status = 200, description = "It is yours; a manager takes over the lock of somebody else", body = Lock)))]
#[put("/documents/{document_id}/lock/")]
async fn take(
    state: Data<State>,
    CanDocument(access): CanDocument<EditDocument>,
    body: Json<LockBody>,
) -> Result<web::Json<Lock>, ApiError> {
    let new = body.0.parsed()?;
    state
        .write(&access, async |tx: &DatabaseTransaction| lock::lock(tx, &access, new).await)
        .await?;
    state.rooms.locks_changed(access.id()).await;
    let stand = lock::held(&state.db, access.id()).await?;
    Ok(web::Json(Lock::seen(&stand, &access)))
}

/// Take the lock off a page: your own, or, who manages the page, anybody's.
#[utoipa::path(tag = "documents", operation_id = "documents.unlock", params(("document_id" = uuid::Uuid, Path)), responses((status = 204, description = "It is not locked any more")))]
#[delete("/documents/{document_id}/lock/")]
async fn unlock(state: Data<State>, CanDocument(access): CanDocument<EditDocument>) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| lock::unlock(tx, &access).await)
        .await?;
    state.rooms.locks_changed(access.id()).await;
    Ok(HttpResponse::NoContent().finish())
}
