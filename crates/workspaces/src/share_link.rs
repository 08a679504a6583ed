//! Share links: they open a page, and what hangs under it, to whoever holds them. Who comes by one is nobody, and gets at
//! nothing else.

use crate::{
    Error,
    access::{Access, DocumentAccess, ManageDocument, ManageMembers, link},
};
use entity::{document, share_link, workspace_settings};
use events::{By, Change};
use kernel::{
    clock::{self, Time},
    error::Field,
    id::*,
    role::Level,
    secret::{self, Mint},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder,
};

/// What its token is derived for.
const PURPOSE: &str = "share_link";
/// Links that a page may have.
const MOST: usize = 100;

/// A link to be made.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// View, comment or edit.
    pub level: Level,
    /// The hash of its password, when it has one.
    pub password_hash: Option<String>,
    /// After this it opens nothing.
    pub expires_at: Option<Time>,
}

/// Changes to a link. `None` leaves a field; `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct LinkEdit {
    /// View, comment or edit.
    pub level: Option<Level>,
    /// The hash of another password; who came in by the old one is out.
    pub password_hash: Option<Option<String>>,
    /// Another end.
    pub expires_at: Option<Option<Time>>,
    /// Switches it on or off.
    pub is_enabled: Option<bool>,
}

/// The fields that are wrong.
fn check(level: Option<Level>, expires_at: Option<Time>) -> Result<(), Error> {
    let mut bad = Vec::new();
    if level.is_some_and(|level| !(Level::View..=Level::Edit).contains(&level)) {
        bad.push(Field::new("/level", "invalid", "is view, comment or edit"));
    }
    if expires_at.is_some_and(|at| at <= clock::now()) {
        bad.push(Field::new("/expires_at", "in_the_past", "is a time to come"));
    }
    if bad.is_empty() { Ok(()) } else { Err(Error::Invalid(bad)) }
}

/// A link's token again; none when the key it was derived with is gone.
pub fn token(mint: &Mint, row: &share_link::Model) -> Option<String> {
    mint.again(PURPOSE, row.id.0, 0, &row.token_hash)
}

/// The links of a page itself, oldest first.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, access: &DocumentAccess<ManageDocument>) -> Result<Vec<share_link::Model>, DbErr> {
    let rows = share_link::Entity::find().filter(share_link::Column::DocumentId.eq(access.id()));
    rows.order_by_asc(share_link::Column::Id).all(db).await
}

/// All links of a workspace, oldest first.
///
/// # Errors
/// Only the database's.
pub async fn list_all(db: &impl ConnectionTrait, access: &Access<ManageMembers>) -> Result<Vec<share_link::Model>, DbErr> {
    let rows = share_link::Entity::find().filter(share_link::Column::WorkspaceId.eq(access.workspace()));
    rows.order_by_asc(share_link::Column::Id).all(db).await
}

/// Makes a link.
///
/// # Errors
/// [`Error::SharingOff`], [`Error::Invalid`].
pub async fn create(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<ManageDocument>,
    new: NewLink,
    mint: &Mint,
) -> Result<share_link::Model, Error> {
    let settings = workspace_settings::Entity::find_by_id(access.workspace()).one(tx).await?;
    if settings.is_some_and(|settings| !settings.share_links) {
        return Err(Error::SharingOff);
    }
    check(Some(new.level), new.expires_at)?;
    if list(tx, access).await?.len() >= MOST {
        let why = format!("a page has at most {MOST} links; remove some");
        return Err(Error::Invalid(vec![Field::new("", "too_many", why)]));
    }
    let (id, now) = (ShareLinkId::new(), clock::now());
    let row = share_link::Model {
        id,
        workspace_id: access.workspace(),
        document_id: access.id(),
        level: new.level,
        token_hash: mint.issue(PURPOSE, id.0, 0).1,
        password_hash: new.password_hash,
        generation: 0,
        is_enabled: true,
        expires_at: new.expires_at,
        created_by: access.user(),
        created_at: now,
        updated_at: now,
    };
    share_link::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await?;
    let change = Change::ShareLinkCreated {
        share_link: id,
        document: access.id(),
        level: new.level,
    };
    events::append(tx, access.by(), change).await?;
    Ok(row)
}

/// The page of a link, so that the door can be asked about it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn document_of(db: &impl ConnectionTrait, id: ShareLinkId) -> Result<DocumentId, Error> {
    let row = share_link::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)?;
    Ok(row.document_id)
}

async fn find(tx: &impl ConnectionTrait, access: &DocumentAccess<ManageDocument>, id: ShareLinkId) -> Result<share_link::Model, Error> {
    let row = share_link::Entity::find_by_id(id).filter(share_link::Column::DocumentId.eq(access.id()));
    row.one(tx).await?.ok_or(Error::NotFound)
}

/// Changes a link.
///
/// # Errors
/// [`Error::NotFound`] for a link of another page, [`Error::Invalid`].
pub async fn edit(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<ManageDocument>,
    id: ShareLinkId,
    edit: LinkEdit,
) -> Result<share_link::Model, Error> {
    check(edit.level, edit.expires_at.flatten())?;
    let row = find(tx, access, id).await?;
    let generation = row.generation;
    let mut row = row.into_active_model();
    if let Some(level) = edit.level {
        row.level = Set(level);
    }
    if let Some(password) = edit.password_hash {
        row.password_hash = Set(password);
        row.generation = Set(generation + 1);
    }
    if let Some(expires_at) = edit.expires_at {
        row.expires_at = Set(expires_at);
    }
    if let Some(is_enabled) = edit.is_enabled {
        row.is_enabled = Set(is_enabled);
    }
    row.updated_at = Set(clock::now());
    let row = row.update(tx).await?;
    events::append(tx, access.by(), Change::ShareLinkUpdated { share_link: id }).await?;
    Ok(row)
}

/// Removes a link: its token never opens anything again.
///
/// # Errors
/// [`Error::NotFound`] for a link of another page.
pub async fn delete(tx: &DatabaseTransaction, access: &DocumentAccess<ManageDocument>, id: ShareLinkId) -> Result<(), Error> {
    let row = find(tx, access, id).await?;
    share_link::Entity::delete_by_id(row.id).exec(tx).await?;
    events::append(tx, access.by(), Change::ShareLinkDeleted { share_link: id }).await?;
    Ok(())
}

/// What a token opens at this moment: the link and its page.
///
/// # Errors
/// [`Error::NotFound`] for a token that opens nothing, whatever the reason.
pub async fn of_token(db: &impl ConnectionTrait, token: &str) -> Result<(share_link::Model, document::Model), Error> {
    let which = Condition::all().add(share_link::Column::TokenHash.eq(secret::hash(token)));
    let (row, _) = link::open(db, which).await?.ok_or(Error::NotFound)?;
    let page = document::Entity::find_by_id(row.document_id).filter(document::Column::DeletedAt.is_null());
    let page = page.one(db).await?.ok_or(Error::NotFound)?;
    Ok((row, page))
}

/// Records that a link was opened.
///
/// # Errors
/// Only the database's.
pub async fn opened(tx: &DatabaseTransaction, link: &share_link::Model) -> Result<(), DbErr> {
    let by = By {
        workspace: Some(link.workspace_id),
        user: None,
    };
    let change = Change::ShareLinkOpened {
        share_link: link.id,
        document: link.document_id,
    };
    events::append(tx, by, change).await.map(drop)
}
