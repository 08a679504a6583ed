//! One replica: a page, the changes it has, and a random editor in front of it.

use super::{copy::Copy, reference};
use crate::{
    error::Error,
    limits::Limits,
    mirror::Mirror,
    op::{NewBlock, Op, Place, Pos},
    page::Page,
};
use automerge::{
    ActorId, Automerge, AutomergeError, Change, ChangeHash, ObjId, ROOT, ReadDoc,
    transaction::{CommitOptions, Transactable, Transaction},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::collections::{BTreeMap, BTreeSet};

/// Who edits: our own edits alone, or also a client that writes registers without a look at the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    Ours,
    Strangers,
}

/// What a change is meant to do to the blocks.
#[derive(Clone, Debug, Default)]
pub struct Meant {
    pub made: Vec<String>,
    pub deleted: BTreeSet<String>,
    pub undeleted: BTreeSet<String>,
}

/// How to take the last edit back.
enum Undo {
    Made(String),
    Moved(String, Place),
    Deleted(BTreeSet<String>),
    Split(String, String),
    Merged {
        id: String,
        into: (String, usize),
        children: Vec<String>,
    },
}

pub struct Replica {
    pub page: Page,
    pub log: Vec<Change>,
    copy: Copy,
    undo: Option<Undo>,
    past: Vec<Vec<ChangeHash>>,
    name: String,
    count: usize,
    /// Whether the last edit was made where the replica stood.
    was_at_head: bool,
}

