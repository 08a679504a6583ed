//! A round: who edits and who meets whom, all decided by the seed; and what has to be true at its end.

use super::{
    reference,
    replica::{Manners, Meant, Replica, shown},
};
use automerge::{
    ActorId, Automerge, Change, ChangeHash, ObjType, ROOT, ReadDoc, TextEncoding,
    transaction::{CommitOptions, Transactable},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How often each kind of edit was made.
#[derive(Default)]
pub struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    pub fn add(&mut self, more: &Self) {
        for (kind, count) in &more.0 {
            *self.0.entry(kind).or_default() += count;
        }
    }

    /// No kind of edit was left out, and circles did come about.
    pub fn has_everything(&self, manners: Manners) {
        let kinds = ["insert", "move", "delete", "split", "merge", "undo", "type", "circle", "settle"];
        let strange = (manners == Manners::Strangers).then_some("stranger");
        for kind in kinds.into_iter().chain(strange) {
            assert!(
                self.0.get(kind).is_some_and(|count| *count > 0),
                "{kind} never happened: {:?}",
                self.0
            );
        }
    }
}

pub struct Schedule {
    rng: StdRng,
    manners: Manners,
    replicas: Vec<Replica>,
    /// What each change is meant to do.
    meant: HashMap<ChangeHash, Meant>,
    tally: Tally,
}

/// A page with two blocks; the same bytes in every run.
pub fn beginning() -> Change {
    let mut doc = Automerge::new_with_encoding(TextEncoding::Utf16CodeUnit).with_actor(ActorId::from([7_u8; 16]));
    let mut tx = doc.transaction();
    let blocks = tx.put_object(ROOT, "blocks", ObjType::Map).expect("put");
    for (id, order) in [("a", "G"), ("b", "V")] {
        let block = tx.put_object(&blocks, id, ObjType::Map).expect("put");
        tx.put(&block, "type", "paragraph").expect("put");
        tx.put(&block, "place", format!("|{order}")).expect("put");
        let text = tx.put_object(&block, "text", ObjType::Text).expect("put");
        tx.splice_text(&text, 0, 0, "words").expect("spliced");
    }
    let (hash, _) = tx.commit_with(CommitOptions::default().with_time(1));
    doc.get_change_by_hash(&hash.expect("a change")).expect("a change")
}

