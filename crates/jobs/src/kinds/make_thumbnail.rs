//! Small pictures of a picture that was uploaded.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use attachments::thumbnail;
use futures::FutureExt;
use kernel::id::AttachmentId;
use serde::{Deserialize, Serialize};

/// Makes the thumbnails of a file. Of one that is no picture, or a broken one, none are made.
#[derive(Debug, Serialize, Deserialize)]
pub struct MakeThumbnail {
    /// The file.
    pub attachment: AttachmentId,
}

impl Job for MakeThumbnail {
    const QUEUE: Queue = Queue::Documents;
    const KIND: &'static str = "make_thumbnail";
    const MAX_ATTEMPTS: i32 = 5;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let Some(made) = thumbnail::make(work.db(), &work.parts().files, self.attachment).await? else {
            return Ok(Done::Repeatable(None));
        };
        work.commit(None, |tx, _| async move { Ok(thumbnail::remember(tx, made).await?) }.boxed())
            .await
    }
}
