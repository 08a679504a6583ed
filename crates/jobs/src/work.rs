//! What a job sees of the world while it runs: the parts of the product, its own progress, and how it ends.

use crate::{Job, Parts};
use backends::{
    db,
    signal::{JobNews, Signal},
};
use futures::future::BoxFuture;
use kernel::{error::Explain, id::JobId};
use parking_lot::Mutex;
use queue::{
    Claim, Unique,
    lease::{self, Held},
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr};
use std::collections::BTreeSet;
use tokio_util::sync::CancellationToken;

/// An attempt that went well.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    /// The effect can be repeated; that it is done still has to be written down, with this result.
    Repeatable(Option<String>),
    /// Effect and end were committed together.
    Committed,
}

/// An attempt that did not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It may go better later.
    #[error("{0}")]
    Retry(String),
    /// It will never go better.
    #[error("{0}")]
    Permanent(String),
    /// Somebody wanted it to stop.
    #[error("cancelled")]
    Cancelled,
    /// The same, and this is the result until then.
    #[error("cancelled on the way")]
    Stopped(String),
    /// Another worker has it by now.
    #[error("the lease was lost")]
    Lost,
}

impl From<DbErr> for Trouble {
    fn from(error: DbErr) -> Self {
        Self::Retry(error.to_string())
    }
}

impl From<queue::Error> for Trouble {
    fn from(error: queue::Error) -> Self {
        Self::Retry(error.to_string())
    }
}

impl From<documents::error::Error> for Trouble {
    fn from(error: documents::error::Error) -> Self {
        match error.kind() {
            kernel::error::Kind::NotFound => Self::Permanent(error.to_string()),
            _ => Self::Retry(error.to_string()),
        }
    }
}

impl From<attachments::Error> for Trouble {
    fn from(error: attachments::Error) -> Self {
        match error.kind() {
            kernel::error::Kind::NotFound => Self::Permanent(error.to_string()),
            _ => Self::Retry(error.to_string()),
        }
    }
}

/// A running attempt.
pub struct Work {
    parts: Parts,
    claim: Claim,
    cancelled: CancellationToken,
    /// Queues that got jobs from this one, to be woken once it is committed.
    woken: Mutex<BTreeSet<&'static str>>,
}

impl Work {
    pub(crate) fn new(parts: Parts, claim: Claim, cancelled: CancellationToken) -> Self {
        Self {
            parts,
            claim,
            cancelled,
            woken: Mutex::default(),
        }
    }

    /// The parts of the product.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The database.
    pub fn db(&self) -> &DatabaseConnection {
        &self.parts.db
    }

    /// The job's id: the same for every attempt, so an effect outside of the database can be told from its repetition.
    pub fn id(&self) -> JobId {
        self.claim.id
    }

    pub(crate) fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Goes on only if nobody wants this to stop.
    ///
    /// # Errors
    /// [`Trouble::Cancelled`].
    pub fn go_on(&self) -> Result<(), Trouble> {
        if self.cancelled.is_cancelled() {
            Err(Trouble::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Says how far it is: 0 to 100, and what it is doing.
    ///
    /// # Errors
    /// [`Trouble::Cancelled`] and [`Trouble::Lost`], so that long work stops at its next step; the database's.
    pub async fn progress(&self, percent: u8, message: &str) -> Result<(), Trouble> {
        let held = lease::progress(self.db(), &self.claim, percent, message).await?;
        self.tell(percent, message);
        match held {
            Held::Yes => self.go_on(),
            Held::CancelRequested => Err(Trouble::Cancelled),
            Held::Lost => Err(Trouble::Lost),
        }
    }

    /// Commits the effect together with the end of the job: both, or none of them, and only as long as the lease holds.
    ///
    /// # Errors
    /// The effect's, [`Trouble::Lost`], or the database's.
    pub async fn commit(
        &self,
        result: Option<String>,
        effect: impl for<'t> FnOnce(&'t DatabaseTransaction, &'t Self) -> BoxFuture<'t, Result<(), Trouble>> + Send,
    ) -> Result<Done, Trouble> {
        db::write(self.db(), async |tx: &DatabaseTransaction| {
            effect(tx, self).await?;
            match queue::succeed(tx, &self.claim, result).await? {
                true => Ok(()),
                false => Err(Trouble::Lost),
            }
        })
        .await?;
        Ok(Done::Committed)
    }

    /// The same for a job of which there are many, and whose good end nobody looks at: no row is left of it.
    ///
    /// # Errors
    /// The effect's, [`Trouble::Lost`], or the database's.
    pub async fn vanish(
        &self,
        effect: impl for<'t> FnOnce(&'t DatabaseTransaction, &'t Self) -> BoxFuture<'t, Result<(), Trouble>> + Send,
    ) -> Result<Done, Trouble> {
        db::write(self.db(), async |tx: &DatabaseTransaction| {
            effect(tx, self).await?;
            match queue::vanish(tx, &self.claim).await? {
                true => Ok(()),
                false => Err(Trouble::Lost),
            }
        })
        .await?;
        Ok(Done::Committed)
    }

    /// Enqueues another job in a transaction of this one; its queue is woken when this one is over.
    ///
    /// # Errors
    /// Only the database's.
    pub async fn enqueue(&self, tx: &impl ConnectionTrait, job: &impl Job, unique: Unique) -> Result<(), Trouble> {
        let mut new = job.job()?;
        new.unique = unique;
        new.workspace = self.claim.workspace_id;
        self.woken.lock().insert(new.queue);
        queue::add(tx, new).await?;
        Ok(())
    }

    /// Tells the rest of the product that this attempt is over.
    pub(crate) fn over(&self, percent: u8, message: &str) {
        let queues: Vec<String> = self.woken.lock().iter().map(|queue| (*queue).to_owned()).collect();
        if !queues.is_empty() {
            self.parts.signals.send(Signal::JobsDue { queues });
        }
        self.parts.signals.appended();
        self.tell(percent, message);
    }

    fn tell(&self, percent: u8, message: &str) {
        if self.claim.user_id.is_some() {
            self.parts.signals.send(Signal::JobChanged(JobNews {
                job: self.claim.id,
                kind: self.claim.kind.clone(),
                workspace: self.claim.workspace_id,
                user: self.claim.user_id,
                progress: percent,
                message: message.to_owned(),
            }));
        }
    }
}
