//! Bringing a page back to how it was: never a rewind, but one ordinary change that does the least that makes the page say
//! what it said. Blocks keep their ids, those that were deleted come back as themselves, and what others do meanwhile
//! merges as with any other edit.
//!
//! What is compared and written is the page as readers see it: title and blocks. Keys of clients' own beside those stay.

mod marks;
mod places;

use super::{Edited, Page, Ran, seconds};
use crate::{
    error::Error,
    mirror::{self, Entry, Mirror},
    still::{Source, Still},
    wording::{self, PATIENCE},
};
use automerge::{
    ChangeHash, ObjId, ObjType, PatchLog, ROOT, ReadDoc, ScalarValue, Value,
    transaction::{CommitOptions, Transactable, Transaction},
};
use std::{collections::BTreeSet, time::Instant};

/// UTF-16 units that one restore writes or takes out at most: a second of work.
const MAX_UNITS: usize = 1_000_000;
/// How deep props are copied. The gate lets nothing deeper in.
const MAX_NESTING: usize = 32;

fn broken(error: automerge::AutomergeError) -> Error {
    Error::Broken(error.to_string())
}

impl Page {
    /// Makes the page say what it said at `to`, as one change at `base` when it is given and in the past, else at the head.
    ///
    /// # Errors
    /// [`Error::StateNotFound`], [`Error::BaseUnknown`], or [`Error::TooLarge`]; then nothing was changed.
    pub fn restore(&mut self, to: &[ChangeHash], base: Option<&[ChangeHash]>, now_ms: i64) -> Result<Edited, Error> {
        if !self.was_at(Some(to)) {
            return Err(Error::StateNotFound);
        }
        if !self.was_at(base) {
            return Err(Error::BaseUnknown);
        }
        let mut past = base.map(<[ChangeHash]>::to_vec).unwrap_or_default();
        past.sort();
        let isolated = base.is_some() && past != self.heads;
        self.run("a restore", |page| {
            if isolated {
                page.restore_at(to, &past, now_ms)
            } else {
                page.restore_now(to, now_ms)
            }
        })
    }

    fn restore_now(&mut self, to: &[ChangeHash], now_ms: i64) -> Result<Edited, Error> {
        let still = Still::read(&self.doc, to);
        let want = Mirror::read(&still);
        let tx = self
            .doc
            .transaction_log_patches(PatchLog::active())
            .map_err(|e| Error::Broken(e.to_string()))?;
        let states = States {
            still: &still,
            want: &want,
            have: &self.mirror,
        };
        let ran = run(tx, &states, now_ms)?;
        Ok(self.edited(ran))
    }

    /// On a copy, isolated at the base, and then the resulting change to the page itself.
    fn restore_at(&mut self, to: &[ChangeHash], base: &[ChangeHash], now_ms: i64) -> Result<Edited, Error> {
        let still = Still::read(&self.doc, to);
        let (want, have) = (Mirror::read(&still), Mirror::read(&Still::read(&self.doc, base)));
        let mut copy = self.doc.clone();
        let tx = copy
            .transaction_at(PatchLog::inactive(), base)
            .map_err(|e| Error::Broken(e.to_string()))?;
        let states = States {
            still: &still,
            want: &want,
            have: &have,
        };
        let (hash, _, made) = run(tx, &states, now_ms)?;
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
}

/// How the page was, and how it is where the change is made.
struct States<'a> {
    still: &'a Still,
    want: &'a Mirror,
    have: &'a Mirror,
}

/// Writes the difference in a transaction and commits it; drops it, which rolls back, when that fails.
fn run(mut tx: Transaction<'_>, states: &States<'_>, now_ms: i64) -> Result<Ran, Error> {
    let mut restoring = Restoring {
        tx: &mut tx,
        states,
        until: Instant::now() + PATIENCE,
        left: MAX_UNITS,
    };
    restoring.title()?;
    restoring.blocks(now_ms)?;
    let (hash, log) = tx.commit_with(CommitOptions::default().with_time(seconds(now_ms)));
    Ok((hash, log, Vec::new()))
}

struct Restoring<'t, 'd, 'a> {
    tx: &'t mut Transaction<'d>,
    states: &'a States<'a>,
    until: Instant,
    left: usize,
}

