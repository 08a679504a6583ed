//! The rows around pages: made, found, moved to the trash and back. Their content is in the op log.

use crate::{
    error::Error,
    limits::Limits,
    lock,
    log::{self, Entry, Head, Source},
    op::NewBlock,
    page::Page,
    place,
    projection::{self, Content},
};
use entity::document;
use events::Change;
use kernel::{clock, error::Field, id::*, order, role::Level};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, sea_query::Expr,
};
use workspaces::{
    access::{self, Access, AccessError, CreateDocuments, DocumentAccess, EditDocument, ManageDocument},
    grant,
};

/// The longest title, in characters.
pub const MAX_TITLE: usize = 1_000;
/// How deep pages nest.
const MAX_DEPTH: usize = 100;

/// A page to be made.
#[derive(Clone, Debug, Default)]
pub struct NewDocument {
    /// The client's own id, so that a retry is safe.
    pub id: Option<DocumentId>,
    /// The page it hangs under.
    pub parent: Option<DocumentId>,
    /// Its title; may be empty.
    pub title: String,
    /// Emoji or url.
    pub icon: Option<String>,
    /// Url of a picture.
    pub cover: Option<String>,
    /// Its first blocks.
    pub blocks: Vec<NewBlock>,
}

/// A page that was just made.
pub struct Created {
    /// Its row.
    pub row: document::Model,
    /// Where its log stands.
    pub head: Head,
    /// Its content.
    pub content: Content,
}

/// A title as it may stand: trimmed, one line, not too long.
///
/// # Errors
/// Names the field.
pub fn checked_title(title: &str) -> Result<String, Error> {
    let title = title.trim();
    if title.chars().count() > MAX_TITLE {
        return Err(Error::invalid(
            "/title",
            "too_long",
            format!("takes at most {MAX_TITLE} characters"),
        ));
    }
    if title.chars().any(char::is_control) {
        return Err(Error::invalid(
            "/title",
            "control_character",
            "takes no line breaks or control characters",
        ));
    }
    Ok(title.to_owned())
}

fn checked_ornaments(icon: Option<&str>, cover: Option<&str>) -> Result<(), Error> {
    let mut bad = Vec::new();
    if icon.is_some_and(|icon| icon.len() > 2_048 || icon.chars().any(char::is_control)) {
        bad.push(Field::new("/icon", "invalid", "is an emoji or an http(s) url"));
    }
    if cover.is_some_and(|cover| cover.len() > 2_048 || !(cover.starts_with("https://") || cover.starts_with("http://"))) {
        bad.push(Field::new("/cover", "invalid", "is an http(s) url"));
    }
    if bad.is_empty() { Ok(()) } else { Err(Error::Invalid(bad)) }
}

