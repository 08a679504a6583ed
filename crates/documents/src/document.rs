//! The rows around pages: made, found, moved to the trash and back. Their content is in the op log.

use crate::{
    beginning::Beginning,
    error::Error,
    limits::Limits,
    lineage, lock,
    log::{self, Entry, Head, Source},
    op::NewBlock,
    ornament,
    projection::{self, Content},
    siblings::{self, Place, Row},
};
use entity::document;
use events::Change;
use kernel::{clock, id::*, role::Level};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::Expr,
};
use workspaces::{
    access::{self, Access, CreateDocuments, DocumentAccess, EditDocument, Grants, ManageDocument},
    grant, uprooted,
};

/// The longest title, in characters.
pub const MAX_TITLE: usize = 1_000;

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
    /// Whether pages are made from it.
    pub is_template: bool,
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
    let beginning = Beginning::new(&new.title, &new.blocks, limits)?;
    create_with(tx, access, under, new, beginning).await
}

/// The same with content that was made ready before, whatever title and blocks `new` names.
///
/// # Errors
/// As [`create`].
pub async fn create_with(
    tx: &DatabaseTransaction,
    access: &Access<CreateDocuments>,
    under: Option<&DocumentAccess<EditDocument>>,
    new: NewDocument,
    beginning: Beginning,
) -> Result<Created, Error> {
    let Beginning { change, content } = beginning;
    ornament::check(new.icon.as_deref(), new.cover.as_deref())?;
    check_parent(tx, access, under, new.parent).await?;
    let id = new.id.unwrap_or_else(DocumentId::new);
    if document::Entity::find_by_id(id).one(tx).await?.is_some() {
        return Err(Error::Taken(format!("the document id {id}")));
    }
    let now = clock::now();
    let among = Row {
        workspace: access.workspace(),
        parent: new.parent,
        moving: None,
    };
    let row = document::Model {
        id,
        workspace_id: access.workspace(),
        parent_id: new.parent,
        rank: siblings::rank(tx, access.who(), among, Place::Last).await?,
        title: content.title.clone(),
        icon: new.icon,
        cover: new.cover,
        default_level: None,
        restricted: false,
        created_by: access.user(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        deleted_with: None,
        deleted_by: None,
        archived_at: None,
        archived_with: None,
        is_template: new.is_template,
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
    projection::keep(tx, id, &head, &content).await?;
    events::append(tx, access.by(), Change::DocumentCreated { document: id }).await?;
    // Where members may do nothing with pages by themselves, who makes one would make it for others alone.
    // What a key lets them do is no matter here.
    let level = access::levels(tx, access.user(), &[id]).await?.remove(&id);
    if level.is_none_or(|level| level < EditDocument::LEVEL) {
        uprooted::settle(tx, access, &[id]).await?;
    }
    Ok(Created { row, head, content })
}

/// The parent is of the same workspace, alive, editable by the caller, and not too deep.
async fn check_parent(
    tx: &DatabaseTransaction,
    access: &Access<CreateDocuments>,
    under: Option<&DocumentAccess<EditDocument>>,
    parent: Option<DocumentId>,
) -> Result<(), Error> {
    let Some(parent) = parent else { return Ok(()) };
    match under.filter(|under| under.id() == parent) {
        Some(under) => lineage::check_parent(tx, access.workspace(), under, 1).await.map(drop),
        None => Err(lineage::no_parent()),
    }
}

/// Changes to a page's own fields. `None` leaves a field; `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct DocumentEdit {
    /// Emoji or url.
    pub icon: Option<Option<String>>,
    /// Url of a picture.
    pub cover: Option<Option<String>>,
    /// Whether pages are made from it.
    pub is_template: Option<bool>,
}

/// Changes a page's own fields.
///
/// # Errors
/// Invalid fields; [`Error::Locked`].
pub async fn edit(tx: &impl ConnectionTrait, access: &DocumentAccess<EditDocument>, edit: DocumentEdit) -> Result<document::Model, Error> {
    lock::check(tx, access).await?;
    let given = |field: &Option<Option<String>>| field.clone().flatten();
    ornament::check(given(&edit.icon).as_deref(), given(&edit.cover).as_deref())?;
    let mut row = access.document().clone().into_active_model();
    if let Some(icon) = edit.icon {
        row.icon = Set(icon);
    }
    if let Some(cover) = edit.cover {
        row.cover = Set(cover);
    }
    if let Some(is_template) = edit.is_template {
        row.is_template = Set(is_template);
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
