//! Exports of pages: made here, kept until their time is over.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::files::Key;
use entity::job::State;
use futures::FutureExt;
use kernel::{clock, id::*};
use queue::list::{self, Wanted};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use transfer::export::{
    error::Error,
    make::{self, Made, Steps, Tools},
    order::Order,
    settings::Settings,
    store,
};

/// Exports pages as somebody may see them.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExportPages {
    /// What they want.
    pub order: Order,
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        if error.is_passing() {
            Self::Retry(error.to_string())
        } else {
            Self::Permanent(error.to_string())
        }
    }
}

impl Steps for Work {
    type Error = Trouble;

    async fn step(&self, done: usize, of: usize) -> Result<(), Trouble> {
        let percent = u8::try_from(90 * done / of.max(1)).unwrap_or(90);
        self.progress(percent, &format!("{done} of {of} pages")).await
    }
}

impl Job for ExportPages {
    const QUEUE: Queue = Queue::Transfers;
    const KIND: &'static str = "export_pages";
    const MAX_ATTEMPTS: i32 = 3;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let settings = &work.parts().settings.exports;
        let tools = Tools {
            db: work.db(),
            files: &work.parts().files,
            settings,
        };
        let made = make::make(tools, &self.order, work.id(), work).await?;
        if let Err(trouble) = work.progress(95, "the file is made").await {
            // Who cancelled it shall leave no file; one that was lost is another worker's by now.
            if trouble == Trouble::Cancelled {
                work.parts().files.delete(&Key::export(work.id())).await.map_err(Error::from)?;
            }
            return Err(trouble);
        }
        let expires_at = clock::now() + settings.kept;
        let result = self.result(work.id(), &made, expires_at)?;
        work.commit(Some(result.to_string()), |tx, work| {
            async move { Ok(store::keep(tx, &self.order, work.id(), (&made, expires_at)).await?) }.boxed()
        })
        .await
    }
}

impl ExportPages {
    /// What came out: where the file is, until when, and what is to be said about it.
    fn result(&self, id: JobId, made: &Made, expires_at: clock::Time) -> Result<Value, Trouble> {
        let said = serde_json::to_value(&made.said).map_err(|error| Trouble::Permanent(error.to_string()))?;
        let mut result = json!({
            "export_id": id, "format": self.order.format.name(), "name": made.name, "media_type": made.media_type, "size": made.size,
            "file": format!("/api/v1/exports/{id}/file/"), "expires_at": expires_at,
        });
        if let (Value::Object(result), Value::Object(said)) = (&mut result, said) {
            result.extend(said);
        }
        Ok(result)
    }
}

/// Insists that somebody may have one more export made, and kept.
///
/// # Errors
/// [`Error::TooManyRunning`], [`Error::TooManyKept`].
pub async fn check(db: &impl ConnectionTrait, user: UserId, settings: &Settings) -> Result<(), Error> {
    let mut open = 0;
    for state in [State::Ready, State::Running] {
        let wanted = Wanted {
            user: Some(user),
            kind: Some(ExportPages::KIND.to_owned()),
            state: Some(state),
            limit: settings.most_running,
            ..Wanted::default()
        };
        open += list::list(db, &wanted).await?.len() as u64;
    }
    if open >= settings.most_running {
        return Err(Error::TooManyRunning(open));
    }
    store::check_kept(db, user, settings).await
}