impl Restoring<'_, '_, '_> {
    fn title(&mut self) -> Result<(), Error> {
        let States { want, have, .. } = self.states;
        if want.title == have.title {
            return Ok(());
        }
        match mirror::object(self.tx, &ROOT, "title", ObjType::Text) {
            Some(text) => self.rewrite(&text, &have.title, &want.title),
            None => self.new_text(&ROOT, "title", &want.title).map(drop),
        }
    }

    fn blocks(&mut self, now_ms: i64) -> Result<(), Error> {
        let States { want, have, .. } = *self.states;
        let blocks = match mirror::object(self.tx, &ROOT, "blocks", ObjType::Map) {
            Some(blocks) => blocks,
            None => self.tx.put_object(ROOT, "blocks", ObjType::Map).map_err(broken)?,
        };
        let live = |mirror: &Mirror| -> BTreeSet<String> { mirror.parents.keys().cloned().collect() };
        for id in live(have).iter().filter(|id| want.live(id).is_none()) {
            let Some(entry) = have.live(id) else { continue };
            let now = ScalarValue::Timestamp(now_ms);
            self.tx.put(&entry.object, "deleted_at", now).map_err(broken)?;
        }
        for id in live(want) {
            if let Some(entry) = want.live(&id) {
                self.block(&blocks, &id, entry)?;
            }
        }
        for (id, place) in places::to_write(want, have) {
            if let Some(object) = mirror::object(self.tx, &blocks, &id, ObjType::Map) {
                self.tx.put(&object, "place", place).map_err(broken)?;
            }
        }
        Ok(())
    }

    fn block(&mut self, blocks: &ObjId, id: &str, want: &Entry) -> Result<(), Error> {
        let nothing = Entry {
            object: ObjId::Root,
            text_object: None,
            kind: String::new(),
            node: want.node.clone(),
            text: String::new(),
            marks: Vec::new(),
            props: serde_json::Map::new(),
        };
        let (have, object) = match self.states.have.blocks.get(id) {
            Some(have) => (have, have.object.clone()),
            // Its key itself was taken out of the map.
            None => (&nothing, self.tx.put_object(blocks, id, ObjType::Map).map_err(broken)?),
        };
        if have.node.deleted {
            self.tx.delete(&object, "deleted_at").map_err(broken)?;
        }
        if have.kind != want.kind {
            self.tx.put(&object, "type", want.kind.as_str()).map_err(broken)?;
        }
        self.text(&object, have, want)?;
        self.props(&object, have, want)
    }

    fn text(&mut self, object: &ObjId, have: &Entry, want: &Entry) -> Result<(), Error> {
        let is_new = have.object == ObjId::Root;
        if !is_new && have.text == want.text && have.marks == want.marks {
            return Ok(());
        }
        let text = match &have.text_object {
            Some(text) => {
                self.rewrite(text, &have.text, &want.text)?;
                text.clone()
            }
            None => self.new_text(object, "text", &want.text)?,
        };
        marks::write(self.tx, &text, &want.marks)
    }

    fn new_text(&mut self, map: &ObjId, key: &str, says: &str) -> Result<ObjId, Error> {
        self.spend(says.len())?;
        let text = self.tx.put_object(map, key, ObjType::Text).map_err(broken)?;
        self.tx.splice_text(&text, 0, 0, says).map_err(broken)?;
        Ok(text)
    }

    /// Changes a text only where it differs.
    fn rewrite(&mut self, text: &ObjId, from: &str, to: &str) -> Result<(), Error> {
        if from == to {
            return Ok(());
        }
        // From the end on, so that positions before stay what they were.
        for splice in wording::splices(from, to, self.until).into_iter().rev() {
            self.spend(splice.delete + splice.insert.len())?;
            let delete = isize::try_from(splice.delete).map_err(|_| Error::TooLarge("the text".to_owned()))?;
            self.tx.splice_text(text, splice.at, delete, splice.insert).map_err(broken)?;
        }
        Ok(())
    }

    fn spend(&mut self, units: usize) -> Result<(), Error> {
        let left = self.left.checked_sub(units);
        self.left = left.ok_or_else(|| Error::TooLarge(format!("a restore writes at most {MAX_UNITS} characters")))?;
        Ok(())
    }

    fn props(&mut self, object: &ObjId, have: &Entry, want: &Entry) -> Result<(), Error> {
        let is_new = have.object == ObjId::Root;
        if !is_new && have.props == want.props {
            return Ok(());
        }
        let props = match mirror::object(self.tx, object, "props", ObjType::Map) {
            Some(props) => props,
            None => self.tx.put_object(object, "props", ObjType::Map).map_err(broken)?,
        };
        for name in have.props.keys().filter(|name| !want.props.contains_key(*name)) {
            self.tx.delete(&props, name.as_str()).map_err(broken)?;
        }
        let Some(source) = self.states.still.object(&want.object, "props", ObjType::Map) else {
            return Ok(());
        };
        for (name, (value, id)) in self.states.still.entries(&source) {
            if have.props.get(name) != want.props.get(name) {
                self.copy((&props, Slot::Key(name)), (value, id), MAX_NESTING)?;
            }
        }
        Ok(())
    }

    /// Copies a value out of the past, with its own type: what reads alike in JSON may be a date or a number.
    fn copy(&mut self, to: (&ObjId, Slot<'_>), value: (&Value<'static>, &ObjId), depth: usize) -> Result<(), Error> {
        let (into, slot) = to;
        let (value, from) = value;
        let kind = match value {
            Value::Scalar(scalar) => return self.put(into, slot, scalar.as_ref().clone()),
            Value::Object(_) if depth == 0 => return self.put(into, slot, ScalarValue::Null),
            Value::Object(kind) => *kind,
        };
        let object = match slot {
            Slot::Key(key) => self.tx.put_object(into, key, kind),
            Slot::Index(index) => self.tx.insert_object(into, index, kind),
        };
        let object = object.map_err(broken)?;
        let still = self.states.still;
        match kind {
            ObjType::Map | ObjType::Table => still
                .entries(from)
                .try_for_each(|(key, (value, id))| self.copy((&object, Slot::Key(key)), (value, id), depth - 1)),
            ObjType::List => still
                .items(from)
                .iter()
                .enumerate()
                .try_for_each(|(i, (value, id))| self.copy((&object, Slot::Index(i)), (value, id), depth - 1)),
            ObjType::Text => {
                let text = still.text_of(from).unwrap_or_default();
                self.spend(text.len())?;
                self.tx.splice_text(&object, 0, 0, &text).map_err(broken)
            }
        }
    }

    fn put(&mut self, into: &ObjId, slot: Slot<'_>, value: ScalarValue) -> Result<(), Error> {
        let put = match slot {
            Slot::Key(key) => self.tx.put(into, key, value),
            Slot::Index(index) => self.tx.insert(into, index, value),
        };
        put.map_err(broken)
    }
}

/// Where a value goes.
#[derive(Clone, Copy)]
enum Slot<'k> {
    /// To a key of a map.
    Key(&'k str),
    /// Into a list.
    Index(usize),
}

#[cfg(test)]
mod tests;
