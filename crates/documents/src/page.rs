//! One page in memory: an Automerge document with the mirror of its blocks beside it.
//!
//! Every entry point runs Automerge under `catch_unwind`: it can be made to panic by bytes that pass every static
//! check. After a panic the page is broken and refuses all work; whoever owns it loads it again from the log.

mod account;
mod restore;

use crate::{
    draft::Draft,
    edit::{self, Scope},
    error::Error,
    first, heads,
    limits::Limits,
    mirror::{Mirror, Touched},
    op::{NewBlock, Op, Positions},
    past::Past,
    patches,
    projection::Content,
};
use automerge::{
    ActorId, Automerge, Change, ChangeHash, LoadOptions, Patch, PatchLog, ROOT, ReadDoc, TextEncoding,
    transaction::{CommitOptions, Transactable},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// One page.
pub struct Page {
    doc: Automerge,
    mirror: Mirror,
    heads: Vec<ChangeHash>,
    /// The greatest operation counter, and the last sequence of every actor.
    max_op: u64,
    seqs: HashMap<ActorId, u64>,
    broken: bool,
    rng: StdRng,
}

/// An edit that became a change.
pub struct Edited {
    /// The change; none when the edit changed nothing.
    pub change: Option<Change>,
    /// What it did to the page as it stood before.
    pub patches: Vec<Patch>,
    /// Ids of the blocks it made.
    pub made: Vec<String>,
}

/// Runs Automerge code that may panic on what strangers wrote.
pub(crate) fn guarded<T>(what: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::Broken(format!("{what} panicked"))))
}

fn options() -> LoadOptions<'static> {
    LoadOptions::new().text_encoding(TextEncoding::Utf16CodeUnit)
}

fn random_actor(rng: &mut StdRng) -> ActorId {
    let mut bytes = [0_u8; 16];
    rng.fill(&mut bytes);
    ActorId::from(bytes)
}

/// An empty document for an actor of this process.
fn empty(rng: &mut StdRng) -> Automerge {
    Automerge::new_with_encoding(TextEncoding::Utf16CodeUnit).with_actor(random_actor(rng))
}

/// Seconds for a commit time.
fn seconds(ms: i64) -> i64 {
    ms.div_euclid(1000)
}

impl Page {
    /// A new page with a title and blocks, as one change. Made once, by the product, so that no two clients each make
    /// a beginning of their own.
    ///
    /// # Errors
    /// What the blocks' validation finds.
    pub fn create(title: &str, blocks: &[NewBlock], limits: &Limits, now_ms: i64) -> Result<(Self, Change), Error> {
        guarded("creating", || {
            Self::begin((limits, now_ms), |maker| first::of_blocks(maker, title, blocks))
        })
    }

    /// A new page with the content of another one, as one change. What stands there is not checked again: the gate let it
    /// in.
    ///
    /// # Errors
    /// [`Error::Broken`] when Automerge fails.
    pub fn copied(content: &Content, limits: &Limits, now_ms: i64) -> Result<(Self, Change), Error> {
        guarded("copying", || {
            Self::begin((limits, now_ms), |maker| {
                Ok(first::of_copied(maker, &content.title, &content.blocks))
            })
        })
    }

