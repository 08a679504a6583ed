//! Copying pages: new pages with new ids, and the content of the old ones as one first change each. What names a page that was
//! copied along names its copy, and so does what names a file that was.
//!
//! A copy is as closed as what it is made of: restricted pages stay restricted, and whoever made the copy manages it. Grants
//! and links are not copied. Pages that the copier may not see are not copied, nor what hangs under them, and nobody is told.

use crate::{
    error::Error,
    limits::Limits,
    lineage::{self, AT_ONCE},
    log::{self, Entry, Source},
    page::Page,
    projection::{self, Content},
    references::{self, Names},
    siblings::{self, Place, Row},
    snapshot,
};
use automerge::Change as Edit;
use entity::document;
use events::Change;
use kernel::{clock, id::*, role::Level};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use uuid::Uuid;
use workspaces::{
    Quotas,
    access::{self, Access, CreateDocuments, DocumentAccess, EditDocument, ViewDocument},
    quota, uprooted,
};

/// Pages copied at once; more than these are not begun with.
pub const MOST: usize = 5_000;

/// How much is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The page alone.
    Page,
    /// With what hangs under it.
    Subtree,
}

/// What is to be copied: pages with the ids of their copies, parents first.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The pages.
    pub pages: Vec<document::Model>,
    /// Their copies' ids.
    pub ids: HashMap<DocumentId, DocumentId>,
}

/// The id of a page's copy that is the same whenever the same work is done again.
pub fn lasting_id(work: Uuid, page: DocumentId) -> DocumentId {
    DocumentId(lasting(work, page.0))
}

/// The same of a file's.
pub fn lasting_file_id(work: Uuid, file: AttachmentId) -> AttachmentId {
    AttachmentId(lasting(work, file.0))
}

fn lasting(work: Uuid, id: Uuid) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(work.as_bytes());
    hash.update(id.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The title of a copy that stands beside what it was made of.
pub fn copy_title(title: &str) -> String {
    const BEHIND: &str = " (copy)";
    let room = crate::document::MAX_TITLE - BEHIND.len();
    let title: String = title.chars().filter(|c| !c.is_control()).take(room).collect();
    format!("{title}{BEHIND}").trim_start().to_owned()
}

/// What somebody copies when they copy a page.
///
/// # Errors
/// [`Error::TooLarge`] above [`MOST`] pages.
pub async fn plan(
    db: &impl ConnectionTrait,
    access: &DocumentAccess<ViewDocument>,
    extent: Extent,
    id_of: impl Fn(DocumentId) -> DocumentId,
) -> Result<Plan, Error> {
    let mut pages = vec![access.document().clone()];
    let mut level = match extent {
        Extent::Page => Vec::new(),
        Extent::Subtree => vec![access.id()],
    };
    while !level.is_empty() {
        let mut below = Vec::new();
        for some in level.chunks(AT_ONCE) {
            let children = document::Entity::find()
                .filter(document::Column::ParentId.is_in(some.iter().copied()))
                .filter(document::Column::DeletedAt.is_null())
                .order_by_asc(document::Column::Id);
            below.extend(children.all(db).await?);
        }
        let ids: Vec<DocumentId> = below.iter().map(|row| row.id).collect();
        let levels = access::levels(db, access.who(), &ids).await?;
        // What was archived before stays behind, but for a copy of an archived page.
        let is_kept = |row: &document::Model| row.archived_at.is_none() || access.document().is_archived();
        below.retain(|row| is_kept(row) && levels.get(&row.id).is_some_and(|level| *level >= Level::View));
        level = below.iter().map(|row| row.id).collect();
        pages.extend(below);
        if pages.len() > MOST {
            return Err(Error::TooLarge(format!("at most {MOST} pages are copied at once")));
        }
    }
    let ids = pages.iter().map(|row| (row.id, id_of(row.id))).collect();
    Ok(Plan { pages, ids })
}

/// A page's content as it is committed, for whoever works on pages without anybody being there.
///
/// # Errors
/// [`Error::NotFound`], or that it does not load.
pub async fn content_of(db: &(impl ConnectionTrait + Send), id: DocumentId) -> Result<Content, Error> {
    let head = log::head(db, id).await?;
    match projection::at(db, id, &head).await? {
        Some(content) => Ok(content),
        None => Ok(Content::from(snapshot::load(db, id).await?.0.mirror())),
    }
}

/// What a copy is made of.
#[derive(Clone, Debug)]
pub struct Filling<'a> {
    /// What stands on the page.
    pub content: Content,
    /// Another title.
    pub title: Option<&'a str>,
    /// Files that the copy names instead of those that the page names.
    pub files: HashMap<AttachmentId, AttachmentId>,
}

/// A copy that is not written yet.
pub struct Ready {
    source: document::Model,
    id: DocumentId,
    content: Content,
    change: Edit,
}

impl Ready {
    /// The same as a page of its own, not a copy: as open as where it goes, and with these instead of its icon and cover.
    #[must_use]
    pub fn as_new(mut self, icon: Option<String>, cover: Option<String>) -> Self {
        let source = &mut self.source;
        source.icon = icon.or_else(|| source.icon.take());
        source.cover = cover.or_else(|| source.cover.take());
        (source.restricted, source.default_level, source.is_template) = (false, None, false);
        self
    }
}

