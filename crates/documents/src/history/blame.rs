//! Whose each character of a page is, and since when: by the change whose operation put it there.

use super::ledger::{Ledger, Line};
use crate::{
    error::Error,
    mirror::{self, Entry, Mirror},
    op::TITLE,
    page::guarded,
    past::Past,
    still::Still,
    tree,
};
use automerge::{ChangeHash, ObjId, ObjType, ROOT, ReadDoc, ScalarValueRef, ValueRef, iter::ListRange};
use kernel::id::UserId;
use std::collections::HashSet;

/// Characters that stand beside each other, by the same person, no further apart in time than this, are one run.
const TOGETHER_MS: i64 = 60_000;
/// The most runs of one answer.
pub const MAX_RUNS: usize = 10_000;

/// Characters that one person put there, at about the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first UTF-16 unit.
    pub start: usize,
    /// The first one behind it.
    pub end: usize,
    /// Who; none for the product itself.
    pub user: Option<UserId>,
    /// When the first of them was put there, in milliseconds since 1970.
    pub at_ms: i64,
    /// The change that put the first of them there.
    pub change: ChangeHash,
}

/// The runs of one block's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRuns {
    /// The block, or [`TITLE`].
    pub block: String,
    /// All of its text, without gaps, unless the answer was cut.
    pub runs: Vec<Run>,
}

/// Whose a page's characters are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blame {
    /// The title and the live blocks that have text, in reading order.
    pub blocks: Vec<BlockRuns>,
    /// Whether there were more runs than are told.
    pub is_truncated: bool,
}

/// Which text of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// All of it.
    Page,
    /// One block's, or the title's under [`TITLE`].
    Block(String),
}

impl Past {
    /// Whose the characters were in a state of the page.
    ///
    /// # Errors
    /// [`Error::StateNotFound`]; [`Error::BlockNotFound`] when the block was not there.
    pub fn blame(&self, ledger: &Ledger, heads: &[ChangeHash], of: &Of) -> Result<Blame, Error> {
        self.require(heads)?;
        guarded("asking whose the text is", || {
            let still = Still::read(self.doc(), heads);
            let mirror = Mirror::read(&still);
            let mut reader = Reader {
                past: self,
                ledger,
                heads,
                left: MAX_RUNS,
            };
            let mut blocks = Vec::new();
            for (id, text) in texts(&still, &mirror, of)? {
                let runs = reader.runs(&text);
                if !runs.is_empty() {
                    blocks.push(BlockRuns { block: id, runs });
                }
                if reader.left == 0 {
                    break;
                }
            }
            Ok(Blame {
                blocks,
                is_truncated: reader.left == 0,
            })
        })
    }
}

/// Where a text stands in the document.
enum Standing {
    /// As a Text.
    Text(ObjId),
    /// As a plain string of so many UTF-16 units, which this operation put there.
    Plain(ObjId, usize),
}

fn texts(still: &Still, mirror: &Mirror, of: &Of) -> Result<Vec<(String, Standing)>, Error> {
    let ids = match of {
        Of::Block(id) if id != TITLE && mirror.live(id).is_none() => return Err(Error::BlockNotFound(id.clone())),
        Of::Block(id) => vec![id.clone()],
        Of::Page => [TITLE.to_owned()]
            .into_iter()
            .chain(tree::reading_order(&mirror.children))
            .collect(),
    };
    let standing = |id: &String| match mirror.live(id) {
        Some(entry) => of_block(still, entry),
        None => of_key(still, &ROOT, "title"),
    };
    Ok(ids.into_iter().filter_map(|id| standing(&id).map(|text| (id, text))).collect())
}

fn of_block(still: &Still, entry: &Entry) -> Option<Standing> {
    of_key(still, &entry.object, "text")
}

fn of_key(still: &Still, map: &ObjId, key: &str) -> Option<Standing> {
    use crate::still::Source;
    if let Some(text) = still.object(map, key, ObjType::Text) {
        return Some(Standing::Text(text));
    }
    let (_, written) = still.value_of(map, key)?;
    let plain = mirror::string(still, map, key)?;
    Some(Standing::Plain(written, plain.encode_utf16().count()))
}

/// The operations that put the characters of a text there, and how many UTF-16 units each did. Among what Automerge gives
/// are the two ends of each mark, of which the second is null and was made right after the first.
fn characters(items: ListRange<'_>) -> Vec<(ObjId, usize)> {
    let items: Vec<(ObjId, Option<usize>)> = items.map(|item| (item.id(), units(&item.value))).collect();
    let next = |id: &ObjId| match id {
        ObjId::Id(counter, actor, index) => ObjId::Id(counter + 1, actor.clone(), *index),
        ObjId::Root => ObjId::Root,
    };
    let ends: HashSet<ObjId> = items
        .iter()
        .filter(|(_, units)| units.is_none())
        .map(|(id, _)| id.clone())
        .collect();
    let is_character = |id: &ObjId| ends.is_empty() || !ends.contains(&next(id));
    items
        .into_iter()
        .filter_map(|(id, units)| units.map(|units| (id, units)))
        .filter(|(id, _)| is_character(id))
        .collect()
}

/// How many units a value takes in a text; none for null, which is the end of a mark.
fn units(value: &ValueRef<'_>) -> Option<usize> {
    match value {
        ValueRef::Scalar(ScalarValueRef::Null) => None,
        ValueRef::Scalar(ScalarValueRef::Str(said)) => Some(said.encode_utf16().count()),
        // An editor's block marker, or what does not belong into a text.
        ValueRef::Scalar(_) | ValueRef::Object(_) => Some(1),
    }
}

struct Reader<'a> {
    past: &'a Past,
    ledger: &'a Ledger,
    heads: &'a [ChangeHash],
    /// Runs that may still be told.
    left: usize,
}

impl Reader<'_> {
    fn runs(&mut self, text: &Standing) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        match text {
            Standing::Plain(written, units) => self.put(&mut runs, written, *units),
            Standing::Text(text) => {
                for (operation, units) in characters(self.past.doc().list_range_at(text, .., self.heads)) {
                    self.put(&mut runs, &operation, units);
                    if self.left == 0 {
                        break;
                    }
                }
            }
        }
        runs
    }

    /// Adds what an operation put there: to the run before when it is of the same making.
    fn put(&mut self, runs: &mut Vec<Run>, operation: &ObjId, units: usize) {
        let Some(hash) = self.past.doc().hash_for_opid(operation) else {
            return;
        };
        let line = self.ledger.line(&hash).copied().unwrap_or(Line {
            seq: 0,
            hash,
            user: None,
            at_ms: 0,
        });
        if let Some(last) = runs.last_mut()
            && last.user == line.user
            && (last.at_ms - line.at_ms).abs() <= TOGETHER_MS
        {
            last.end += units;
            return;
        }
        let start = runs.last().map_or(0, |last| last.end);
        self.left -= 1;
        runs.push(Run {
            start,
            end: start + units,
            user: line.user,
            at_ms: line.at_ms,
            change: hash,
        });
    }
}
