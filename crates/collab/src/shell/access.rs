//! What people on this page may do, asked again when it may have changed.

use super::{Shell, now};
use crate::{
    close::Close,
    room::{Input, Rights},
};

impl Shell {
    /// Asks again what everybody here may do. Who cannot be asked about loses the page: better a reconnect than a leak.
    pub(super) async fn recheck(&mut self) {
        self.follow().await;
        let (db, everybody) = (&self.shared.db, self.room.everybody());
        let version = events::access::version(db, self.workspace()).await;
        let found = workspaces::access::rights(db, self.document, &everybody).await;
        let rights = match (version, found) {
            (Ok(version), Ok(found)) => Rights {
                version,
                of: found
                    .into_iter()
                    .map(|(who, level)| (who, level.ok_or(Close::Unauthenticated)))
                    .collect(),
            },
            (_, Err(error)) | (Err(error), _) => {
                tracing::warn!(document = %self.document, %error, "cannot ask what people may do; they have to come again");
                Rights {
                    version: 0,
                    of: everybody.into_iter().map(|who| (who, Err(Close::Internal))).collect(),
                }
            }
        };
        self.room.take(Input::Rights(rights), now());
    }

    /// The page may be in another workspace than when the room was opened.
    async fn follow(&mut self) {
        if let Ok(row) = self.shared.row(self.document).await
            && row.workspace_id != self.workspace()
        {
            self.room.moved_to(row.workspace_id);
            self.shared.know_workspace(self.document, self).await;
        }
    }

    /// Somebody may not edit any more, and nothing was written: their edits are refused, the others' tried again.
    pub(super) async fn sort_out(&mut self) {
        let pending = self.room.take_pending();
        if self.reload().await
            && let Some(pending) = pending
        {
            self.room.requeue(pending);
            self.recheck().await;
        }
    }
}
