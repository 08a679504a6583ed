//! Versions: points of a page's history that somebody named, or that are kept of each editing session. A version is heads
//! and what is known about them; reading it reads the history.

mod making;
mod thinning;
pub use making::{Pace, due, keep_present, make_due, note_editing, note_restored};
pub use thinning::{Retention, thin, thinnable};

use crate::{error::Error, heads, history::moment::Standing, log::Head, snapshot};
use entity::{document_change, document_version};
use events::Change;
use kernel::{
    clock::{self, Time},
    error::Field,
    id::*,
    role::Level,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use workspaces::access::{DocumentAccess, EditDocument, ViewDocument};

/// The longest name, in characters.
const MAX_NAME: usize = 200;
/// The longest note, in characters.
const MAX_NOTE: usize = 2_000;
/// Authors that are told of one version.
const MAX_AUTHORS: u64 = 100;

/// Why a version was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An editing session ended, or went on for long.
    Auto,
    /// Somebody named a state.
    Named,
    /// The page was brought back to another version.
    Restore,
}

impl Kind {
    /// The name that stands in the table and in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Named => "named",
            Self::Restore => "restore",
        }
    }
}

/// What somebody says about a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// What they write about it.
    pub note: Option<String>,
}

/// Another label. `None` leaves a part; `Some(None)` takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relabel {
    /// The name.
    pub name: Option<Option<String>>,
    /// The note.
    pub note: Option<Option<String>>,
}

fn checked_name(name: &str) -> Result<String, Field> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        let why = format!("takes 1 to {MAX_NAME} characters without line breaks");
        return Err(Field::new("/name", "invalid", why));
    }
    Ok(name.to_owned())
}

fn checked_note(note: Option<&str>) -> Result<Option<String>, Field> {
    let note = note.map(str::trim).filter(|note| !note.is_empty());
    if note.is_some_and(|note| note.chars().count() > MAX_NOTE || note.chars().any(|c| c.is_control() && c != '\n')) {
        return Err(Field::new("/note", "invalid", format!("takes at most {MAX_NOTE} characters")));
    }
    Ok(note.map(str::to_owned))
}

/// Both parts, or every one that is bad.
fn both<A, B>(a: Result<A, Field>, b: Result<B, Field>) -> Result<(A, B), Error> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (a, b) => Err(Error::Invalid([a.err(), b.err()].into_iter().flatten().collect())),
    }
}

/// A version of a page.
///
/// # Errors
/// [`Error::VersionNotFound`].
pub async fn find(db: &impl ConnectionTrait, document: DocumentId, id: VersionId) -> Result<document_version::Model, Error> {
    let row = document_version::Entity::find_by_id(id).one(db).await?;
    row.filter(|row| row.document_id == document).ok_or(Error::VersionNotFound)
}

/// Which versions of a page.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those with a name.
    pub named: bool,
    /// Behind this time and id, from the page of results before.
    pub after: Option<(Time, VersionId)>,
    /// How many at most.
    pub limit: u64,
}

/// Versions of a page, the latest states first; one more than the limit when there are more.
///
/// # Errors
/// Only the database's.
pub async fn list(
    db: &impl ConnectionTrait,
    access: &DocumentAccess<ViewDocument>,
    wanted: &Wanted,
) -> Result<Vec<document_version::Model>, DbErr> {
    use document_version::Column;
    let mut query = document_version::Entity::find().filter(Column::DocumentId.eq(access.id()));
    if wanted.named {
        query = query.filter(Column::Name.is_not_null());
    }
    if let Some((at, id)) = wanted.after {
        let same_time = Condition::all().add(Column::EditedAt.eq(at)).add(Column::Id.lt(id));
        query = query.filter(Condition::any().add(Column::EditedAt.lt(at)).add(same_time));
    }
    query
        .order_by_desc(Column::EditedAt)
        .order_by_desc(Column::Id)
        .limit(wanted.limit.saturating_add(1))
        .all(db)
        .await
}