/// What a replica did: its name, the change, and what it is meant to do.
pub type Did = Option<(&'static str, Change, Meant)>;

impl Replica {
    pub fn new(name: &str, log: Vec<Change>, rng: &mut StdRng) -> Self {
        let page = Page::load_seeded(None, log.clone(), StdRng::from_rng(rng)).expect("a page");
        Self {
            copy: Copy::of(page.mirror()),
            past: vec![page.heads().to_vec()],
            page,
            log,
            undo: None,
            name: name.to_owned(),
            count: 0,
            was_at_head: true,
        }
    }

    /// As after a crash: nothing but its changes is left.
    pub fn reload(&mut self, rng: &mut StdRng) {
        let again = Page::load_seeded(None, self.log.clone(), StdRng::from_rng(rng)).expect("its changes load");
        assert_eq!(shown(again.mirror()), shown(self.page.mirror()), "a fresh load shows another page");
        self.page = again;
    }

    /// Takes changes of another replica.
    pub fn take(&mut self, changes: Vec<Change>) {
        let patches = self.page.apply(changes.clone()).expect("changes of a replica apply");
        self.log.extend(changes);
        self.past.push(self.page.heads().to_vec());
        self.look();
        self.copy.follow(&patches, self.page.mirror());
    }

    /// What must be true of a replica at every moment.
    fn look(&self) {
        let mirror = self.page.mirror();
        assert_eq!(
            shown(mirror),
            shown(&Mirror::read(self.page.doc())),
            "what was refreshed is not what is read"
        );
        assert_eq!(
            mirror.children,
            reference::tree(self.page.doc()),
            "the tree is not what the rules say"
        );
        let mut reached = crate::tree::reading_order(&mirror.children);
        reached.sort();
        let live: Vec<String> = reference::said(self.page.doc())
            .into_iter()
            .filter(|(_, said)| !said.deleted)
            .map(|(id, _)| id)
            .collect();
        assert_eq!(reached, live, "a live block is not reached, or twice");
    }

    /// What a node does that put the offending change behind the others.
    fn settle(&mut self) -> Did {
        let before = reference::tree(self.page.doc());
        let edited = self.page.settle(&Limits::default(), 1).expect("it settles");
        let change = edited.change?;
        self.log.push(change.clone());
        self.past.push(self.page.heads().to_vec());
        self.look();
        self.copy.follow(&edited.patches, self.page.mirror());
        assert_eq!(reference::tree(self.page.doc()), before, "what is seen has moved");
        assert!(!self.page.is_unsettled());
        Some(("settle", change, Meant::default()))
    }

    /// A random edit.
    pub fn edit(&mut self, manners: Manners, rng: &mut StdRng) -> Did {
        if manners == Manners::Strangers && rng.random_range(0..3) == 0 {
            return self.edit_as_stranger(rng);
        }
        match rng.random_range(0..21) {
            20 => self.settle(),
            0..3 => self.insert(rng),
            3..10 => self.move_somewhere(rng),
            10 => self.delete(rng),
            11..13 => self.split(rng),
            13..15 => self.merge(rng),
            15..18 => self.take_back(rng),
            _ => self.type_somewhere(rng),
        }
    }

    fn some(&self, rng: &mut StdRng) -> String {
        let live = crate::tree::reading_order(&self.page.mirror().children);
        live.get(rng.random_range(0..live.len().max(1))).cloned().unwrap_or_default()
    }

    pub fn fresh(&mut self) -> String {
        self.count += 1;
        format!("{}{}", self.name, self.count)
    }

    /// Makes edits, at the head or where the replica stood some time ago.
    fn run(&mut self, ops: &[Op], or_before: Option<&mut StdRng>) -> Option<Change> {
        let past = or_before.map(|rng| (rng.random_range(0..5), rng.random_range(0..self.past.len())));
        let base = past.filter(|(chance, _)| *chance == 0).map(|(_, at)| self.past[at].clone());
        self.was_at_head = base.is_none();
        match self.page.edit(ops, base.as_deref(), &Limits::default(), 1) {
            Ok(edited) => {
                let change = edited.change?;
                self.log.push(change.clone());
                self.past.push(self.page.heads().to_vec());
                self.look();
                self.copy.follow(&edited.patches, self.page.mirror());
                Some(change)
            }
            Err(error @ (Error::Broken(_) | Error::Corrupt(_))) => panic!("{error}"),
            // It was about a block that is gone, or would have hung a block under itself.
            Err(_) => None,
        }
    }

    /// Writes registers, as a stock client does it.
    pub fn write(
        &mut self,
        rng: &mut StdRng,
        work: impl FnOnce(&mut Transaction<'_>, &ObjId) -> Result<(), AutomergeError>,
    ) -> Option<Change> {
        let mut actor = [0_u8; 16];
        rng.fill(&mut actor);
        let mut doc: Automerge = self.page.doc().fork().with_actor(ActorId::from(actor));
        let (_, blocks) = doc.get(ROOT, "blocks").expect("readable").expect("blocks");
        let mut tx = doc.transaction();
        work(&mut tx, &blocks).expect("written");
        let (hash, _) = tx.commit_with(CommitOptions::default().with_time(1));
        let change = doc.get_change_by_hash(&hash?)?;
        self.take(vec![change.clone()]);
        Some(change)
    }

    fn place(&self, rng: &mut StdRng) -> Place {
        let at = self.some(rng);
        match rng.random_range(0..5) {
            0 => Place::default(),
            1 if rng.random() => Place {
                after: Some(at),
                ..Place::default()
            },
            2 => Place {
                before: Some(at),
                ..Place::default()
            },
            // Keys that meet.
            3 => Place {
                parent: Some(at),
                order: Some("V".into()),
                ..Place::default()
            },
            _ => Place {
                parent: Some(at),
                ..Place::default()
            },
        }
    }

    fn insert(&mut self, rng: &mut StdRng) -> Did {
        let block = |id: &str, children| NewBlock {
            id: Some(id.to_owned()),
            kind: "paragraph".into(),
            text: format!("<{id}>"),
            children,
            ..NewBlock::default()
        };
        let (id, child) = (self.fresh(), self.fresh());
        let place = self.place(rng);
        let children = if rng.random() {
            vec![block(&child, Vec::new())]
        } else {
            Vec::new()
        };
        let made: Vec<String> = std::iter::once(&id)
            .chain((!children.is_empty()).then_some(&child))
            .cloned()
            .collect();
        let op = Op::BlockInsert {
            block: block(&id, children),
            place: place.clone(),
        };
        let change = self.run(&[op], Some(rng))?;
        self.hangs_there(&id, &place);
        self.undo = Some(Undo::Made(id));
        Some(("insert", change, Meant { made, ..Meant::default() }))
    }

    /// Puts a new block under another.
    pub fn puts_under(&mut self, parent: &str) -> String {
        let block = NewBlock {
            id: Some(self.fresh()),
            kind: "paragraph".into(),
            ..NewBlock::default()
        };
        let (id, place) = (
            block.id.clone(),
            Place {
                parent: Some(parent.to_owned()),
                ..Place::default()
            },
        );
        self.run(&[Op::BlockInsert { block, place }], None).expect("inserted");
        id.expect("an id")
    }

    /// What was put somewhere at the head is seen there.
    fn hangs_there(&self, id: &str, place: &Place) {
        if self.was_at_head
            && let Some(parent) = &place.parent
            && self.page.mirror().live(id).is_some()
            && (parent.is_empty() || self.page.mirror().live(parent).is_some())
        {
            assert_eq!(self.page.mirror().parent_of(id), Some(parent.as_str()), "{id} was put elsewhere");
        }
    }

    fn move_somewhere(&mut self, rng: &mut StdRng) -> Did {
        let id = self.some(rng);
        let place = self.place(rng);
        self.move_to(id, place, Some(rng)).map(|(change, meant)| ("move", change, meant))
    }

    /// Hangs a block under another, at the head.
    pub fn hang(&mut self, id: &str, under: &str) -> Option<(Change, Meant)> {
        let place = Place {
            parent: Some(under.to_owned()),
            ..Place::default()
        };
        self.move_to(id.to_owned(), place, None)
    }

    fn move_to(&mut self, id: String, place: Place, rng: Option<&mut StdRng>) -> Option<(Change, Meant)> {
        let entry = self.page.mirror().live(&id)?;
        let back = Place {
            parent: self.page.mirror().parent_of(&id).map(str::to_owned),
            order: Some(entry.node.order.clone()),
            ..Place::default()
        };
        let change = self.run(
            &[Op::BlockMove {
                id: id.clone(),
                place: place.clone(),
            }],
            rng,
        )?;
        self.hangs_there(&id, &place);
        self.undo = Some(Undo::Moved(id, back));
        Some((change, Meant::default()))
    }

    fn delete(&mut self, rng: &mut StdRng) -> Did {
        let id = self.some(rng);
        self.delete_all(&id).map(|(change, meant)| ("delete", change, meant))
    }

    fn delete_all(&mut self, id: &str) -> Option<(Change, Meant)> {
        let deleted = reference::below(&reference::tree(self.page.doc()), id);
        let change = self.run(&[Op::BlockDelete { id: id.to_owned() }], None)?;
        self.undo = Some(Undo::Deleted(deleted.clone()));
        Some((
            change,
            Meant {
                deleted,
                ..Meant::default()
            },
        ))
    }

    fn split(&mut self, rng: &mut StdRng) -> Did {
        let (id, new) = (self.some(rng), self.fresh());
        let length = self.page.mirror().live(&id)?.text.encode_utf16().count();
        let pos = Pos::At(rng.random_range(0..=length));
        let change = self.run(
            &[Op::BlockSplit {
                id: id.clone(),
                pos,
                new_id: Some(new.clone()),
            }],
            Some(rng),
        )?;
        self.undo = Some(Undo::Split(id, new.clone()));
        Some((
            "split",
            change,
            Meant {
                made: vec![new],
                ..Meant::default()
            },
        ))
    }

    fn merge(&mut self, rng: &mut StdRng) -> Did {
        let id = self.some(rng);
        let into = self.some(rng);
        self.merge_into(id, into).map(|(change, meant)| ("merge", change, meant))
    }

    fn merge_into(&mut self, id: String, into: String) -> Option<(Change, Meant)> {
        let length = self.page.mirror().live(&into)?.text.encode_utf16().count();
        let children = self.page.mirror().children.get(&id).cloned().unwrap_or_default();
        let change = self.run(
            &[Op::BlockMerge {
                id: id.clone(),
                into: Some(into.clone()),
            }],
            None,
        )?;
        let deleted = BTreeSet::from([id.clone()]);
        for child in &children {
            assert_eq!(
                self.page.mirror().parent_of(child),
                Some(into.as_str()),
                "{child} did not come along"
            );
        }
        self.undo = Some(Undo::Merged {
            id,
            into: (into, length),
            children,
        });
        Some((
            change,
            Meant {
                deleted,
                ..Meant::default()
            },
        ))
    }

    fn type_somewhere(&mut self, rng: &mut StdRng) -> Did {
        let (id, text) = (self.some(rng), self.fresh());
        let op = Op::Insert {
            block: Some(id),
            pos: Pos::At(0),
            text,
            marks: None,
        };
        let change = self.run(&[op], Some(rng))?;
        Some(("type", change, Meant::default()))
    }

    /// Takes the last edit back.
    fn take_back(&mut self, rng: &mut StdRng) -> Did {
        let done = match self.undo.take()? {
            Undo::Made(id) => self.delete_all(&id),
            Undo::Moved(id, place) => self.move_to(id, place, None),
            Undo::Deleted(ids) => self.undelete(ids, rng),
            Undo::Split(id, new) => self.merge_into(new, id),
            Undo::Merged { id, into, children } => self.unmerge(id, into, &children, rng),
        };
        done.map(|(change, meant)| ("undo", change, meant))
    }

    fn undelete(&mut self, ids: BTreeSet<String>, rng: &mut StdRng) -> Option<(Change, Meant)> {
        let change = self.write(rng, |tx, blocks| {
            ids.iter().try_for_each(|id| match tx.get(blocks, id.as_str())? {
                Some((_, block)) if tx.get(&block, "deleted_at")?.is_some() => tx.delete(&block, "deleted_at"),
                _ => Ok(()),
            })
        })?;
        Some((
            change,
            Meant {
                undeleted: ids,
                ..Meant::default()
            },
        ))
    }

    fn unmerge(&mut self, id: String, into: (String, usize), children: &[String], rng: &mut StdRng) -> Option<(Change, Meant)> {
        let done = self.undelete(BTreeSet::from([id.clone()]), rng)?;
        let length = self
            .page
            .mirror()
            .live(&into.0)
            .map_or(0, |entry| entry.text.encode_utf16().count());
        let cut = Op::Delete {
            block: Some(into.0),
            pos: Pos::At(into.1),
            len: length.saturating_sub(into.1),
        };
        self.run(&[cut], None);
        let home = || Place {
            parent: Some(id.clone()),
            ..Place::default()
        };
        let back: Vec<Op> = children
            .iter()
            .map(|child| Op::BlockMove {
                id: child.clone(),
                place: home(),
            })
            .collect();
        self.run(&back, None);
        Some(done)
    }
}

/// A mirror without what only tells of its last refresh.
pub fn shown(mirror: &Mirror) -> (&str, BTreeMap<&String, &crate::mirror::Entry>, &crate::tree::Children) {
    (&mirror.title, mirror.blocks.iter().collect(), &mirror.children)
}
