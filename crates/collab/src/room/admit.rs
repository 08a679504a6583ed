//! Strangers' changes: through the gate, and into the page in one call; or one by one on a copy, after one of them broke it.

use super::{
    Now, Room,
    work::{Ack, Broken, Draft, Work},
};
use automerge::{ActorId, Change};
use documents::{
    error::Error,
    gate::{
        Refusal,
        change::{At, Gate, Verdict},
    },
    log::Source,
};
use kernel::id::*;
use std::sync::Arc;

impl Room {
    /// Whether an actor may be used by somebody: it is theirs, or new and not the product's own. Who first uses a new
    /// one in this batch has it.
    fn may_use(&self, actor: &ActorId, user: UserId, draft: &Draft) -> bool {
        if actor == self.page.actor() {
            return false;
        }
        if let Some(owner) = self.actors.get(actor) {
            return *owner == Some(user);
        }
        let staged = draft
            .staged
            .iter()
            .find(|(change, ..)| change.actor_id() == actor)
            .map(|(_, _, user)| Some(*user));
        let noted = || {
            draft
                .entries
                .iter()
                .find(|entry| entry.change.actor_id() == actor)
                .map(|entry| entry.user)
        };
        match staged.or_else(noted) {
            Some(owner) => owner == Some(user),
            None => self.page.seq_of(actor) == 0,
        }
    }

    /// Admits changes and keeps them for one call. A message is admitted whole or, from the first bad change on, not.
    pub(super) fn stage(&mut self, work: &Work, what: (usize, &[Vec<u8>]), draft: &mut Draft) {
        let (index, chunks) = what;
        let mut gate = std::mem::take(&mut draft.gate);
        let before = (work.source == Source::Json).then(|| (gate.clone(), draft.staged.len()));
        let mut refused = None;
        for chunk in chunks {
            let at = At {
                page: &self.page,
                limits: &self.settings.limits,
            };
            match gate.check(at, chunk, |actor| self.may_use(actor, work.user(), draft)) {
                Ok(Verdict::Admitted(change)) => draft.staged.push((*change, index, work.user())),
                Ok(Verdict::Known) => {}
                Err(refusal) => {
                    refused = Some(refusal);
                    break;
                }
            }
        }
        match (refused, before) {
            // JSON batches are atomic.
            (Some(refusal), Some((old, staged))) => {
                gate = old;
                draft.staged.truncate(staged);
                draft
                    .refusals
                    .push((work.origin.clone(), work.id.clone(), Arc::new(Error::Refused(refusal))));
            }
            (Some(refusal), None) => draft
                .refusals
                .push((work.origin.clone(), work.id.clone(), Arc::new(Error::Refused(refusal)))),
            (None, _) => {
                let seq = self.head.seq + (draft.entries.len() + draft.staged.len()) as i64;
                draft.acks.push(Ack {
                    origin: work.origin.clone(),
                    id: work.id.clone(),
                    key: work.key(),
                    seq,
                    made: Vec::new(),
                    is_duplicate: false,
                });
            }
        }
        draft.gate = gate;
    }

    /// Applies what is staged in one call.
    pub(super) fn flush(&mut self, queue: &[Work], draft: &mut Draft, now: Now) -> Result<(), Broken> {
        draft.gate = Gate::default();
        let staged = std::mem::take(&mut draft.staged);
        let Some((_, first, _)) = staged.first() else { return Ok(()) };
        let first = &queue[*first];
        let patches = self
            .page
            .apply(staged.iter().map(|(change, ..)| change.clone()).collect())
            .map_err(|_| Broken)?;
        draft.strangers = true;
        let changes = staged.into_iter().map(|(change, i, _)| (change, &queue[i])).collect();
        self.note(first, changes, &patches, (draft, now));
        Ok(())
    }

    /// Tries one message's changes on a copy, and keeps the copy only when it can be saved and loaded.
    pub(super) fn run_changes_carefully(&mut self, work: &Work, chunks: &[Vec<u8>], draft: &mut Draft, now: Now) {
        let mut trial = self.page.copy();
        let mut admitted = Vec::new();
        let mut patches = Vec::new();
        let refused = chunks.iter().find_map(|bytes| {
            let at = At {
                page: &trial,
                limits: &self.settings.limits,
            };
            let is_mine =
                |actor: &ActorId| admitted.iter().any(|c: &Change| c.actor_id() == actor) || self.may_use(actor, work.user(), draft);
            match Gate::default().check(at, bytes, is_mine) {
                Ok(Verdict::Known) => None,
                Ok(Verdict::Admitted(change)) => match trial.apply(vec![(*change).clone()]) {
                    Ok(some) => {
                        patches.extend(some);
                        admitted.push(*change);
                        None
                    }
                    Err(_) => Some(Refusal::Poisonous),
                },
                Err(refusal) => Some(refusal),
            }
        });
        let refused = refused.or_else(|| trial.save_verified().is_err().then_some(Refusal::Poisonous));
        if let Some(refusal) = refused {
            draft
                .refusals
                .push((work.origin.clone(), work.id.clone(), Arc::new(Error::Refused(refusal))));
            return;
        }
        self.page = trial;
        if !admitted.is_empty() {
            let changes = admitted.into_iter().map(|change| (change, work)).collect();
            self.note(work, changes, &patches, (draft, now));
        }
        let seq = self.head.seq + draft.entries.len() as i64;
        draft.acks.push(Ack {
            origin: work.origin.clone(),
            id: work.id.clone(),
            key: work.key(),
            seq,
            made: Vec::new(),
            is_duplicate: false,
        });
    }
}
