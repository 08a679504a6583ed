//! Carries changes of access to what is open on this node: sockets, streams, and the memory of good logins.
//!
//! Every change of who may do what moves its workspace's counter on. The counters of the workspaces that are live here are
//! looked at four times a second, and whenever facts were recorded; a counter that stands elsewhere has everything of its
//! workspace asked again. So nothing that is lost on the way between nodes can leave somebody in.

use crate::streams::Streams;
use backends::signal::{Signal, Signals};
use collab::Rooms;
use events::access::versions;
use kernel::id::WorkspaceId;
use sea_orm::{DatabaseConnection, DbErr};
use std::{collections::HashMap, time::Duration};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use users::Accounts;

/// How often the counters are looked at: a revocation has to arrive within a second.
const LOOK: Duration = Duration::from_millis(250);

struct Revocation {
    db: DatabaseConnection,
    rooms: Rooms,
    streams: Streams,
    accounts: Accounts,
    known: HashMap<WorkspaceId, i64>,
}

/// Runs until the signals end; the caller owns its task.
pub async fn run(db: DatabaseConnection, signals: Signals, rooms: Rooms, streams: Streams, accounts: Accounts) {
    let mut heard = signals.subscribe();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut revocation = Revocation {
        db,
        rooms,
        streams,
        accounts,
        known: HashMap::new(),
    };
    loop {
        tokio::select! {
            _ = look.tick() => {}
            goes_on = facts(&mut heard) => if !goes_on { return },
        }
        if let Err(error) = revocation.look().await {
            tracing::warn!(%error, "cannot look whether access has changed; trying again");
        }
    }
}

/// Waits until facts were recorded. False at the end.
async fn facts(heard: &mut Receiver<Signal>) -> bool {
    loop {
        match heard.recv().await {
            Ok(Signal::Stamped { .. } | Signal::Gap) | Err(RecvError::Lagged(_)) => return true,
            Ok(_) => {}
            Err(RecvError::Closed) => return false,
        }
    }
}

impl Revocation {
    async fn look(&mut self) -> Result<(), DbErr> {
        let mut live = self.rooms.workspaces();
        live.extend(self.streams.workspaces());
        live.sort_unstable();
        live.dedup();
        let now = versions(&self.db, &live).await?;
        // One that is seen for the first time may have moved since its first socket was let in.
        let moved: Vec<WorkspaceId> = live
            .iter()
            .copied()
            .filter(|id| self.known.get(id) != Some(now.get(id).unwrap_or(&0)))
            .collect();
        self.known = live.into_iter().map(|id| (id, now.get(&id).copied().unwrap_or_default())).collect();
        if !moved.is_empty() {
            self.accounts.forget_standings();
        }
        for workspace in moved {
            self.streams.recheck(workspace);
            self.rooms.recheck(workspace).await;
        }
        Ok(())
    }
}