impl Plan {
    /// How many levels of pages it has.
    fn height(&self) -> usize {
        let mut depths: HashMap<DocumentId, usize> = HashMap::with_capacity(self.pages.len());
        for page in &self.pages {
            let above = page.parent_id.and_then(|parent| depths.get(&parent)).copied().unwrap_or(0);
            depths.insert(page.id, above + 1);
        }
        depths.into_values().max().unwrap_or(0)
    }

    /// Makes the copy of one of its pages, under a title. Takes milliseconds to seconds of CPU: never on an async thread.
    ///
    /// # Errors
    /// [`Error::Broken`] when Automerge fails.
    pub fn make(&self, source: &document::Model, filling: Filling<'_>, limits: &Limits) -> Result<Ready, Error> {
        let (mut content, mut source) = (filling.content, source.clone());
        let names = Names {
            pages: &self.ids,
            files: &filling.files,
        };
        references::exchange(&mut content, names);
        for picture in [&mut source.icon, &mut source.cover].into_iter().flatten() {
            references::exchange_link(picture, names);
        }
        if let Some(title) = filling.title {
            title.clone_into(&mut content.title);
        }
        let (page, change) = Page::copied(&content, limits, clock::now_ms())?;
        Ok(Ready {
            id: self.ids.get(&source.id).copied().ok_or(Error::NotFound)?,
            source,
            content: Content::from(page.mirror()),
            change,
        })
    }
}

/// Where the copy of the first page goes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The workspace.
    pub home: &'a Access<CreateDocuments>,
    /// What it hangs under there; none for the top.
    pub under: Option<&'a DocumentAccess<EditDocument>>,
    /// Where among its siblings.
    pub place: Place,
}

/// Writes copies, of a plan or of a part of it that begins where the last ended. Those that are there already are passed over.
/// Gives the rows that were written.
///
/// # Errors
/// The quota's, invalid fields.
pub async fn write(
    tx: &DatabaseTransaction,
    plan: &Plan,
    ready: Vec<Ready>,
    to: Target<'_>,
    quotas: &Quotas,
) -> Result<Vec<document::Model>, Error> {
    let ready = missing(tx, ready).await?;
    quota::check_documents(tx, to.home, ready.len() as u64, quotas).await?;
    let root = plan.pages.first().map(|row| row.id);
    let mut rows = Vec::with_capacity(ready.len());
    for one in ready {
        let is_root = Some(one.source.id) == root;
        let parent = match one.source.parent_id.filter(|_| !is_root) {
            Some(parent) => plan.ids.get(&parent).copied(),
            None => to.under.map(DocumentAccess::id),
        };
        let rank = if is_root {
            root_rank(tx, plan, to).await?
        } else {
            one.source.rank.clone()
        };
        rows.push(insert(tx, one, to.home, (parent, rank)).await?);
    }
    // Who made it manages what is closed: else they might not even see it.
    let closed = rows
        .iter()
        .filter(|row: &&document::Model| row.restricted || row.default_level.is_some());
    let closed: Vec<DocumentId> = closed.map(|row| row.id).collect();
    uprooted::settle(tx, to.home, &closed).await?;
    Ok(rows)
}

async fn missing(tx: &DatabaseTransaction, ready: Vec<Ready>) -> Result<Vec<Ready>, DbErr> {
    let known = document::Entity::find().filter(document::Column::Id.is_in(ready.iter().map(|one| one.id)));
    let known: Vec<DocumentId> = known.all(tx).await?.iter().map(|row| row.id).collect();
    Ok(ready.into_iter().filter(|one| !known.contains(&one.id)).collect())
}

/// Where the first copy goes; there has to be room for all levels of what is copied.
async fn root_rank(tx: &DatabaseTransaction, plan: &Plan, to: Target<'_>) -> Result<String, Error> {
    if let Some(parent) = to.under {
        lineage::check_parent(tx, to.home.workspace(), parent, plan.height()).await?;
    }
    let among = Row {
        workspace: to.home.workspace(),
        parent: to.under.map(DocumentAccess::id),
        moving: None,
    };
    siblings::rank(tx, to.home.who(), among, to.place).await
}

async fn insert(
    tx: &DatabaseTransaction,
    one: Ready,
    home: &Access<CreateDocuments>,
    (parent, rank): (Option<DocumentId>, String),
) -> Result<document::Model, Error> {
    let now = clock::now();
    let row = document::Model {
        id: one.id,
        workspace_id: home.workspace(),
        parent_id: parent,
        rank,
        title: one.content.title.clone(),
        created_by: home.user(),
        created_at: now,
        updated_at: now,
        archived_at: None,
        archived_with: None,
        ..one.source
    };
    document::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await?;
    let entry = Entry {
        change: one.change,
        user: Some(home.user()),
        message_id: None,
        source: Source::Server,
        binds_actor: true,
    };
    let head = log::start(tx, row.id, entry).await?;
    projection::keep(tx, row.id, &head, &one.content).await?;
    events::append(tx, home.by(), Change::DocumentCreated { document: row.id }).await?;
    Ok(row)
}

/// Notes, in the workspace of the original, that it was copied.
///
/// # Errors
/// Only the database's.
pub async fn note(tx: &DatabaseTransaction, access: &DocumentAccess<ViewDocument>, copy: DocumentId) -> Result<(), DbErr> {
    let document = access.id();
    events::append(tx, access.by(), Change::DocumentCopied { document, copy })
        .await
        .map(drop)
}
