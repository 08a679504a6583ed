//! Removing what was sent to be imported, when nothing will read it any more.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::files::{Area, FilesError};
use futures::TryStreamExt;
use kernel::clock;
use queue::Priority;
use serde::{Deserialize, Serialize};

/// How long an import may wait and be tried again: all its attempts take less.
const KEPT_HOURS: i64 = 48;

/// Removes files that were sent two days ago and more. An import that ends removes its own.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetImports {}

impl Job for ForgetImports {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "forget_imports";
    const PRIORITY: Priority = Priority::Low;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let (files, before) = (&work.parts().files, clock::now() - chrono::TimeDelta::hours(KEPT_HOURS));
        let later = |error: FilesError| Trouble::Retry(error.to_string());
        let (mut listed, mut gone) = (files.list(Area::Imports), 0_u64);
        while let Some(file) = listed.try_next().await.map_err(later)? {
            work.go_on()?;
            if file.modified_at < before {
                files.delete(&file.key).await.map_err(later)?;
                gone += 1;
            }
        }
        Ok(Done::Repeatable(Some(format!("{{\"files\":{gone}}}"))))
    }
}