/// Makes a page with its first blocks, behind its siblings. Whoever may edit the parent may put a page under it; the
/// caller proves that by `under`.
///
/// # Errors
/// Invalid fields; [`Error::Taken`] when the client's id is in use.
pub async fn create(
    tx: &DatabaseTransaction,
    access: &Access<CreateDocuments>,
    under: Option<&DocumentAccess<EditDocument>>,
    new: NewDocument,
    limits: &Limits,
) -> Result<Created, Error> {
    let title = checked_title(&new.title)?;
    checked_ornaments(new.icon.as_deref(), new.cover.as_deref())?;
    check_parent(tx, access, under, new.parent).await?;
    let id = new.id.unwrap_or_else(DocumentId::new);
    if document::Entity::find_by_id(id).one(tx).await?.is_some() {
        return Err(Error::Taken(format!("the document id {id}")));
    }
    let now = clock::now();
    let (page, change) = Page::create(&title, &new.blocks, limits, now.timestamp_millis())?;
    let row = document::Model {
        id,
        workspace_id: access.workspace(),
        parent_id: new.parent,
        rank: last_rank(tx, access.workspace(), new.parent).await?,
        title,
        icon: new.icon,
        cover: new.cover,
        default_level: None,
        restricted: false,
        created_by: access.user(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        deleted_with: None,
    };
    document::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await?;
    let entry = Entry {
        change,
        user: Some(access.user()),
        message_id: None,
        source: Source::Server,
        binds_actor: true,
    };
    let head = log::start(tx, id, entry).await?;
    let content = Content::from(page.mirror());
    projection::keep(tx, id, &head, &content).await?;
    events::append(tx, access.by(), Change::DocumentCreated { document: id }).await?;
    Ok(Created { row, head, content })
}

/// The parent is of the same workspace, alive, editable by the caller, and not too deep.
async fn check_parent(
    tx: &impl ConnectionTrait,
    access: &Access<CreateDocuments>,
    under: Option<&DocumentAccess<EditDocument>>,
    parent: Option<DocumentId>,
) -> Result<(), Error> {
    let Some(parent) = parent else { return Ok(()) };
    if under.is_none_or(|under| under.id() != parent || under.workspace() != access.workspace()) {
        return Err(Error::invalid(
            "/parent_id",
            "not_found",
            "is no page of this workspace that you may edit",
        ));
    }
    let (mut depth, mut at) = (0, Some(parent));
    while let Some(id) = at {
        depth += 1;
        if depth >= MAX_DEPTH {
            return Err(Error::invalid(
                "/parent_id",
                "too_deep",
                format!("pages nest at most {MAX_DEPTH} deep"),
            ));
        }
        at = document::Entity::find_by_id(id).one(tx).await?.and_then(|row| row.parent_id);
    }
    Ok(())
}

/// An order key behind all siblings.
async fn last_rank(tx: &impl ConnectionTrait, workspace: WorkspaceId, parent: Option<DocumentId>) -> Result<String, Error> {
    let siblings = document::Entity::find().filter(document::Column::WorkspaceId.eq(workspace));
    let siblings = match parent {
        Some(parent) => siblings.filter(document::Column::ParentId.eq(parent)),
        None => siblings.filter(document::Column::ParentId.is_null()),
    };
    let last = siblings.order_by_desc(document::Column::Rank).one(tx).await?;
    Ok(order::between(last.as_ref().map(|row| row.rank.as_str()), None, &mut rand::rng()))
}

/// Changes to a page's own fields. `None` leaves a field; `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct DocumentEdit {
    /// Emoji or url.
    pub icon: Option<Option<String>>,
    /// Url of a picture.
    pub cover: Option<Option<String>>,
}

/// Changes a page's own fields.
///
/// # Errors
/// Invalid fields; [`Error::Locked`].
pub async fn edit(tx: &impl ConnectionTrait, access: &DocumentAccess<EditDocument>, edit: DocumentEdit) -> Result<document::Model, Error> {
    lock::check(tx, access).await?;
    checked_ornaments(edit.icon.clone().flatten().as_deref(), edit.cover.clone().flatten().as_deref())?;
    let mut row = access.document().clone().into_active_model();
    if let Some(icon) = edit.icon {
        row.icon = Set(icon);
    }
    if let Some(cover) = edit.cover {
        row.cover = Set(cover);
    }
    row.updated_at = Set(clock::now());
    let row = row.update(tx).await?;
    events::append(tx, access.by(), Change::DocumentUpdated { document: row.id }).await?;
    Ok(row)
}

/// What a page says about who may do what with it and what hangs under it. `None` leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What members may do; `Some(None)` asks the parent again.
    pub default_level: Option<Option<Level>>,
    /// Whether nothing that is said or granted above counts here.
    pub restricted: Option<bool>,
}

