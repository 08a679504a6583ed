//! Asking for work.

use crate::Error;
use entity::job::{self, State};
use kernel::{
    clock::{self, Time},
    id::*,
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};
use serde::Serialize;

/// Which of several due jobs of a queue goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody waits for it.
    High,
    /// Most.
    #[default]
    Normal,
    /// Upkeep.
    Low,
}

impl Priority {
    /// As it stands in the table: 0 goes first.
    pub const fn rank(self) -> i32 {
        match self {
            Self::High => 0,
            Self::Normal => 1,
            Self::Low => 2,
        }
    }
}

/// What makes a job the same as another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Unique {
    /// Every one is another.
    #[default]
    No,
    /// There is one with this key, for as long as its row is kept, a week after its end.
    Once(String),
    /// There is one with this key until it is begun: what comes afterwards may not have been seen by it.
    WhileWaiting(String),
}

/// A job to be done.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Which line it stands in.
    pub queue: &'static str,
    /// What is to be done.
    pub kind: &'static str,
    /// The version of the payload.
    pub version: i32,
    /// What it needs to know, as JSON.
    pub payload: String,
    /// Before or after others.
    pub priority: Priority,
    /// Whether there is only one.
    pub unique: Unique,
    /// Not before this; now when left out.
    pub run_at: Option<Time>,
    /// After as many attempts it is dead.
    pub max_attempts: i32,
    /// The tenant it is done for.
    pub workspace: Option<WorkspaceId>,
    /// Who asked for it; they see it, and may cancel it.
    pub user: Option<UserId>,
}

impl NewJob {
    /// A job of a kind, with the usual of everything else.
    ///
    /// # Errors
    /// When the payload does not serialise.
    pub fn new(queue: &'static str, kind: &'static str, version: i32, payload: &impl Serialize) -> Result<Self, Error> {
        Ok(Self {
            queue,
            kind,
            version,
            payload: serde_json::to_string(payload)?,
            priority: Priority::default(),
            unique: Unique::default(),
            run_at: None,
            max_attempts: 10,
            workspace: None,
            user: None,
        })
    }
}

/// Enqueues a job in the caller's transaction. `None` when there is one with its key already.
///
/// # Errors
/// Only the database's.
pub async fn add(tx: &impl ConnectionTrait, new: NewJob) -> Result<Option<JobId>, Error> {
    let (id, now) = (JobId::new(), clock::now());
    let (unique_key, keeps_key) = match new.unique {
        Unique::No => (None, false),
        Unique::Once(key) => (Some(key), true),
        Unique::WhileWaiting(key) => (Some(key), false),
    };
    let row = job::ActiveModel {
        id: Set(id),
        queue: Set(new.queue.to_owned()),
        kind: Set(new.kind.to_owned()),
        version: Set(new.version),
        payload: Set(new.payload),
        priority: Set(new.priority.rank()),
        state: Set(State::Ready),
        attempts: Set(0),
        max_attempts: Set(new.max_attempts),
        due_at: Set(new.run_at.unwrap_or(now).timestamp_millis()),
        worker: Set(None),
        error: Set(None),
        unique_key: Set(unique_key),
        keeps_key: Set(keeps_key),
        workspace_id: Set(new.workspace),
        user_id: Set(new.user),
        progress: Set(None),
        message: Set(None),
        result: Set(None),
        cancel_requested: Set(false),
        created_at: Set(now),
        started_at: Set(None),
        finished_at: Set(None),
    };
    let same = OnConflict::new().do_nothing().to_owned();
    let inserted = job::Entity::insert(row).on_conflict(same).exec_without_returning(tx).await?;
    Ok((inserted > 0).then_some(id))
}
