//! Background work, waiting, running and over: the queue itself.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `jobs`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    /// The job's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    /// Which line it stands in: `mail`, `reports`.
    pub queue: String,
    /// What is to be done, a verb and a thing: `send_mail`.
    pub kind: String,
    /// The version of its payload.
    pub version: i32,
    /// What it needs to know, as JSON.
    pub payload: String,
    /// 0 goes first, 2 last.
    pub priority: i32,
    /// How it stands.
    pub state: State,
    /// How often it was begun; also the token that fences off a worker whose lease ran out.
    pub attempts: i32,
    /// After as many it is dead.
    pub max_attempts: i32,
    /// Milliseconds since 1970: not begun before; of a running one, when its lease ends.
    pub due_at: i64,
    /// Who runs it, or ran it last.
    pub worker: Option<String>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// No other job has the same.
    pub unique_key: Option<String>,
    /// Whether it keeps its key for ever, or only until it is begun.
    pub keeps_key: bool,
    /// The tenant it is done for.
    pub workspace_id: Option<WorkspaceId>,
    /// Who asked for it; none for the product itself.
    pub user_id: Option<UserId>,
    /// How far it is, 0 to 100.
    pub progress: Option<i32>,
    /// What it is doing, for people.
    pub message: Option<String>,
    /// What came out, as JSON.
    pub result: Option<String>,
    /// Somebody wants it to stop.
    pub cancel_requested: bool,
    /// When it was asked for.
    pub created_at: Time,
    /// When it was last begun.
    pub started_at: Option<Time>,
    /// When it was over, one way or another.
    pub finished_at: Option<Time>,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum State {
    /// Waits to be begun.
    #[sea_orm(string_value = "ready")]
    Ready,
    /// A worker is at it.
    #[sea_orm(string_value = "running")]
    Running,
    /// Done.
    #[sea_orm(string_value = "done")]
    Done,
    /// Given up after its last attempt; an administrator may let it try again.
    #[sea_orm(string_value = "dead")]
    Dead,
    /// Somebody stopped it.
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

impl State {
    /// The name that stands in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens to it by itself.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Cancelled)
    }
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