/// Names a state of a page. A version that was made of it by itself gets the name.
///
/// # Errors
/// Bad fields; [`Error::VersionExists`] when the state has a name already.
pub async fn name(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<EditDocument>,
    state: &Standing,
    label: &Label,
) -> Result<document_version::Model, Error> {
    let (name, note) = both(checked_name(&label.name), checked_note(label.note.as_deref()))?;
    snapshot::lock_head(tx, access.id()).await?.ok_or(Error::NotFound)?;
    let same = of_state(tx, access.id(), &state.head).await?;
    if same.iter().any(|row| row.name.is_some()) {
        return Err(Error::VersionExists);
    }
    let row = match same.into_iter().next() {
        Some(nameless) => {
            let kind = if nameless.kind == Kind::Auto.name() {
                Kind::Named.name().to_owned()
            } else {
                nameless.kind.clone()
            };
            let mut row = nameless.into_active_model();
            row.kind = Set(kind);
            row.name = Set(Some(name));
            row.note = Set(note);
            row.created_by = Set(Some(access.user()));
            row.updated_at = Set(clock::now());
            row.update(tx).await?
        }
        None => {
            let mut row = new_row(tx, access.id(), state, Kind::Named).await?;
            row.name = Some(name);
            row.note = note;
            row.created_by = Some(access.user());
            document_version::Entity::insert(row.clone().into_active_model())
                .exec_without_returning(tx)
                .await?;
            row
        }
    };
    let fact = Change::DocumentVersionCreated {
        document: access.id(),
        version: row.id,
    };
    events::append(tx, access.by(), fact).await?;
    Ok(row)
}

/// Changes what is said about a version.
///
/// # Errors
/// [`Error::VersionNotFound`]; bad fields, such as no name for what exists because somebody named it.
pub async fn relabel(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<EditDocument>,
    id: VersionId,
    to: Relabel,
) -> Result<document_version::Model, Error> {
    let row = find(tx, access.id(), id).await?;
    let name = match &to.name {
        None => Ok(row.name.clone()),
        Some(Some(name)) => checked_name(name).map(Some),
        Some(None) if row.kind == Kind::Named.name() => Err(Field::new("/name", "required", "is what this version is there for")),
        Some(None) => Ok(None),
    };
    let note = match &to.note {
        None => Ok(row.note.clone()),
        Some(note) => checked_note(note.as_deref()),
    };
    let (name, note) = both(name, note)?;
    if (&name, &note) == (&row.name, &row.note) {
        return Ok(row);
    }
    let mut changed = row.into_active_model();
    changed.name = Set(name);
    changed.note = Set(note);
    changed.updated_at = Set(clock::now());
    let row = changed.update(tx).await?;
    let fact = Change::DocumentVersionRenamed {
        document: access.id(),
        version: id,
    };
    events::append(tx, access.by(), fact).await?;
    Ok(row)
}

/// Removes a version; the history keeps what was in it. What somebody else named is removed by who manages the page.
///
/// # Errors
/// [`Error::VersionNotFound`]; forbidden.
pub async fn delete(tx: &DatabaseTransaction, access: &DocumentAccess<EditDocument>, id: VersionId) -> Result<(), Error> {
    let row = find(tx, access.id(), id).await?;
    let is_anothers = row.name.is_some() && row.created_by.is_some_and(|by| by != access.user());
    if is_anothers && access.level() < Level::Manage {
        return Err(workspaces::access::AccessError::Forbidden.into());
    }
    document_version::Entity::delete_by_id(id).exec(tx).await?;
    let fact = Change::DocumentVersionDeleted {
        document: access.id(),
        version: id,
    };
    events::append(tx, access.by(), fact).await?;
    Ok(())
}

