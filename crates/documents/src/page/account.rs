//! Taking account of what was committed to a page: its heads, its mirror, and which patches tell of it.

use super::{Edited, Page, Ran};
use crate::patches;
use automerge::{Change, ObjId, Patch, ReadDoc};
use std::collections::BTreeSet;

impl Page {
    /// Takes account of what was committed to the document at its head.
    pub(super) fn edited(&mut self, ran: Ran) -> Edited {
        let (hash, mut log, made) = ran;
        let Some(change) = hash.and_then(|hash| self.doc.get_change_by_hash(&hash)) else {
            return Edited {
                change: None,
                patches: Vec::new(),
                made,
            };
        };
        let mut patches = self.doc.make_patches(&mut log);
        self.note(&change);
        let has_marks = patches.iter().any(patches::is_mark);
        let remarked = if has_marks {
            self.untangle(std::slice::from_ref(&change), &mut patches)
        } else {
            BTreeSet::new()
        };
        let mut touched = patches::touched(&patches);
        touched.blocks.extend(remarked.iter().cloned());
        self.mirror.refresh(&self.doc, &touched);
        self.mirror.remarked.extend(remarked);
        Edited {
            change: Some(change),
            patches,
            made,
        }
    }

    /// Takes out the patches of marks where Automerge may give them for the wrong text: it adds the marks of several texts
    /// that follow one another to the first (0.12, `PatchLog::mark`). Gives the blocks whose marks are told by no patch.
    pub(super) fn untangle(&self, changes: &[Change], patches: &mut Vec<Patch>) -> BTreeSet<String> {
        use automerge::legacy::{ObjectId, OpType};
        let mut texts = BTreeSet::new();
        for change in changes {
            for op in change.decode().operations {
                if let (OpType::MarkBegin(_) | OpType::MarkEnd(_), ObjectId::Id(id)) = (&op.action, &op.obj) {
                    texts.insert((id.counter(), id.1.clone()));
                }
            }
        }
        let count = texts.len();
        let block = |(counter, actor)| self.mirror.block_of_text(&ObjId::Id(counter, actor, 0)).map(str::to_owned);
        let mut blocks: BTreeSet<String> = texts.into_iter().filter_map(block).collect();
        if count > 1 {
            patches.retain(|patch| !patches::is_mark(patch));
        } else {
            let told = patches::marked(patches);
            blocks.retain(|id| !told.contains(id));
        }
        blocks
    }
}
