//! Taking locks and leases, going on with them, and giving them back.

use super::{
    Held, Holder, Kind, MAX_LEASE, MAX_REASON,
    stand::{held, hold},
};
use crate::error::Error;
use entity::document_lock;
use events::Change;
use kernel::{
    clock::{self, Time},
    id::*,
    role::Level,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::{Expr, LockType, OnConflict},
};
use std::time::Duration;
use workspaces::access::{AccessError, DocumentAccess, EditDocument};

/// A person's lock to be put on a page.
#[derive(Clone, Debug, Default)]
pub struct NewLock {
    /// What it is for.
    pub reason: Option<String>,
    /// When it ends by itself; never, when there is none.
    pub expires_at: Option<Time>,
}

/// A lease to be taken, or renewed by whoever has it.
#[derive(Clone, Debug)]
pub struct NewLease {
    /// The lease of an operation that goes on. Without it a person's own lease goes on, or a new one begins.
    pub token: Option<LockId>,
    /// Whose edits pass.
    pub holder: Holder,
    /// What it is for.
    pub reason: Option<String>,
    /// For how long; a minute at most.
    pub ttl: Duration,
}

fn checked_reason(reason: Option<String>) -> Result<Option<String>, Error> {
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > MAX_REASON) {
        return Err(Error::invalid(
            "/reason",
            "too_long",
            format!("takes at most {MAX_REASON} characters"),
        ));
    }
    Ok(reason)
}

/// Locks a page, or says anew until when and why. Whoever manages the page takes over the lock of somebody else.
///
/// # Errors
/// Invalid fields; [`Error::Locked`] when somebody else holds the page.
pub async fn lock(tx: &DatabaseTransaction, access: &DocumentAccess<EditDocument>, new: NewLock) -> Result<Held, Error> {
    only_people(access)?;
    let reason = checked_reason(new.reason)?;
    let now = clock::now();
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(Error::invalid("/expires_at", "in_the_past", "lies in the future"));
    }
    hold(tx, access.id(), LockType::Update).await?;
    let stand = held(tx, access.id()).await?;
    let mine = Holder::Person(access.user());
    let may_take = |other: &Held| other.holder == mine || other.kind == Kind::Lock && access.level() >= Level::Manage;
    if let Some(other) = stand.iter().find(|held| !may_take(held)) {
        return Err(Error::Locked(Box::new(other.clone())));
    }
    let before = stand.iter().find(|held| held.kind == Kind::Lock && held.holder == mine);
    let held = Held {
        token: before.map_or_else(LockId::new, |before| before.token),
        kind: Kind::Lock,
        holder: mine,
        reason,
        created_at: before.map_or(now, |before| before.created_at),
        expires_at: new.expires_at,
    };
    put(tx, access.id(), &held).await?;
    let fact = Change::DocumentLocked {
        document: access.id(),
        lock: held.token,
    };
    events::append(tx, access.by(), fact).await?;
    Ok(held)
}

/// Takes a person's lock off a page: the owner, or whoever manages the page. Nothing happens when there is none.
///
/// # Errors
/// [`AccessError::Forbidden`] for others.
pub async fn unlock(tx: &DatabaseTransaction, access: &DocumentAccess<EditDocument>) -> Result<(), Error> {
    hold(tx, access.id(), LockType::Update).await?;
    let stand = held(tx, access.id()).await?;
    let Some(held) = stand.into_iter().find(|held| held.kind == Kind::Lock) else {
        return Ok(());
    };
    if held.holder.owner() != access.user() && access.level() < Level::Manage {
        return Err(AccessError::Forbidden.into());
    }
    release(tx, access.id(), held.token).await?;
    let fact = Change::DocumentUnlocked {
        document: access.id(),
        lock: held.token,
    };
    events::append(tx, access.by(), fact).await?;
    Ok(())
}