/// Keeps a version that nobody named, once for each state and reason. Gives the one there is.
///
/// # Errors
/// Only the database's.
pub async fn keep(
    tx: &DatabaseTransaction,
    document: DocumentId,
    state: &Standing,
    why: (Kind, Option<UserId>),
) -> Result<document_version::Model, DbErr> {
    let (kind, by) = why;
    let known = of_state(tx, document, &state.head).await?;
    if let Some(known) = known.into_iter().find(|row| row.kind == kind.name()) {
        return Ok(known);
    }
    let mut row = new_row(tx, document, state, kind).await?;
    row.created_by = by;
    document_version::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await?;
    Ok(row)
}

/// The last version that somebody made for a reason.
///
/// # Errors
/// Only the database's.
pub async fn last_of(
    db: &impl ConnectionTrait,
    document: DocumentId,
    why: (Kind, UserId),
) -> Result<Option<document_version::Model>, DbErr> {
    document_version::Entity::find()
        .filter(document_version::Column::DocumentId.eq(document))
        .filter(document_version::Column::Kind.eq(why.0.name()))
        .filter(document_version::Column::CreatedBy.eq(why.1))
        .order_by_desc(document_version::Column::EditedAt)
        .one(db)
        .await
}

/// The versions of one state.
async fn of_state(tx: &impl ConnectionTrait, document: DocumentId, head: &Head) -> Result<Vec<document_version::Model>, DbErr> {
    document_version::Entity::find()
        .filter(document_version::Column::DocumentId.eq(document))
        .filter(document_version::Column::Epoch.eq(head.epoch))
        .filter(document_version::Column::ServerSeq.eq(head.seq))
        .filter(document_version::Column::Heads.eq(heads::to_bytes(&head.heads)))
        .all(tx)
        .await
}

async fn new_row(tx: &impl ConnectionTrait, document: DocumentId, state: &Standing, kind: Kind) -> Result<document_version::Model, DbErr> {
    let now = clock::now();
    let authors = authors(tx, document, &state.head).await?;
    Ok(document_version::Model {
        id: VersionId::new(),
        document_id: document,
        epoch: state.head.epoch,
        server_seq: state.head.seq,
        heads: heads::to_bytes(&state.head.heads),
        kind: kind.name().to_owned(),
        name: None,
        note: None,
        authors: serde_json::to_string(&authors).map_err(|e| DbErr::Custom(e.to_string()))?,
        created_by: None,
        edited_at: state.edited_at,
        created_at: now,
        updated_at: now,
        thinned: 0,
    })
}

/// The number of the last version before a number of the log.
async fn version_before(tx: &impl ConnectionTrait, document: DocumentId, epoch: EpochId, seq: i64) -> Result<Option<i64>, DbErr> {
    document_version::Entity::find()
        .select_only()
        .column(document_version::Column::ServerSeq)
        .filter(document_version::Column::DocumentId.eq(document))
        .filter(document_version::Column::Epoch.eq(epoch))
        .filter(document_version::Column::ServerSeq.lt(seq))
        .order_by_desc(document_version::Column::ServerSeq)
        .into_tuple()
        .one(tx)
        .await
}

/// Who edited since the version before. What was folded since then is not looked up.
async fn authors(tx: &impl ConnectionTrait, document: DocumentId, head: &Head) -> Result<Vec<UserId>, DbErr> {
    let from = version_before(tx, document, head.epoch, head.seq).await?.unwrap_or(0);
    let rows: Vec<Option<UserId>> = document_change::Entity::find()
        .select_only()
        .column(document_change::Column::UserId)
        .distinct()
        .filter(document_change::Column::DocumentId.eq(document))
        .filter(document_change::Column::Epoch.eq(head.epoch))
        .filter(document_change::Column::ServerSeq.gt(from))
        .filter(document_change::Column::ServerSeq.lte(head.seq))
        .filter(document_change::Column::UserId.is_not_null())
        .order_by_asc(document_change::Column::UserId)
        .limit(MAX_AUTHORS)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(rows.into_iter().flatten().collect())
}
