//! The relay: turns facts that were appended into numbered entries of the log, and into what follows from them, all in
//! one transaction; then says so. Every process runs one; whose transaction holds the lock does the work.

use crate::consequences;
use backends::{
    db,
    signal::{Signal, Signals},
};
use entity::event;
use events::relay::{Round, stamp};
use kernel::id::*;
use sea_orm::{ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use std::{collections::BTreeSet, time::Duration};
use tokio_util::sync::CancellationToken;

/// Facts in one transaction.
const AT_ONCE: u64 = 500;
/// How often the relay looks by itself: for facts of other processes, and for a hint that was lost.
const POLL: Duration = Duration::from_millis(500);
/// Pause when another node is at it: it may have looked before the fact was there.
const BUSY: Duration = Duration::from_millis(20);

/// Relays until `stop` is cancelled.
pub async fn run(db: DatabaseConnection, signals: Signals, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match catch_up(&db, &signals).await {
            Ok(true) => POLL,
            Ok(false) => BUSY,
            Err(error) => {
                tracing::warn!(%error, "the relay cannot work; trying again");
                POLL
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
            () = signals.has_appended() => {}
        }
    }
}

/// Stamps until there is nothing left. `false` when another node is at it.
///
/// # Errors
/// What the database or a consequence says; then the round was rolled back and is tried again.
pub async fn catch_up(db: &DatabaseConnection, signals: &Signals) -> Result<bool, queue::Error> {
    // A look costs less than a transaction that writes.
    while has_unstamped(db).await? {
        match round(db).await? {
            None => return Ok(false),
            Some(round) => round.tell(signals),
        }
    }
    Ok(true)
}

async fn has_unstamped(db: &DatabaseConnection) -> Result<bool, sea_orm::DbErr> {
    let one = event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .filter(event::Column::Seq.is_null())
        .into_tuple::<EventId>()
        .one(db)
        .await?;
    Ok(one.is_some())
}

/// What was committed, to be told.
struct Stamped {
    workspaces: Vec<WorkspaceId>,
    queues: Vec<String>,
}

impl Stamped {
    fn tell(self, signals: &Signals) {
        // A message on the bus should stay small.
        for some in self.workspaces.chunks(100) {
            signals.send(Signal::Stamped { workspaces: some.to_vec() });
        }
        if !self.queues.is_empty() {
            signals.send(Signal::JobsDue { queues: self.queues });
        }
    }
}

async fn round(db: &DatabaseConnection) -> Result<Option<Stamped>, queue::Error> {
    db::write(db, async |tx: &DatabaseTransaction| {
        let Round::Stamped(events) = stamp(tx, AT_ONCE).await? else {
            return Ok(None);
        };
        let queues = consequences::of(tx, &events).await?;
        let workspaces: BTreeSet<WorkspaceId> = events.iter().filter_map(|event| event.workspace_id).collect();
        Ok(Some(Stamped {
            workspaces: workspaces.into_iter().collect(),
            queues: queues.into_iter().map(str::to_owned).collect(),
        }))
    })
    .await
}
