//! The question to the index. What the caller may not see is left out by the query itself, before anything is ranked or
//! counted; the newest of what is left is ranked, and a page of results is cut from that.

use crate::{
    ask::Ask,
    candidates::{self, Candidate},
    error::Error,
    index::ms_of,
    marked::{self, Marked},
    subject::Kind,
};
use entity::{document, search_entry};
use kernel::{
    clock::{self, Time},
    id::*,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;
use workspaces::access::{Access, ReadWorkspace, Sight};

/// The longest page of results.
const MAX_LIMIT: usize = 200;
/// After as many days, being new counts half.
const HALF_NEW_DAYS: f64 = 30.0;

/// Which things, and which page of results of them.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only what this person made.
    pub author: Option<UserId>,
    /// Only what was changed after this.
    pub updated_after: Option<Time>,
    /// Those in the archive instead of those outside it.
    pub archived: bool,
    /// Only this page and what hangs under it.
    pub inside: Option<DocumentId>,
    /// Behind this place, from the page of results before.
    pub after: Option<Place>,
    /// How many at most.
    pub limit: u64,
}

/// A place among results.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// When the first page of results was asked for, in milliseconds: what was changed since does not come in between.
    as_of: i64,
    /// The last result.
    id: i64,
    /// Its score, in case it is not there any more.
    score: f64,
}

impl Place {
    pub(crate) fn as_of(&self) -> i64 {
        self.as_of
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub id: Uuid,
    /// The page it is on.
    pub document: DocumentId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// Who made it.
    pub author: Option<UserId>,
    /// Its title.
    pub title: Marked,
    /// The page's emoji or url.
    pub icon: Option<String>,
    /// The blocks that say it, best first.
    pub blocks: Vec<(String, Marked)>,
    /// When it was last changed.
    pub updated_at: Time,
}

/// One page of results.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Best first.
    pub hits: Vec<Hit>,
    /// Where the next page of results begins; none at the end.
    pub next: Option<Place>,
}

/// A candidate with what it counts.
#[derive(Clone, Copy)]
struct Ranked {
    id: i64,
    subject: Uuid,
    score: f64,
}

/// Finds what the caller may see in these workspaces.
///
/// # Errors
/// Only the database's.
pub async fn find(db: &impl ConnectionTrait, homes: &[Access<ReadWorkspace>], ask: &Ask, wanted: &Wanted) -> Result<Found, Error> {
    if ask.is_empty() {
        return Ok(Found::default());
    }
    let as_of = wanted.after.map_or_else(clock::now_ms, |place| place.as_of);
    let mut candidates = Vec::new();
    for access in homes {
        let sight = Sight::of(db, access).await?;
        if !sight.is_blind() {
            candidates.extend(candidates::of(db, &sight, ask, wanted).await?);
        }
    }
    let ranked = rank(candidates, as_of);
    let from = wanted.after.map_or(0, |place| place_in(&ranked, &place));
    let limit = usize::try_from(wanted.limit).unwrap_or(MAX_LIMIT).clamp(1, MAX_LIMIT);
    let page: Vec<Ranked> = ranked.iter().skip(from).take(limit).copied().collect();
    let has_more = ranked.len() > from + page.len();
    let next = page.last().filter(|_| has_more).map(|last| Place {
        as_of,
        id: last.id,
        score: last.score,
    });
    Ok(Found {
        hits: show(db, ask, &page).await?,
        next,
    })
}

/// Best first; of equals, the one that was changed last.
fn rank(candidates: Vec<Candidate>, as_of: i64) -> Vec<Ranked> {
    let mut best: BTreeMap<i64, Ranked> = BTreeMap::new();
    for candidate in candidates {
        let (id, subject, score) = (candidate.id, candidate.subject_id, score(&candidate, as_of));
        let known = best.entry(id).or_insert(Ranked { id, subject, score });
        known.score = known.score.max(score);
    }
    let mut ranked: Vec<Ranked> = best.into_values().collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.id.cmp(&a.id)));
    ranked
}

/// What is new counts up to twice as much as what is old.
fn score(candidate: &Candidate, as_of: i64) -> f64 {
    let age_days = (as_of - ms_of(candidate.id)).max(0) as f64 / 86_400_000.0;
    let newness = 1.0 / (1.0 + age_days / HALF_NEW_DAYS);
    candidate.relevance.max(1e-12) * (1.0 + newness)
}

/// Where to go on: behind the last result, or, where that has gone or moved, behind everything that counts more.
fn place_in(ranked: &[Ranked], place: &Place) -> usize {
    if let Some(at) = ranked.iter().position(|one| one.id == place.id) {
        return at + 1;
    }
    let is_before = |one: &&Ranked| (one.score, one.id) >= (place.score, place.id);
    ranked.iter().take_while(is_before).count()
}

async fn show(db: &impl ConnectionTrait, ask: &Ask, page: &[Ranked]) -> Result<Vec<Hit>, Error> {
    if page.is_empty() {
        return Ok(Vec::new());
    }
    let entries = search_entry::Entity::find()
        .filter(search_entry::Column::Kind.is_in(Kind::ALL.map(Kind::name)))
        .filter(search_entry::Column::SubjectId.is_in(page.iter().map(|one| one.subject)));
    let entries: HashMap<Uuid, search_entry::Model> = entries.all(db).await?.into_iter().map(|row| (row.subject_id, row)).collect();
    let documents = document::Entity::find().filter(document::Column::Id.is_in(entries.values().map(|row| row.document_id)));
    let icons: HashMap<DocumentId, Option<String>> = documents.all(db).await?.into_iter().map(|row| (row.id, row.icon)).collect();
    // What went away since it was ranked is left out.
    let shown = page.iter().filter_map(|one| {
        let row = entries.get(&one.subject)?;
        hit(ask, row, icons.get(&row.document_id)?.clone())
    });
    Ok(shown.collect())
}

fn hit(ask: &Ask, row: &search_entry::Model, icon: Option<String>) -> Option<Hit> {
    let parts: Vec<(String, String)> = serde_json::from_str(&row.parts).unwrap_or_default();
    Some(Hit {
        kind: Kind::of(&row.kind)?,
        id: row.subject_id,
        document: row.document_id,
        workspace: row.workspace_id,
        author: row.author_id,
        title: marked::title(ask, &row.title),
        icon,
        blocks: marked::blocks(ask, &parts),
        updated_at: row.updated_at,
    })
}
