//! What happened: the one log that is activity feed, audit trail and outbox.
//!
//! A fact is [`append`]ed in the transaction that makes it true, so neither stands without the other. The [`relay`]
//! stamps it afterwards with the next number of its tenant and chains it to the entry before ([`chain`]); [`verify`]
//! tells whether anything was changed since, and [`retention`] cuts old entries off at signed [`checkpoint`]s. Keystrokes
//! never go through it: a page being edited appends one debounced [`Change::DocumentEdited`].

pub mod access;
pub mod chain;
pub mod change;
pub mod checkpoint;
pub mod describe;
pub mod partition;
pub mod read;
pub mod relay;
pub mod retention;
pub mod verify;

pub use change::{Audience, Change, EventType, audience, catalogue};

use entity::event;
use kernel::{clock, id::*};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait};

/// Who did something, and in which tenant. `None` as the user is the product itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By {
    /// The tenant; none for what belongs to no tenant.
    pub workspace: Option<WorkspaceId>,
    /// The person.
    pub user: Option<UserId>,
}

/// Appends a fact to the log, in the caller's transaction. One that changes who may do what moves the counters of
/// [`access`] on with it.
///
/// # Errors
/// Only the database's.
pub async fn append(tx: &impl ConnectionTrait, by: By, change: Change) -> Result<EventId, DbErr> {
    let (id, changes_access) = (EventId::new(), change.changes_access());
    let row = event::ActiveModel {
        id: Set(id),
        workspace_id: Set(by.workspace),
        user_id: Set(by.user),
        kind: Set(change.kind().to_owned()),
        subject_id: Set(Some(change.subject())),
        payload: Set(change.payload()),
        created_at: Set(clock::now()),
        seq: Set(None),
        hash: Set(None),
    };
    event::Entity::insert(row).exec_without_returning(tx).await?;
    if changes_access {
        access::moved(tx, by).await?;
    }
    Ok(id)
}

#[cfg(test)]
mod tests;