    fn begin(
        (limits, now_ms): (&Limits, i64),
        make: impl FnOnce(first::Maker<'_>) -> Result<Change, Error>,
    ) -> Result<(Self, Change), Error> {
        let mut rng = StdRng::from_rng(&mut rand::rng());
        let mut doc = empty(&mut rng);
        let change = make(first::Maker {
            actor: doc.get_actor(),
            rng: &mut rng,
            limits,
            at: seconds(now_ms),
        })?;
        doc.apply_changes([change.clone()]).map_err(|e| Error::Broken(e.to_string()))?;
        let mut page = Self {
            mirror: Mirror::read(&doc),
            doc,
            heads: Vec::new(),
            max_op: 0,
            seqs: HashMap::new(),
            broken: false,
            rng,
        };
        page.note(&change);
        Ok((page, change))
    }

    /// A page from a verified save and the changes behind it, in their order.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when they do not make a page.
    pub fn load(snapshot: Option<&[u8]>, changes: Vec<Change>) -> Result<Self, Error> {
        Self::load_seeded(snapshot, changes, StdRng::from_rng(&mut rand::rng()))
    }

    /// The same with chosen randomness, so that a simulation can be played again.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when they do not make a page.
    pub fn load_seeded(snapshot: Option<&[u8]>, changes: Vec<Change>, mut rng: StdRng) -> Result<Self, Error> {
        let corrupt = |e: automerge::AutomergeError| Error::Corrupt(e.to_string());
        let loaded = guarded("loading", || {
            let mut doc = match snapshot {
                Some(bytes) => Automerge::load_with_options(bytes, options()).map_err(corrupt)?,
                None => empty(&mut rng),
            };
            doc.set_actor(random_actor(&mut rng));
            doc.apply_changes(changes).map_err(corrupt)?;
            let mirror = Mirror::read(&doc);
            Ok((doc, mirror))
        });
        let (doc, mirror) = loaded.map_err(|e| Error::Corrupt(e.to_string()))?;
        let mut page = Self {
            heads: doc.get_heads(),
            doc,
            mirror,
            max_op: 0,
            seqs: HashMap::new(),
            broken: false,
            rng,
        };
        for meta in page.doc.get_changes_meta(&[]) {
            page.max_op = page.max_op.max(meta.max_op);
            let seq = page.seqs.entry(meta.actor.into_owned()).or_default();
            *seq = (*seq).max(meta.seq);
        }
        Ok(page)
    }

    /// A copy to try something on. It makes changes under the same actor, so only one of the two may be edited on.
    pub fn copy(&mut self) -> Self {
        Self {
            doc: self.doc.clone(),
            mirror: self.mirror.clone(),
            heads: self.heads.clone(),
            max_op: self.max_op,
            seqs: self.seqs.clone(),
            broken: self.broken,
            rng: StdRng::from_rng(&mut self.rng),
        }
    }

    /// Takes account of a change that is in the document now.
    fn note(&mut self, change: &Change) {
        self.max_op = self.max_op.max(change.max_op());
        self.seqs.insert(change.actor_id().clone(), change.seq());
        heads::advance(&mut self.heads, change.deps(), change.hash());
    }

    /// Runs work on the document; a panic breaks the page.
    fn run<T>(&mut self, what: &str, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.broken {
            return Err(Error::Broken("it failed before".to_owned()));
        }
        let result = guarded(what, || work(self));
        self.broken |= matches!(result, Err(Error::Broken(_)));
        result
    }

    /// Whether the page was in this state, if one is named. No heads at all are none of its states: it begins with a change,
    /// and what is made without that change makes a second page inside it.
    fn was_at(&self, base: Option<&[ChangeHash]>) -> bool {
        base.is_none_or(|base| !base.is_empty() && base.iter().all(|hash| self.has(hash)))
    }

    /// Applies edits as one change, at `base` when it is given and in the past, else at the head.
    ///
    /// # Errors
    /// What the first bad edit is about; then nothing was changed.
    pub fn edit(&mut self, ops: &[Op], base: Option<&[ChangeHash]>, limits: &Limits, now_ms: i64) -> Result<Edited, Error> {
        if ops.len() > limits.change_ops {
            return Err(Error::TooLarge(format!("a change holds at most {} edits", limits.change_ops)));
        }
        if !self.was_at(base) {
            return Err(Error::BaseUnknown);
        }
        let mut past = base.map(<[ChangeHash]>::to_vec).unwrap_or_default();
        past.sort();
        let isolated = base.is_some() && past != self.heads;
        self.run("an edit", |page| {
            if isolated {
                page.edit_at(ops, &past, limits, now_ms)
            } else {
                page.edit_now(ops, limits, now_ms)
            }
        })
    }

    /// Whether something is seen otherwise than it is written.
    pub fn is_unsettled(&self) -> bool {
        !self.mirror.astray.is_empty() || self.mirror.marked_up.iter().any(|id| self.mirror.live(id).is_some())
    }

    /// Writes down, as one change, where blocks are seen that say they hang elsewhere, and makes blocks of an editor's block
    /// markers. Of very many, some: ask again.
    ///
    /// # Errors
    /// [`Error::Broken`] when Automerge fails; a limit that is reached.
    pub fn settle(&mut self, limits: &Limits, now_ms: i64) -> Result<Edited, Error> {
        let place = |id: &String| Some((id.clone(), self.mirror.parent_of(id)?.to_owned()));
        let astray: Vec<(String, String)> = self.mirror.astray.iter().filter_map(place).take(limits.batch).collect();
        let is_live = |id: &&String| self.mirror.live(id).is_some();
        let marked_up: Vec<String> = self
            .mirror
            .marked_up
            .iter()
            .filter(is_live)
            .take(SETTLED_AT_ONCE)
            .cloned()
            .collect();
        self.run("settling", |page| {
            page.change_now(limits, now_ms, |scope| edit::settle(scope, &astray, &marked_up))
        })
    }

    fn edit_now(&mut self, ops: &[Op], limits: &Limits, now_ms: i64) -> Result<Edited, Error> {
        self.change_now(limits, now_ms, |scope| apply_all(scope, ops))
    }

    fn change_now(
        &mut self,
        limits: &Limits,
        now_ms: i64,
        work: impl FnOnce(&mut Scope<'_, '_>) -> Result<(), Error>,
    ) -> Result<Edited, Error> {
        let Self { doc, mirror, rng, .. } = self;
        let tx = doc
            .transaction_log_patches(PatchLog::active())
            .map_err(|e| Error::Broken(e.to_string()))?;
        let ran = run_in(tx, (Draft::new(mirror), limits), (rng, now_ms), work)?;
        Ok(self.edited(ran))
    }

    /// Applies edits where their author saw the page: on a copy, isolated at the base, and then the resulting change
    /// to the page itself, which gives the patches in present coordinates.
    fn edit_at(&mut self, ops: &[Op], base: &[ChangeHash], limits: &Limits, now_ms: i64) -> Result<Edited, Error> {
        let mut copy = self.doc.clone();
        let tx = copy
            .transaction_at(PatchLog::inactive(), base)
            .map_err(|e| Error::Broken(e.to_string()))?;
        let context = (&mut self.rng, now_ms);
        let (hash, _, made) = run_in(tx, (Draft::new(&self.mirror), limits), context, |scope| apply_all(scope, ops))?;
        let Some(change) = hash.and_then(|hash| copy.get_change_by_hash(&hash)) else {
            return Ok(Edited {
                change: None,
                patches: Vec::new(),
                made,
            });
        };
        let patches = self.apply_inner(vec![change.clone()])?;
        Ok(Edited {
            change: Some(change),
            patches,
            made,
        })
    }

    /// Whether these edits' positions mean the same at `base` as at the head, given what was touched since.
    pub fn positions_hold(ops: &[Op], touched: &Touched) -> bool {
        !touched.everything
            && ops.iter().all(|op| match op.positions_in() {
                Positions::Nowhere => true,
                Positions::Block(crate::op::TITLE) => !touched.title,
                Positions::Block(id) => !touched.blocks.contains(id),
                Positions::Page => touched.blocks.is_empty(),
            })
    }

    /// Applies changes that the gate admitted, in one call.
    ///
    /// # Errors
    /// [`Error::Broken`] when Automerge fails; then the page has to be loaded again.
    pub fn apply(&mut self, changes: Vec<Change>) -> Result<Vec<Patch>, Error> {
        self.run("applying changes", |page| page.apply_inner(changes))
    }

    fn apply_inner(&mut self, changes: Vec<Change>) -> Result<Vec<Patch>, Error> {
        let mut log = PatchLog::active();
        let broken = |e: automerge::AutomergeError| Error::Broken(e.to_string());
        self.doc
            .apply_changes_log_patches(changes.iter().cloned(), &mut log)
            .map_err(broken)?;
        let mut patches = self.doc.make_patches(&mut log);
        changes.iter().for_each(|change| self.note(change));
        let mut heads = self.doc.get_heads();
        heads.sort();
        if heads != self.heads {
            return Err(Error::Broken("the heads are not what the changes say".to_owned()));
        }
        let remarked = self.untangle(&changes, &mut patches);
        let mut touched = patches::touched(&patches);
        touched.blocks.extend(remarked.iter().cloned());
        self.mirror.refresh(&self.doc, &touched);
        self.mirror.remarked.extend(remarked);
        Ok(patches)
    }

    /// Whether a change is part of the page.
    pub fn has(&self, hash: &ChangeHash) -> bool {
        self.heads.contains(hash) || self.doc.get_change_meta_by_hash(hash).is_some()
    }

    /// The page's heads, sorted.
    pub fn heads(&self) -> &[ChangeHash] {
        &self.heads
    }

    /// The blocks as plain data.
    pub fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// The document itself, for reading.
    pub fn doc(&self) -> &Automerge {
        &self.doc
    }

    /// The document and its heads, for who only reads.
    pub(crate) fn into_document(self) -> (Automerge, Vec<ChangeHash>) {
        (self.doc, self.heads)
    }

    /// The page with all that it ever was, as it stands now. Copies the document: a millisecond for 100 000 operations.
    pub fn past(&self) -> Past {
        Past::of(self.doc.clone(), self.heads.clone())
    }

    /// The greatest operation counter.
    pub fn max_op(&self) -> u64 {
        self.max_op
    }

    /// The last sequence number of an actor; 0 for a new one.
    pub fn seq_of(&self, actor: &ActorId) -> u64 {
        self.seqs.get(actor).copied().unwrap_or(0)
    }

    /// The actor that this process edits with.
    pub fn actor(&self) -> &ActorId {
        self.doc.get_actor()
    }

    /// Whether it failed and has to be loaded again.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Everything that changed between two points of the page's history. Costs milliseconds: for catching up, never
    /// for a keystroke.
    ///
    /// # Errors
    /// [`Error::BaseUnknown`] when a hash is not part of the page.
    pub fn diff(&mut self, from: &[ChangeHash], to: &[ChangeHash]) -> Result<Vec<Patch>, Error> {
        if !from.iter().chain(to).all(|hash| self.has(hash)) {
            return Err(Error::BaseUnknown);
        }
        self.run("comparing", |page| {
            let mut patches = page.doc.diff(from, to);
            if patches.iter().any(patches::is_mark) {
                let changes = page.doc.get_changes(from);
                page.mirror.remarked = page.untangle(&changes, &mut patches);
            }
            Ok(patches)
        })
    }

    /// Saves the page, loads the save, and makes sure that it is the same page and still takes an edit.
    ///
    /// # Errors
    /// [`Error::Broken`] when the save does not give the page back.
    pub fn save_verified(&self) -> Result<Vec<u8>, Error> {
        let broken = |e: automerge::AutomergeError| Error::Broken(e.to_string());
        guarded("saving", || {
            let bytes = self.doc.save();
            let mut again = Automerge::load_with_options(&bytes, options()).map_err(broken)?;
            let mut heads = again.get_heads();
            heads.sort();
            if heads != self.heads {
                return Err(Error::Broken("the save has other heads".to_owned()));
            }
            let mut tx = again.transaction();
            tx.put(ROOT, "schema", 2_i64).map_err(broken)?;
            tx.commit_with(CommitOptions::default().with_time(0));
            Ok(bytes)
        })
    }
}

type Ran = (Option<ChangeHash>, PatchLog, Vec<String>);

/// Texts whose markers are made blocks in one change.
const SETTLED_AT_ONCE: usize = 100;

fn apply_all(scope: &mut Scope<'_, '_>, ops: &[Op]) -> Result<(), Error> {
    let mut all = ops.iter().enumerate();
    all.try_for_each(|(i, op)| {
        let done = edit::apply(scope, op, &format!("/ops/{i}"));
        if ops.len() == 1 {
            done
        } else {
            done.map_err(|error| error.of_edit(i))
        }
    })
}

/// Does work in a transaction and commits it; drops it, which rolls back, when that fails.
fn run_in(
    mut tx: automerge::transaction::Transaction<'_>,
    what: (Draft<'_>, &Limits),
    context: (&mut StdRng, i64),
    work: impl FnOnce(&mut Scope<'_, '_>) -> Result<(), Error>,
) -> Result<Ran, Error> {
    let (draft, limits) = what;
    let (rng, now_ms) = context;
    let mut scope = Scope {
        tx: &mut tx,
        draft,
        limits,
        rng,
        now_ms,
        made: Vec::new(),
    };
    work(&mut scope)?;
    let made = scope.made;
    let (hash, log) = tx.commit_with(CommitOptions::default().with_time(seconds(now_ms)));
    Ok((hash, log, made))
}