impl Rules {
    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Changes what a page says about who may do what. Whoever does it goes on managing the page: they are granted that when
/// they would not otherwise.
///
/// # Errors
/// Only the database's.
pub async fn set_rules(tx: &DatabaseTransaction, access: &DocumentAccess<ManageDocument>, rules: Rules) -> Result<(), Error> {
    let mut row = access.document().clone().into_active_model();
    if let Some(level) = rules.default_level {
        row.default_level = Set(level);
    }
    if let Some(restricted) = rules.restricted {
        row.restricted = Set(restricted);
    }
    row.updated_at = Set(clock::now());
    let row = row.update(tx).await?;
    events::append(tx, access.by(), Change::DocumentAccessChanged { document: row.id }).await?;
    grant::keep_managing(tx, access).await?;
    Ok(())
}

/// Keeps the row's title equal to the one in the page.
///
/// # Errors
/// Only the database's.
pub async fn project_title(tx: &impl ConnectionTrait, id: DocumentId, title: &str) -> Result<(), sea_orm::DbErr> {
    let title: String = title.chars().filter(|c| !c.is_control()).take(MAX_TITLE).collect();
    document::Entity::update_many()
        .col_expr(document::Column::Title, Expr::value(title))
        .col_expr(document::Column::UpdatedAt, Expr::value(clock::now()))
        .filter(document::Column::Id.eq(id))
        .exec(tx)
        .await
        .map(drop)
}

/// A page and every live page under it, parents first.
async fn with_descendants(tx: &impl ConnectionTrait, id: DocumentId) -> Result<Vec<DocumentId>, Error> {
    let mut out = vec![id];
    let mut level = vec![id];
    while !level.is_empty() {
        let below = document::Entity::find()
            .filter(document::Column::ParentId.is_in(level))
            .filter(document::Column::DeletedAt.is_null())
            .all(tx)
            .await?;
        level = below.into_iter().map(|row| row.id).collect();
        out.extend(&level);
    }
    Ok(out)
}

/// Puts a page and what hangs under it in the trash. Returns the pages that went.
///
/// # Errors
/// [`Error::Locked`], or the database's.
pub async fn trash(tx: &impl ConnectionTrait, access: &DocumentAccess<EditDocument>) -> Result<Vec<DocumentId>, Error> {
    lock::check(tx, access).await?;
    let id = access.id();
    let ids = with_descendants(tx, id).await?;
    for some in ids.chunks(500) {
        document::Entity::update_many()
            .col_expr(document::Column::DeletedAt, Expr::value(Some(clock::now())))
            .col_expr(document::Column::DeletedWith, Expr::value(Some(id.0)))
            .filter(document::Column::Id.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
    }
    events::append(tx, access.by(), Change::DocumentTrashed { document: id }).await?;
    Ok(ids)
}

/// Takes a page, and what went with it, out of the trash: to where it was, or to the nearest place above that is not in the
/// trash itself.
///
/// # Errors
/// [`Error::NotFound`] when it is not in the trash; [`Error::Locked`].
pub async fn restore(tx: &impl ConnectionTrait, access: &DocumentAccess<EditDocument>) -> Result<document::Model, Error> {
    let row = access.document();
    if row.deleted_at.is_none() {
        return Err(Error::NotFound);
    }
    lock::check(tx, access).await?;
    document::Entity::update_many()
        .col_expr(document::Column::DeletedAt, Expr::value(Option::<clock::Time>::None))
        .col_expr(document::Column::DeletedWith, Expr::value(Option::<uuid::Uuid>::None))
        .filter(document::Column::WorkspaceId.eq(row.workspace_id))
        .filter(document::Column::DeletedWith.eq(row.deleted_with.unwrap_or(row.id)))
        .filter(document::Column::Id.ne(row.id))
        .exec(tx)
        .await?;
    let above = place::above(tx, row.parent_id, |page| page.deleted_at.is_none()).await?;
    let mut restored = row.clone().into_active_model();
    above.take(&mut restored, row);
    restored.deleted_at = Set(None);
    restored.deleted_with = Set(None);
    restored.updated_at = Set(clock::now());
    let restored = restored.update(tx).await?;
    events::append(tx, access.by(), Change::DocumentRestored { document: row.id }).await?;
    Ok(restored)
}

/// Destroys a trashed page and what went with it, content and history included.
///
/// # Errors
/// [`Error::NotFound`] when it is not in the trash.
pub async fn destroy(tx: &impl ConnectionTrait, access: &DocumentAccess<ManageDocument>) -> Result<(), Error> {
    let row = access.document();
    if row.deleted_at.is_none() {
        return Err(Error::NotFound);
    }
    let doomed: Vec<DocumentId> = document::Entity::find()
        .filter(document::Column::WorkspaceId.eq(row.workspace_id))
        .filter(document::Column::DeletedWith.eq(row.id))
        .all(tx)
        .await?
        .into_iter()
        .map(|row| row.id)
        .chain([row.id])
        .collect();
    // What hangs under it may be restricted, and not theirs to destroy.
    let levels = access::levels(tx, access.who(), &doomed).await?;
    if doomed.iter().any(|id| levels.get(id).is_none_or(|level| *level < Level::Manage)) {
        return Err(AccessError::Forbidden.into());
    }
    // Pages that were restored from under it, or were in the trash before, are not destroyed with it.
    let orphans = document::Entity::find()
        .filter(document::Column::ParentId.is_in(doomed.iter().copied()))
        .filter(document::Column::Id.is_not_in(doomed.iter().copied()));
    for orphan in orphans.all(tx).await? {
        let above = place::above(tx, orphan.parent_id, |page| !doomed.contains(&page.id)).await?;
        let mut row = orphan.clone().into_active_model();
        above.take(&mut row, &orphan);
        row.update(tx).await?;
    }
    document::Entity::delete_many()
        .filter(document::Column::Id.is_in(doomed))
        .exec(tx)
        .await?;
    events::append(tx, access.by(), Change::DocumentDeleted { document: row.id }).await?;
    Ok(())
}
