//! Settling: what concurrent edits left behind is written down as it is seen. Circles of blocks, blocks under what is deleted,
//! and an editor's block markers inside a block's text.
//!
//! The node that put the offending change into the log does it, in the same commit where it can. What it writes is what
//! every replica shows already, so a second node that does the same changes nothing; and one that has nothing to settle
//! writes nothing, so nodes do not answer each other.

use super::{
    Now, Room,
    echo::{About, Item},
    work::{Broken, Draft},
};
use bytes::Bytes;
use documents::{
    error::Error,
    log::{Entry, Source},
    patches,
};

impl Room {
    /// Puts what has to be settled behind a batch.
    pub(super) fn settle(&mut self, draft: &mut Draft, now: Now) -> Result<(), Broken> {
        if !self.page.is_unsettled() {
            return Ok(());
        }
        let edited = match self.page.settle(&self.settings.limits, now.ms) {
            Ok(edited) => edited,
            Err(Error::Broken(_)) => return Err(Broken),
            // A full page stays as it is; it reads the same.
            Err(error) => {
                tracing::debug!(document = %self.document, %error, "a page is not settled");
                return Ok(());
            }
        };
        let Some(change) = edited.change else { return Ok(()) };
        let from_seq = self.head.seq + draft.entries.len() as i64;
        draft.items.push(Item {
            from_seq,
            to_seq: from_seq + 1,
            about: About {
                source: Source::Server,
                at_ms: now.ms,
                ..About::default()
            },
            ops: patches::to_ops(&edited.patches, self.page.mirror()),
            changes: vec![Bytes::copy_from_slice(change.raw_bytes())],
            touched: patches::touched(&edited.patches),
        });
        let is_known =
            self.actors.contains_key(change.actor_id()) || draft.entries.iter().any(|e| e.change.actor_id() == change.actor_id());
        draft.entries.push(Entry {
            change,
            user: None,
            message_id: None,
            source: Source::Server,
            binds_actor: !is_known,
        });
        Ok(())
    }
}
