//! Reading the log. Who may read what is decided above: this crate knows no permission.

use crate::chain::INSTANCE;
use entity::{event, event_chain};
use kernel::{clock::Time, id::*};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select};

/// Which entries of a tenant's log.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of this kind, or of this resource: `document` is every `document.…`.
    pub kind: Option<String>,
    /// Done by this person.
    pub user: Option<UserId>,
    /// About this thing.
    pub subject: Option<uuid::Uuid>,
    /// From this time on.
    pub from: Option<Time>,
    /// Before this time.
    pub to: Option<Time>,
    /// None of these kinds.
    pub without: Vec<&'static str>,
}

/// Entries of one chain.
pub(crate) fn of_chain(events: Select<event::Entity>, workspace: WorkspaceId) -> Select<event::Entity> {
    if workspace == INSTANCE {
        events.filter(event::Column::WorkspaceId.is_null())
    } else {
        events.filter(event::Column::WorkspaceId.eq(workspace))
    }
}

fn wanted(workspace: WorkspaceId, wanted: &Wanted) -> Select<event::Entity> {
    let mut events = of_chain(event::Entity::find(), workspace).filter(event::Column::Seq.is_not_null());
    if let Some(kind) = &wanted.kind {
        events = if kind.contains('.') {
            events.filter(event::Column::Kind.eq(kind))
        } else {
            events.filter(event::Column::Kind.starts_with(format!("{kind}.")))
        };
    }
    if let Some(user) = wanted.user {
        events = events.filter(event::Column::UserId.eq(user));
    }
    if let Some(subject) = wanted.subject {
        events = events.filter(event::Column::SubjectId.eq(subject));
    }
    if let Some(from) = wanted.from {
        events = events.filter(event::Column::CreatedAt.gte(from));
    }
    if let Some(to) = wanted.to {
        events = events.filter(event::Column::CreatedAt.lt(to));
    }
    if !wanted.without.is_empty() {
        events = events.filter(event::Column::Kind.is_not_in(wanted.without.iter().copied()));
    }
    events
}

/// The newest entries before a number, newest first.
///
/// # Errors
/// Only the database's.
pub async fn before(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    which: &Wanted,
    seq: Option<i64>,
    limit: u64,
) -> Result<Vec<event::Model>, DbErr> {
    let mut events = wanted(workspace, which);
    if let Some(seq) = seq {
        events = events.filter(event::Column::Seq.lt(seq));
    }
    events.order_by(event::Column::Seq, Order::Desc).limit(limit).all(db).await
}

/// The oldest entries behind a number, oldest first.
///
/// # Errors
/// Only the database's.
pub async fn after(
    db: &impl ConnectionTrait,
    workspace: WorkspaceId,
    which: &Wanted,
    seq: i64,
    limit: u64,
) -> Result<Vec<event::Model>, DbErr> {
    wanted(workspace, which)
        .filter(event::Column::Seq.gt(seq))
        .order_by(event::Column::Seq, Order::Asc)
        .limit(limit)
        .all(db)
        .await
}

/// Where a tenant's log stands; none before its first entry.
///
/// # Errors
/// Only the database's.
pub async fn chain(db: &impl ConnectionTrait, workspace: WorkspaceId) -> Result<Option<event_chain::Model>, DbErr> {
    event_chain::Entity::find_by_id(workspace).one(db).await
}

/// Where the logs of many tenants stand, in one query.
///
/// # Errors
/// Only the database's.
pub async fn positions(db: &impl ConnectionTrait, workspaces: &[WorkspaceId]) -> Result<Vec<(WorkspaceId, i64)>, DbErr> {
    let mut all = Vec::with_capacity(workspaces.len());
    for some in workspaces.chunks(500) {
        let rows: Vec<(WorkspaceId, i64)> = event_chain::Entity::find()
            .select_only()
            .columns([event_chain::Column::WorkspaceId, event_chain::Column::Seq])
            .filter(event_chain::Column::WorkspaceId.is_in(some.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        all.extend(rows);
    }
    Ok(all)
}

/// Every chain there is, behind one of them in the order of their ids.
///
/// # Errors
/// Only the database's.
pub async fn chains(db: &impl ConnectionTrait, after: Option<WorkspaceId>, limit: u64) -> Result<Vec<event_chain::Model>, DbErr> {
    let chains = event_chain::Entity::find()
        .order_by_asc(event_chain::Column::WorkspaceId)
        .limit(limit);
    let chains = match after {
        Some(after) => chains.filter(event_chain::Column::WorkspaceId.gt(after)),
        None => chains,
    };
    chains.all(db).await
}