impl Schedule {
    pub fn new(seed: u64, manners: Manners) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let first = beginning();
        let replicas = ["x", "y", "z"].map(|name| Replica::new(name, vec![first.clone()], &mut rng)).into();
        let made = vec!["a".to_owned(), "b".to_owned()];
        Self {
            rng,
            manners,
            replicas,
            meant: HashMap::from([(first.hash(), Meant { made, ..Meant::default() })]),
            tally: Tally::default(),
        }
    }

    pub fn play(mut self, steps: usize) -> Tally {
        for _ in 0..steps {
            let i = self.rng.random_range(0..self.replicas.len());
            match self.rng.random_range(0..100) {
                0..85 => self.edit(i),
                85..96 => self.meet(i),
                96..98 => self.cross(i),
                _ => self.replicas[i].reload(&mut self.rng),
            }
        }
        self.come_together();
        self.compare();
        self.tally
    }

    fn edit(&mut self, i: usize) {
        if let Some((kind, change, meant)) = self.replicas[i].edit(self.manners, &mut self.rng) {
            *self.tally.0.entry(kind).or_default() += 1;
            self.meant.insert(change.hash(), meant);
        }
    }

    /// Two replicas hang two blocks under each other at the same time.
    fn cross(&mut self, i: usize) {
        let other = (i + 1) % self.replicas.len();
        let top = |at: usize| self.replicas[at].page.mirror().children.get("").cloned().unwrap_or_default();
        let common: Vec<String> = top(i).into_iter().filter(|id| top(other).contains(id)).collect();
        if let [.., a, b] = common.as_slice() {
            for (at, id, under) in [(i, a, b), (other, b, a)] {
                if let Some((change, meant)) = self.replicas[at].hang(id, under) {
                    self.meant.insert(change.hash(), meant);
                }
            }
        }
    }

    /// One replica hears from another, all or only the older part of what it lacks.
    fn meet(&mut self, i: usize) {
        let from = (i + self.rng.random_range(1..self.replicas.len())) % self.replicas.len();
        let mut news = self.lacking(i, from);
        if self.rng.random() {
            news.truncate(self.rng.random_range(0..=news.len()));
        }
        if !news.is_empty() {
            self.replicas[i].take(news);
            self.count_circles(i);
        }
    }

    fn lacking(&self, i: usize, from: usize) -> Vec<Change> {
        let theirs = self.replicas[from].log.iter();
        theirs
            .filter(|change| !self.replicas[i].page.has(&change.hash()))
            .cloned()
            .collect()
    }

    fn count_circles(&mut self, i: usize) {
        let said = reference::said(self.replicas[i].page.doc());
        let is_in_one = |id: &String| {
            let mut at = id;
            (0..said.len()).any(|_| {
                at = said.get(at).map_or(at, |said| &said.parent);
                at == id
            })
        };
        if said.iter().any(|(id, block)| !block.deleted && is_in_one(id)) {
            *self.tally.0.entry("circle").or_default() += 1;
        }
    }

    fn come_together(&mut self) {
        for _ in 0..2 {
            for i in 0..self.replicas.len() {
                for from in 0..self.replicas.len() {
                    let news = self.lacking(i, from);
                    if !news.is_empty() {
                        self.replicas[i].take(news);
                        self.count_circles(i);
                    }
                }
            }
        }
    }

    fn compare(&mut self) {
        let (made, live) = self.expected();
        let first = &self.replicas[0].page;
        for replica in &self.replicas {
            let page = &replica.page;
            assert_eq!(page.heads(), first.heads(), "the heads differ");
            assert_eq!(shown(page.mirror()), shown(first.mirror()), "the views differ");
            let all: BTreeSet<String> = page.mirror().blocks.keys().cloned().collect();
            assert_eq!(all, made, "a block was lost, or came from nowhere");
            let seen: BTreeSet<String> = crate::tree::reading_order(&page.mirror().children).into_iter().collect();
            assert_eq!(seen, live, "what was deleted is not what is gone");
        }
        for i in 0..self.replicas.len() {
            self.replicas[i].reload(&mut self.rng);
        }
    }

    /// The blocks that were made, and those of them that nobody deleted, or only in ways that were taken back by somebody
    /// who knew of it.
    fn expected(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let mut made = BTreeSet::new();
        let mut deletions: BTreeSet<(String, ChangeHash)> = BTreeSet::new();
        for change in &self.replicas[0].log {
            let Some(meant) = self.meant.get(&change.hash()) else { continue };
            made.extend(meant.made.iter().cloned());
            deletions.extend(meant.deleted.iter().map(|id| (id.clone(), change.hash())));
        }
        for change in &self.replicas[0].log {
            let Some(meant) = self.meant.get(&change.hash()).filter(|meant| !meant.undeleted.is_empty()) else {
                continue;
            };
            let known = self.known_to(change);
            deletions.retain(|(id, by)| !(meant.undeleted.contains(id) && known.contains(by)));
        }
        let live = made
            .iter()
            .filter(|id| !deletions.iter().any(|(gone, _)| gone == *id))
            .cloned()
            .collect();
        (made, live)
    }

    /// Everything a change builds on.
    fn known_to(&self, change: &Change) -> BTreeSet<ChangeHash> {
        let deps: HashMap<ChangeHash, &[ChangeHash]> = self.replicas[0].log.iter().map(|c| (c.hash(), c.deps())).collect();
        let (mut known, mut open) = (BTreeSet::new(), change.deps().to_vec());
        while let Some(hash) = open.pop() {
            if known.insert(hash) {
                open.extend(deps.get(&hash).into_iter().copied().flatten());
            }
        }
        known
    }
}
