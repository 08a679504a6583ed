//! Telling whether the log is what was written: every entry is hashed again, from the last cut to the end.

use crate::{
    chain::{self, Hash},
    checkpoint::{Judgement, Seals},
    read::{self, Wanted},
};
use entity::{
    event, event_chain,
    event_checkpoint::{self, Reason},
};
use kernel::id::*;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder};
use std::collections::BTreeMap;

/// Entries read at once.
const PAGE: u64 = 1000;

/// What is wrong with a chain, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The number at which it shows.
    pub seq: i64,
    /// What.
    pub kind: FaultKind,
}

/// The ways in which a chain can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The entry is not what was hashed: it, or one before it, was changed.
    Altered,
    /// The entry is not there.
    Missing,
    /// The chain goes on, or ends, elsewhere than it says of itself.
    Head,
    /// Entries were removed and no checkpoint vouches for it.
    CutWithoutCheckpoint,
    /// The checkpoint speaks of another hash than the entry has.
    CheckpointDiffers,
    /// The checkpoint's signature is not ours.
    CheckpointForged,
    /// The key that signed the checkpoint is not configured any more, so that nobody can tell.
    CheckpointKeyUnknown,
}

impl FaultKind {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Altered => "altered",
            Self::Missing => "missing",
            Self::Head => "head_differs",
            Self::CutWithoutCheckpoint => "cut_without_checkpoint",
            Self::CheckpointDiffers => "checkpoint_differs",
            Self::CheckpointForged => "checkpoint_forged",
            Self::CheckpointKeyUnknown => "checkpoint_key_unknown",
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Entries up to this number were cut off before.
    pub floor_seq: i64,
    /// The last number that was looked at.
    pub seq: i64,
    /// Entries looked at.
    pub entries: u64,
    /// Checkpoints looked at.
    pub checkpoints: u64,
    /// The first thing that is wrong; none when all is well.
    pub fault: Option<Fault>,
}

/// Verifies one tenant's chain, as far as it stands when this begins.
///
/// # Errors
/// Only the database's.
pub async fn chain(db: &impl ConnectionTrait, seals: &Seals, workspace: WorkspaceId) -> Result<Verdict, DbErr> {
    let mut verdict = walk(db, seals, workspace).await?;
    // A cut that came while it was being read looks like missing entries; it is not there the second time.
    if verdict.fault.is_some() {
        verdict = walk(db, seals, workspace).await?;
    }
    Ok(verdict)
}

/// A walk along one chain.
struct Walk {
    at: i64,
    hash: Hash,
    checkpoints: BTreeMap<i64, Vec<event_checkpoint::Model>>,
    verdict: Verdict,
}

async fn walk(db: &impl ConnectionTrait, seals: &Seals, workspace: WorkspaceId) -> Result<Verdict, DbErr> {
    let head = read::chain(db, workspace).await?.unwrap_or(event_chain::Model {
        workspace_id: workspace,
        seq: 0,
        hash: chain::START.to_vec(),
        floor_seq: 0,
    });
    let mut walk = Walk::begin(db, workspace, &head).await?;
    if walk.stands_on_its_floor(seals) {
        walk.entries(db, seals, &head).await?;
    }
    Ok(walk.verdict)
}

impl Walk {
    async fn begin(db: &impl ConnectionTrait, workspace: WorkspaceId, head: &event_chain::Model) -> Result<Self, DbErr> {
        let mut checkpoints: BTreeMap<i64, Vec<event_checkpoint::Model>> = BTreeMap::new();
        let rows = event_checkpoint::Entity::find()
            .filter(event_checkpoint::Column::WorkspaceId.eq(workspace))
            .filter(event_checkpoint::Column::Seq.lte(head.seq))
            .order_by_asc(event_checkpoint::Column::Seq)
            .all(db)
            .await?;
        for row in rows {
            checkpoints.entry(row.seq).or_default().push(row);
        }
        let verdict = Verdict {
            floor_seq: head.floor_seq,
            seq: head.floor_seq,
            entries: 0,
            checkpoints: 0,
            fault: None,
        };
        Ok(Self {
            at: head.floor_seq,
            hash: chain::START,
            checkpoints,
            verdict,
        })
    }

    fn fault(&mut self, seq: i64, kind: FaultKind) {
        self.verdict.fault.get_or_insert(Fault { seq, kind });
    }

    /// Where entries were cut off, a good checkpoint has to say so and gives the hash to go on from.
    fn stands_on_its_floor(&mut self, seals: &Seals) -> bool {
        if self.at == 0 {
            return true;
        }
        let cut = self
            .checkpoints
            .get(&self.at)
            .and_then(|all| all.iter().find(|row| row.reason == Reason::Cut));
        let Some(cut) = cut else {
            self.fault(self.at, FaultKind::CutWithoutCheckpoint);
            return false;
        };
        self.hash = chain::from_bytes(&cut.hash);
        self.agrees(seals)
    }

    /// Whether the checkpoints at this place say what the chain says.
    fn agrees(&mut self, seals: &Seals) -> bool {
        for row in self.checkpoints.remove(&self.at).unwrap_or_default() {
            self.verdict.checkpoints += 1;
            let wrong = match seals.judge(&row) {
                Judgement::Forged => Some(FaultKind::CheckpointForged),
                Judgement::UnknownKey => Some(FaultKind::CheckpointKeyUnknown),
                Judgement::Good if chain::from_bytes(&row.hash) != self.hash => Some(FaultKind::CheckpointDiffers),
                Judgement::Good => None,
            };
            if let Some(kind) = wrong {
                self.fault(row.seq, kind);
                return false;
            }
        }
        true
    }

    async fn entries(&mut self, db: &impl ConnectionTrait, seals: &Seals, head: &event_chain::Model) -> Result<(), DbErr> {
        while self.at < head.seq {
            let page = read::after(db, head.workspace_id, &Wanted::default(), self.at, PAGE).await?;
            if page.is_empty() {
                self.fault(self.at + 1, FaultKind::Missing);
                return Ok(());
            }
            for event in page.iter().filter(|event| event.seq <= Some(head.seq)) {
                if !self.follows(event) || !self.agrees(seals) {
                    return Ok(());
                }
            }
        }
        if self.hash != chain::from_bytes(&head.hash) {
            self.fault(head.seq, FaultKind::Head);
        }
        Ok(())
    }

    /// Whether an entry is the next one, and is what was hashed.
    fn follows(&mut self, event: &event::Model) -> bool {
        let next = self.at + 1;
        if event.seq != Some(next) {
            // The same number twice is as wrong as one left out.
            let kind = if event.seq > Some(next) {
                FaultKind::Missing
            } else {
                FaultKind::Altered
            };
            self.fault(next, kind);
            return false;
        }
        let hash = chain::hash(&self.hash, next, event);
        if event.hash.as_deref() != Some(&hash) {
            self.fault(next, FaultKind::Altered);
            return false;
        }
        (self.at, self.hash) = (next, hash);
        self.verdict.seq = next;
        self.verdict.entries += 1;
        true
    }
}
