//! The check of one change against the page it wants to join.

use super::Refusal;
use crate::{limits::Limits, page::Page};
use automerge::{
    ActorId, Change, ChangeHash, ExpandedChange, ObjId, ObjType, ReadDoc, ScalarValue,
    legacy::{ElementId, Key, ObjectId, Op, OpId, OpType},
};
use std::{
    collections::{HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// The latest sane time of a change, in seconds: the year 2262 in nanoseconds overflows, the year 9999 does not matter.
const MAX_TIME: i64 = 253_402_300_799;
/// The longest commit message.
const MAX_MESSAGE: usize = 4_096;
/// Parents of one change. An honest client merges what it saw; hundreds of heads at once are an attack.
const MAX_DEPS: usize = 1_000;
/// Bytes in an actor id. Automerge makes 16; its isolated ones a few more.
const MAX_ACTOR: usize = 64;

/// The page that changes want to join, and its limits.
#[derive(Clone, Copy)]
pub struct At<'p> {
    /// The page.
    pub page: &'p Page,
    /// How much it takes.
    pub limits: &'p Limits,
}

/// Changes that passed and wait to be applied, and what the following ones may build on. One gate serves one batch:
/// it is emptied when the batch is applied.
#[derive(Clone, Default)]
pub struct Gate {
    /// Admitted and waiting in this batch: hash to nothing, actor to its last sequence, new objects to type and depth.
    hashes: HashSet<ChangeHash>,
    seqs: HashMap<ActorId, u64>,
    objects: HashMap<OpId, (ObjType, usize)>,
    elements: HashSet<OpId>,
    max_op: u64,
}

/// What the gate says to one chunk.
pub enum Verdict {
    /// New and sound.
    Admitted(Box<Change>),
    /// Already part of the page or of this batch.
    Known,
}

impl Gate {
    /// Checks one uncompressed chunk. `may_use` says whether the actor is the sender's to use.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(&mut self, at: At<'_>, chunk: &[u8], may_use: impl Fn(&ActorId) -> bool) -> Result<Verdict, Refusal> {
        // Decoders of hostile bytes panic; that costs the sender, not the page.
        let decoded = catch_unwind(AssertUnwindSafe(|| decode(chunk, at.limits)));
        let (change, expanded) = decoded.map_err(|_| Refusal::Malformed("the change does not decode"))??;
        if self.hashes.contains(&change.hash()) || at.page.has(&change.hash()) {
            return Ok(Verdict::Known);
        }
        check_frame(&change, at.limits)?;
        if !may_use(change.actor_id()) {
            return Err(Refusal::ForeignActor);
        }
        self.check_order(at, &change)?;
        let ops = catch_unwind(AssertUnwindSafe(|| self.check_ops(at, &expanded)));
        ops.map_err(|_| Refusal::Malformed("the operations do not read"))??;
        self.accept(&change);
        Ok(Verdict::Admitted(Box::new(change)))
    }

    fn accept(&mut self, change: &Change) {
        self.hashes.insert(change.hash());
        self.seqs.insert(change.actor_id().clone(), change.seq());
        self.max_op = self.max_op.max(change.max_op());
    }

    fn check_order(&self, at: At<'_>, change: &Change) -> Result<(), Refusal> {
        if !change.deps().iter().all(|dep| self.hashes.contains(dep) || at.page.has(dep)) {
            return Err(Refusal::MissingDependencies);
        }
        let last = self
            .seqs
            .get(change.actor_id())
            .copied()
            .unwrap_or_else(|| at.page.seq_of(change.actor_id()));
        if change.seq() != last + 1 {
            return Err(Refusal::Invalid("its sequence number is not the actor's next"));
        }
        // An honest client counts on from the greatest counter it knows, and knows no more than this page.
        if change.start_op().get() > self.max_op.max(at.page.max_op()) + 1 {
            return Err(Refusal::Invalid("its operations count from nowhere"));
        }
        Ok(())
    }

    /// Walks the operations: each must refer to things that exist and are of the right kind.
    fn check_ops(&mut self, at: At<'_>, expanded: &ExpandedChange) -> Result<(), Refusal> {
        for (i, op) in expanded.operations.iter().enumerate() {
            let own = OpId(expanded.start_op.get() + i as u64, expanded.actor_id.clone());
            let (kind, depth) = self.object(at, &op.obj)?;
            self.check_key(at, op, (kind, &own))?;
            check_action(op, kind)?;
            if op.pred.iter().any(|pred| pred.counter() >= own.counter()) {
                return Err(Refusal::Invalid("it replaces what is not written yet"));
            }
            if matches!(op.action, OpType::Make(_)) && depth >= at.limits.nesting {
                return Err(Refusal::TooLarge("the nesting of maps and lists"));
            }
            self.remember(op, own, depth);
        }
        Ok(())
    }

    fn remember(&mut self, op: &Op, own: OpId, depth: usize) {
        if let OpType::Make(kind) = &op.action {
            self.objects.insert(own.clone(), (*kind, depth + 1));
        }
        if op.insert {
            self.elements.insert(own);
        }
    }

    /// The type of an object and how deep it lies.
    fn object(&self, at: At<'_>, id: &ObjectId) -> Result<(ObjType, usize), Refusal> {
        let ObjectId::Id(id) = id else { return Ok((ObjType::Map, 0)) };
        if let Some(found) = self.objects.get(id) {
            return Ok(*found);
        }
        let doc = at.page.doc();
        let nowhere = Refusal::Invalid("it writes into an object that does not exist");
        let object = ObjId::Id(id.counter(), id.1.clone(), 0);
        let kind = doc.object_type(&object).map_err(|_| nowhere.clone())?;
        let depth = doc.parents(&object).map_err(|_| nowhere)?.take(at.limits.nesting + 1).count();
        Ok((kind, depth))
    }

    fn check_key(&self, at: At<'_>, op: &Op, own: (ObjType, &OpId)) -> Result<(), Refusal> {
        let (kind, own) = own;
        match (&op.key, kind) {
            (Key::Map(key), ObjType::Map | ObjType::Table) => {
                if op.insert {
                    return Err(Refusal::Invalid("it inserts into a map"));
                }
                if key.is_empty() || key.len() > 1_024 {
                    return Err(Refusal::Invalid("a key is empty or too long"));
                }
                Ok(())
            }
            (Key::Seq(ElementId::Head), ObjType::List | ObjType::Text) if op.insert => Ok(()),
            (Key::Seq(ElementId::Id(element)), ObjType::List | ObjType::Text) => self.check_element(at, op, (element, own)),
            _ => Err(Refusal::Invalid("its key does not fit the object")),
        }
    }

    fn check_element(&self, at: At<'_>, op: &Op, ids: (&OpId, &OpId)) -> Result<(), Refusal> {
        let (element, own) = ids;
        let nowhere = Refusal::Invalid("it stands on an element that does not exist");
        if element.counter() >= own.counter() {
            return Err(nowhere);
        }
        if self.elements.contains(element) {
            return Ok(());
        }
        let ObjectId::Id(object) = &op.obj else { return Err(nowhere) };
        let doc = at.page.doc();
        let cursor = automerge::Cursor::try_from(format!("{}@{}", element.counter(), element.1).as_str()).map_err(|_| nowhere.clone())?;
        let object = ObjId::Id(object.counter(), object.1.clone(), 0);
        doc.get_cursor_position(&object, &cursor, None).map(drop).map_err(|_| nowhere)
    }
}

