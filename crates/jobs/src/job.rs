//! What a kind of job is.

use crate::work::{Done, Trouble, Work};
use queue::{NewJob, Priority};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// The lines in which jobs stand. A slow one holds up only its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Letters.
    Mail,
    /// Activity reports.
    Reports,
    /// Snapshots and compaction of pages.
    Documents,
    /// What is found by its words.
    Search,
    /// What is exported and imported.
    Transfers,
    /// What happens at night.
    Upkeep,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 6] = [
        Self::Mail,
        Self::Reports,
        Self::Documents,
        Self::Search,
        Self::Transfers,
        Self::Upkeep,
    ];

    /// The name that stands in the table and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Reports => "reports",
            Self::Documents => "documents",
            Self::Search => "search",
            Self::Transfers => "transfers",
            Self::Upkeep => "upkeep",
        }
    }

    /// Queues by their names, with commas between them; none named means all.
    ///
    /// # Errors
    /// Names what is no queue.
    pub fn list(names: &str) -> Result<Vec<Self>, String> {
        let names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            return Ok(Self::ALL.to_vec());
        }
        let mut queues: Vec<Self> = Vec::new();
        for name in names {
            let queue = name.parse()?;
            if !queues.contains(&queue) {
                queues.push(queue);
            }
        }
        Ok(queues)
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Queue {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|queue| queue.name() == name);
        found.ok_or_else(|| format!("names {name:?}, which is no queue; there are {known}"))
    }
}

/// A kind of job: its payload, and what is done with it. Its effect has to be one that can be repeated, or be committed
/// together with its end.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Which line it stands in.
    const QUEUE: Queue;
    /// A verb and a thing: `send_mail`.
    const KIND: &'static str;
    /// Counts up when the payload changes its shape: a queue outlives the program that wrote it.
    const VERSION: i32 = 1;
    /// Before or after others of its queue.
    const PRIORITY: Priority = Priority::Normal;
    /// After as many it is dead.
    const MAX_ATTEMPTS: i32 = 10;

    /// Does it.
    fn run(self, work: &Work) -> impl Future<Output = Result<Done, Trouble>> + Send;

    /// Brings an older version's payload up to date; none when that cannot be done.
    fn upgrade(_version: i32, _payload: Value) -> Option<Value> {
        None
    }

    /// As a job to be enqueued.
    ///
    /// # Errors
    /// When the payload does not serialise.
    fn job(&self) -> Result<NewJob, queue::Error> {
        let job = NewJob::new(Self::QUEUE.name(), Self::KIND, Self::VERSION, self)?;
        Ok(NewJob {
            priority: Self::PRIORITY,
            max_attempts: Self::MAX_ATTEMPTS,
            ..job
        })
    }
}

/// Reads a payload of any version that is known here.
pub(crate) fn parse<J: Job>(version: i32, payload: &str) -> Result<J, Trouble> {
    let unreadable = |error: serde_json::Error| Trouble::Permanent(format!("the payload cannot be read: {error}"));
    let value: Value = serde_json::from_str(payload).map_err(unreadable)?;
    let value = match version {
        same if same == J::VERSION => value,
        // During a rolling update an older worker may meet a newer job: another worker will take it.
        newer if newer > J::VERSION => return Err(Trouble::Retry(format!("version {newer} is newer than this worker"))),
        older => J::upgrade(older, value).ok_or_else(|| Trouble::Permanent(format!("version {older} is no longer known")))?,
    };
    serde_json::from_value(value).map_err(unreadable)
}
