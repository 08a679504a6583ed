//! What happened to a page since a state of it: by whom, when, how much, and where.

use super::ledger::Ledger;
use crate::{error::Error, mirror::Mirror, op::TITLE, page::guarded, past::Past};
use automerge::{
    ActorId, Change, ChangeHash, ObjId, ROOT,
    legacy::{ObjectId, OpType},
};
use kernel::id::UserId;
use std::collections::{BTreeSet, HashMap};

/// Changes of one person with no longer pauses than this between them are one group.
const PAUSE_MS: i64 = 10 * 60 * 1000;
/// The most changes that are looked into. Of more the newest are.
pub const MAX_CHANGES: usize = 20_000;
/// The most groups of one answer, the newest ones.
pub const MAX_GROUPS: usize = 200;
/// The most blocks that are named for a group.
const MAX_BLOCKS: usize = 200;

/// How much was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Changes.
    pub changes: usize,
    /// UTF-16 units of text put in.
    pub insertions: usize,
    /// Characters of text taken out.
    pub deletions: usize,
    /// Blocks that were touched in any way; [`TITLE`] for the title.
    pub blocks: BTreeSet<String>,
}

impl Amount {
    fn add(&mut self, other: &Self) {
        self.changes += other.changes;
        self.insertions += other.insertions;
        self.deletions += other.deletions;
        self.blocks.extend(other.blocks.iter().cloned());
    }
}

/// What one person did in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Who; none for the product itself.
    pub user: Option<UserId>,
    /// When the first change was made, in milliseconds since 1970.
    pub from_ms: i64,
    /// When the last one was made.
    pub to_ms: i64,
    /// How much.
    pub amount: Amount,
}

/// What happened since a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    /// In groups, the newest first.
    pub groups: Vec<Group>,
    /// All together.
    pub total: Amount,
    /// Whether there was more than was looked into, or than is told.
    pub is_truncated: bool,
}

impl Past {
    /// What happened to the page since a state of it.
    ///
    /// # Errors
    /// [`Error::StateNotFound`].
    pub fn happened_since(&self, ledger: &Ledger, heads: &[ChangeHash]) -> Result<Happened, Error> {
        let changes = self.changes_since(heads)?;
        let mirror = self.at(self.heads())?;
        guarded("looking at what happened", || {
            Ok(summed_up(changes, ledger, &Subjects::of(&mirror, self)))
        })
    }
}

fn summed_up(changes: Vec<Change>, ledger: &Ledger, subjects: &Subjects) -> Happened {
    let mut dated: Vec<(i64, i64, Option<UserId>, Change)> = changes
        .into_iter()
        .filter_map(|change| {
            let line = ledger.line(&change.hash())?;
            Some((line.seq, line.at_ms, line.user, change))
        })
        .collect();
    dated.sort_by_key(|(seq, ..)| *seq);
    let skipped = dated.len().saturating_sub(MAX_CHANGES);
    let mut happened = Happened {
        is_truncated: skipped > 0,
        ..Happened::default()
    };
    // The group that each person is in the middle of.
    let mut open: HashMap<Option<UserId>, usize> = HashMap::new();
    for (_, at_ms, user, change) in dated.into_iter().skip(skipped) {
        let amount = subjects.amount(&change);
        happened.total.add(&amount);
        let current = open.get(&user).copied().filter(|i| at_ms - happened.groups[*i].to_ms <= PAUSE_MS);
        match current {
            Some(i) => {
                let group = &mut happened.groups[i];
                group.to_ms = group.to_ms.max(at_ms);
                group.amount.add(&amount);
            }
            None => {
                open.insert(user, happened.groups.len());
                happened.groups.push(Group {
                    user,
                    from_ms: at_ms,
                    to_ms: at_ms,
                    amount,
                });
            }
        }
    }
    happened.groups.sort_by_key(|group| std::cmp::Reverse(group.to_ms));
    happened.is_truncated |= happened.groups.len() > MAX_GROUPS;
    happened.groups.truncate(MAX_GROUPS);
    for group in &mut happened.groups {
        while group.amount.blocks.len() > MAX_BLOCKS {
            group.amount.blocks.pop_last();
            happened.is_truncated = true;
        }
    }
    happened
}

/// Which block an object of the document belongs to.
struct Subjects {
    texts: HashMap<(u64, ActorId), String>,
    blocks: HashMap<(u64, ActorId), String>,
}

fn key(object: &ObjId) -> Option<(u64, ActorId)> {
    match object {
        ObjId::Id(counter, actor, _) => Some((*counter, actor.clone())),
        ObjId::Root => None,
    }
}

impl Subjects {
    fn of(mirror: &Mirror, past: &Past) -> Self {
        let mut texts: HashMap<_, _> = HashMap::new();
        let mut blocks = HashMap::new();
        let title = crate::mirror::object(past.doc(), &ROOT, "title", automerge::ObjType::Text);
        texts.extend(title.as_ref().and_then(key).map(|key| (key, TITLE.to_owned())));
        for (id, entry) in &mirror.blocks {
            texts.extend(entry.text_object.as_ref().and_then(key).map(|key| (key, id.clone())));
            blocks.extend(key(&entry.object).map(|key| (key, id.clone())));
        }
        Self { texts, blocks }
    }

    fn amount(&self, change: &Change) -> Amount {
        let mut amount = Amount {
            changes: 1,
            ..Amount::default()
        };
        for op in change.decode().operations {
            let ObjectId::Id(id) = &op.obj else { continue };
            let id = (id.counter(), id.actor().clone());
            if let Some(block) = self.texts.get(&id) {
                amount.blocks.insert(block.clone());
                match &op.action {
                    OpType::Put(value) if op.insert => amount.insertions += value.as_str().map_or(1, |text| text.encode_utf16().count()),
                    OpType::Delete => amount.deletions += 1,
                    OpType::Put(_) | OpType::Make(_) | OpType::Increment(_) | OpType::MarkBegin(_) | OpType::MarkEnd(_) => {}
                }
            } else if let Some(block) = self.blocks.get(&id) {
                amount.blocks.insert(block.clone());
            }
        }
        amount
    }
}