/// What a change says about itself.
fn check_frame(change: &Change, limits: &Limits) -> Result<(), Refusal> {
    if change.is_empty() {
        return Err(Refusal::Invalid("it holds no operation"));
    }
    if change.len() > limits.change_ops {
        return Err(Refusal::TooLarge("the number of operations"));
    }
    if !(0..=MAX_TIME).contains(&change.timestamp()) {
        return Err(Refusal::Invalid("its time is not sane"));
    }
    if change.message().is_some_and(|m| m.len() > MAX_MESSAGE) {
        return Err(Refusal::TooLarge("the commit message"));
    }
    if change.deps().len() > MAX_DEPS {
        return Err(Refusal::TooLarge("the number of dependencies"));
    }
    let actors = std::iter::once(change.actor_id()).chain(change.other_actor_ids());
    if actors.into_iter().any(|a| !(1..=MAX_ACTOR).contains(&a.to_bytes().len())) {
        return Err(Refusal::Invalid("an actor id is empty or too long"));
    }
    Ok(())
}

fn check_action(op: &Op, kind: ObjType) -> Result<(), Refusal> {
    let is_sequence = matches!(kind, ObjType::List | ObjType::Text);
    match &op.action {
        OpType::MarkBegin(_) | OpType::MarkEnd(_) if kind != ObjType::Text || !op.insert => {
            Err(Refusal::Invalid("a mark stands outside a text"))
        }
        OpType::Delete | OpType::Increment(_) if op.insert => Err(Refusal::Invalid("it inserts a deletion")),
        OpType::Delete if op.pred.iter().next().is_none() => Err(Refusal::Invalid("it deletes nothing")),
        OpType::Put(ScalarValue::Unknown { .. }) => Err(Refusal::Invalid("a value is of an unknown type")),
        _ if op.insert && op.pred.iter().next().is_some() => Err(Refusal::Invalid("an insertion replaces something")),
        _ if !op.insert && is_sequence && matches!(op.key, Key::Seq(ElementId::Head)) => Err(Refusal::Invalid("it overwrites the head")),
        _ => Ok(()),
    }
}

/// Decodes, and makes sure that the bytes are the only way to write this change.
fn decode(chunk: &[u8], limits: &Limits) -> Result<(Change, ExpandedChange), Refusal> {
    let change = Change::try_from(chunk).map_err(|_| Refusal::Malformed("the change does not decode"))?;
    if change.len() > limits.change_ops {
        return Err(Refusal::TooLarge("the number of operations"));
    }
    let expanded = change.decode();
    let again = Change::from(expanded.clone());
    if again.raw_bytes() != chunk {
        return Err(Refusal::Invalid("it is not written in the canonical form"));
    }
    Ok((change, expanded))
}
