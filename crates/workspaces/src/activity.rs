//! The log as somebody may see it now: what is asked is not who could see a thing when it happened, but who may today.

use crate::access::{self, Access, Allows, DocumentAccess, ReadAudit, ReadMembers, ReadWorkspace, ViewDocument};
use entity::event;
use events::{Audience, audience, read};
use kernel::{clock::Time, id::*, role::Level};
use sea_orm::{ConnectionTrait, DbErr};
use std::{collections::HashMap, sync::LazyLock};
use uuid::Uuid;

/// Rounds of reading for one page of results.
const ROUNDS: usize = 20;

/// Entries that a round reads at least: where few of them are visible, small rounds would fill nothing.
const LEAST_READ: u64 = 100;

/// The longest page of results.
const MAX_LIMIT: u64 = 200;

/// Which entries, and which page of results of them.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of this kind, or of this resource: `document` is every `document.…`.
    pub kind: Option<String>,
    /// Done by this person.
    pub user: Option<UserId>,
    /// About this thing.
    pub subject: Option<Uuid>,
    /// From this time on.
    pub from: Option<Time>,
    /// Before this time.
    pub to: Option<Time>,
    /// Before this number, from the page of results before.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: u64,
}

impl Wanted {
    /// The same, as the log is asked.
    pub(crate) fn of_log(&self, without: Vec<&'static str>) -> read::Wanted {
        read::Wanted {
            kind: self.kind.clone(),
            user: self.user,
            subject: self.subject,
            from: self.from,
            to: self.to,
            without,
        }
    }
}

/// How long a page of results may be.
pub(crate) fn clamp(limit: u64) -> u64 {
    limit.clamp(1, MAX_LIMIT)
}

/// One page of results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The entries, newest first.
    pub events: Vec<event::Model>,
    /// The number before which the next page of results begins; none at the end.
    pub next: Option<i64>,
}

impl Listed {
    /// The first of these entries; there is more when there are more than `limit`.
    pub(crate) fn cut(mut events: Vec<event::Model>, limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = events.len() > limit;
        events.truncate(limit);
        let next = events.last().filter(|_| has_more).and_then(|event| event.seq);
        Self { events, next }
    }
}

/// Whether a kind is something that people do together, and not for the audit log or one person alone.
fn is_activity(kind: &str) -> bool {
    !matches!(audience(kind), Audience::Admins | Audience::Account) && !kind.starts_with("job.")
}

static KINDS: LazyLock<(Vec<&str>, Vec<&str>)> = LazyLock::new(|| {
    let names = events::catalogue().into_iter().map(|kind| kind.name);
    names.partition(|name| is_activity(name))
});

/// The kinds that count as activity.
pub(crate) fn kinds() -> &'static [&'static str] {
    &KINDS.0
}

fn other_kinds() -> Vec<&'static str> {
    KINDS.1.clone()
}

/// Keeps, in their order, the entries that the caller may see now. Admins and owners see all of their workspace without
/// a query; for everybody else the levels of all pages are asked at once.
///
/// # Errors
/// Only the database's.
pub async fn visible(
    db: &impl ConnectionTrait,
    access: &Access<ReadWorkspace>,
    mut events: Vec<event::Model>,
) -> Result<Vec<event::Model>, DbErr> {
    let levels = if sees_all(access) {
        HashMap::new()
    } else {
        access::levels(db, access.who(), &pages(&events)).await?
    };
    events.retain(|event| is_visible(access, &levels, event));
    Ok(events)
}

/// Whether the caller may read the audit log, where everything stands anyway.
fn sees_all(access: &Access<ReadWorkspace>) -> bool {
    access.role() >= ReadAudit::ROLE
}

/// The pages that entries are about, each once.
fn pages(events: &[event::Model]) -> Vec<DocumentId> {
    let about_pages = events.iter().filter(|event| audience(&event.kind) == Audience::Document);
    let mut pages: Vec<DocumentId> = about_pages.filter_map(|event| event.subject_id.map(DocumentId)).collect();
    pages.sort_unstable();
    pages.dedup();
    pages
}

fn is_visible(access: &Access<ReadWorkspace>, levels: &HashMap<DocumentId, Level>, event: &event::Model) -> bool {
    let is_own = event.user_id == Some(access.user());
    let audience = audience(&event.kind);
    if audience == Audience::Account {
        return is_own;
    }
    if event.workspace_id != Some(access.workspace()) {
        return false;
    }
    if sees_all(access) {
        return true;
    }
    match audience {
        Audience::Everyone => true,
        Audience::Members => access.role() >= ReadMembers::ROLE || event.subject_id == Some(access.user().0),
        Audience::Document => {
            let level = event.subject_id.and_then(|id| levels.get(&DocumentId(id)));
            // A page that was destroyed has no level; what they did themselves is no news to them.
            level.map_or(is_own, |level| *level >= Level::View)
        }
        Audience::Requester => is_own,
        Audience::Admins | Audience::Account => false,
    }
}

/// What people did in the workspace, as far as the caller may see it, newest first. What is for the audit log or for one
/// person alone is left out, and so are jobs.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, access: &Access<ReadWorkspace>, wanted: &Wanted) -> Result<Listed, DbErr> {
    let (which, limit) = (wanted.of_log(other_kinds()), clamp(wanted.limit));
    let at_once = LEAST_READ.max(limit + 1);
    let (mut seen, mut place) = (Vec::new(), wanted.before);
    // Entries the caller may not see do not count, so a few more rounds may be needed to fill a page of results.
    for _ in 0..ROUNDS {
        let mut found = read::before(db, access.workspace(), &which, place, at_once).await?;
        let is_end = (found.len() as u64) < at_once;
        place = found.last().and_then(|event| event.seq);
        // A kind that another version of the product wrote cannot be left out by its name.
        found.retain(|event| is_activity(&event.kind));
        seen.extend(visible(db, access, found).await?);
        if is_end || seen.len() as u64 > limit {
            return Ok(Listed::cut(seen, limit));
        }
        if seen.len() as u64 == limit {
            break;
        }
    }
    Ok(Listed { events: seen, next: place })
}

/// For live streams: reads up to `limit` entries behind a number, oldest first. Gives those that the caller may see, and
/// the number of the last one that was read, so that the others are passed over.
///
/// # Errors
/// Only the database's.
pub async fn after(
    db: &impl ConnectionTrait,
    access: &Access<ReadWorkspace>,
    seq: i64,
    limit: u64,
) -> Result<(Vec<event::Model>, i64), DbErr> {
    let found = read::after(db, access.workspace(), &read::Wanted::default(), seq, limit).await?;
    let last = found.last().and_then(|event| event.seq).unwrap_or(seq);
    Ok((visible(db, access, found).await?, last))
}

/// What happened to one page, newest first, for whoever may view it. Who viewed it stands in the audit log alone.
///
/// # Errors
/// Only the database's.
pub async fn of_document(
    db: &impl ConnectionTrait,
    access: &DocumentAccess<ViewDocument>,
    before: Option<i64>,
    limit: u64,
) -> Result<Listed, DbErr> {
    let (limit, wanted) = (
        clamp(limit),
        Wanted {
            kind: Some("document".to_owned()),
            subject: Some(access.id().0),
            ..Wanted::default()
        },
    );
    let found = read::before(db, access.workspace(), &wanted.of_log(other_kinds()), before, limit + 1).await?;
    let mut listed = Listed::cut(found, limit);
    listed.events.retain(|event| audience(&event.kind) == Audience::Document);
    Ok(listed)
}