/// Takes a lease, or goes on with the one that the holder has.
///
/// # Errors
/// [`Error::Locked`] when somebody else holds the page; [`Error::LockLost`] when the lease to go on with is gone.
pub async fn lease(tx: &DatabaseTransaction, access: &DocumentAccess<EditDocument>, new: NewLease) -> Result<Held, Error> {
    let reason = checked_reason(new.reason)?;
    if let Holder::Person(_) = new.holder {
        only_people(access)?;
    }
    hold(tx, access.id(), LockType::Update).await?;
    let stand = held(tx, access.id()).await?;
    let goes_on = |held: &Held| match (new.token, new.holder) {
        (Some(token), _) => held.token == token,
        (None, mine @ Holder::Person(_)) => held.holder == mine,
        (None, Holder::Server(_)) => false,
    };
    let before = stand.iter().find(|held| held.kind == Kind::Lease && goes_on(held));
    if new.token.is_some() && before.is_none() {
        return Err(Error::LockLost);
    }
    let is_in_the_way = |held: &&Held| match held.kind {
        Kind::Lock => held.holder.owner() != access.user(),
        Kind::Lease => !goes_on(held),
    };
    if let Some(other) = stand.iter().find(is_in_the_way) {
        return Err(Error::Locked(Box::new(other.clone())));
    }
    let now = clock::now();
    let held = Held {
        token: before.map_or_else(LockId::new, |before| before.token),
        kind: Kind::Lease,
        holder: new.holder,
        reason: reason.or_else(|| before.and_then(|before| before.reason.clone())),
        created_at: before.map_or(now, |before| before.created_at),
        expires_at: Some(now + new.ttl.min(MAX_LEASE)),
    };
    put(tx, access.id(), &held).await?;
    Ok(held)
}

/// Whoever holds a share link is nobody that others could ask to unlock.
fn only_people(access: &DocumentAccess<EditDocument>) -> Result<(), Error> {
    if access.who().is_person() {
        Ok(())
    } else {
        Err(AccessError::Forbidden.into())
    }
}

/// Lets a lease last longer. `false` when it is over already: then somebody else may have had the page since.
///
/// # Errors
/// Only the database's.
pub async fn renew(tx: &impl ConnectionTrait, document: DocumentId, token: LockId, ttl: Duration) -> Result<bool, DbErr> {
    let now = clock::now();
    let renewed = document_lock::Entity::update_many()
        .col_expr(document_lock::Column::ExpiresAt, Expr::value(Some(now + ttl.min(MAX_LEASE))))
        .filter(named(document, token))
        .filter(document_lock::Column::ExpiresAt.gt(now))
        .exec(tx)
        .await?;
    Ok(renewed.rows_affected > 0)
}

/// Ends a lock of this name, if it stands.
///
/// # Errors
/// Only the database's.
pub async fn release(tx: &impl ConnectionTrait, document: DocumentId, token: LockId) -> Result<bool, DbErr> {
    let gone = document_lock::Entity::delete_many().filter(named(document, token)).exec(tx).await?;
    Ok(gone.rows_affected > 0)
}

pub(super) fn named(document: DocumentId, token: LockId) -> Condition {
    Condition::all()
        .add(document_lock::Column::DocumentId.eq(document))
        .add(document_lock::Column::Token.eq(token))
}

async fn put(tx: &impl ConnectionTrait, document: DocumentId, held: &Held) -> Result<(), DbErr> {
    let row = document_lock::Model {
        document_id: document,
        kind: held.kind.name().to_owned(),
        token: held.token,
        owner_id: held.holder.owner(),
        holder: held.holder.name().to_owned(),
        reason: held.reason.clone(),
        created_at: held.created_at,
        expires_at: held.expires_at,
    };
    use document_lock::Column;
    let instead = OnConflict::columns([Column::DocumentId, Column::Kind])
        .update_columns([
            Column::Token,
            Column::OwnerId,
            Column::Holder,
            Column::Reason,
            Column::CreatedAt,
            Column::ExpiresAt,
        ])
        .to_owned();
    document_lock::Entity::insert(row.into_active_model())
        .on_conflict(instead)
        .exec_without_returning(tx)
        .await
        .map(drop)
}
