//! A page's files as rows: announced, found, deleted and taken back.

use crate::{Error, Limits, kind, name};
use backends::files::FilesError;
use entity::attachment::{self, State};
use events::Change;
use kernel::{clock, error::Field, id::*};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use workspaces::{
    access::{DocumentAccess, EditDocument, ViewDocument},
    quota,
};

/// Files that a page may have.
pub const MOST: u64 = 5_000;

/// A file to be announced.
#[derive(Clone, Debug, Default)]
pub struct NewAttachment {
    /// Its id, when what shows it was made before it; made here when left out.
    pub id: Option<AttachmentId>,
    /// What people call it; cleaned.
    pub name: String,
    /// Bytes that will come, when that is known.
    pub size: Option<u64>,
    /// SHA-256 of them in hexadecimal, when that is known.
    pub sha256: Option<String>,
}

impl NewAttachment {
    fn check(&self, limits: &Limits) -> Result<(), Error> {
        if self.size.is_some_and(|size| size > limits.file_bytes) {
            return Err(FilesError::TooLarge(limits.file_bytes).into());
        }
        let is_hash = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if self.sha256.as_ref().is_some_and(|text| !is_hash(text)) {
            let why = "is the SHA-256 of the bytes, as 64 hexadecimal digits";
            return Err(Error::Invalid(vec![Field::new("/sha256", "invalid", why)]));
        }
        Ok(())
    }
}

fn of_page<P>(access: &DocumentAccess<P>) -> Select<attachment::Entity> {
    attachment::Entity::find()
        .filter(attachment::Column::WorkspaceId.eq(access.workspace()))
        .filter(attachment::Column::DocumentId.eq(access.id()))
}

/// The page that a file belongs to, for the door to be asked about.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn document_of(db: &impl ConnectionTrait, id: AttachmentId) -> Result<DocumentId, Error> {
    let page = attachment::Entity::find_by_id(id)
        .select_only()
        .column(attachment::Column::DocumentId);
    page.into_tuple().one(db).await?.ok_or(Error::NotFound)
}

/// A file of a page.
///
/// # Errors
/// [`Error::NotFound`] for one that is none, is another page's, or was deleted.
pub async fn find<P>(db: &impl ConnectionTrait, access: &DocumentAccess<P>, id: AttachmentId) -> Result<attachment::Model, Error> {
    let living = of_page(access).filter(attachment::Column::DeletedAt.is_null());
    let found = living.filter(attachment::Column::Id.eq(id)).one(db).await?;
    found.ok_or(Error::NotFound)
}

/// The files of a page whose bytes have come, oldest first.
///
/// # Errors
/// Only the database's.
pub async fn list_of(db: &impl ConnectionTrait, access: &DocumentAccess<ViewDocument>) -> Result<Vec<attachment::Model>, DbErr> {
    of_page(access)
        .filter(attachment::Column::State.eq(State::Ready))
        .filter(attachment::Column::DeletedAt.is_null())
        .order_by_asc(attachment::Column::Id)
        .limit(MOST)
        .all(db)
        .await
}

/// Announces a file. What was promised counts for the quota from now on.
///
/// # Errors
/// [`Error::Invalid`], [`FilesError::TooLarge`], [`Error::TooMany`], and [`workspaces::Error::QuotaExceeded`].
pub async fn create(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<EditDocument>,
    new: NewAttachment,
    limits: &Limits,
) -> Result<attachment::Model, Error> {
    new.check(limits)?;
    let reserved = new.size.unwrap_or_default();
    quota::check_storage(tx, access, reserved, &limits.quotas).await?;
    if of_page(access).count(tx).await? >= MOST {
        return Err(Error::TooMany(MOST));
    }
    let row = attachment::Model {
        id: new.id.unwrap_or_else(AttachmentId::new),
        workspace_id: access.workspace(),
        document_id: access.id(),
        file_id: None,
        name: name::clean(&new.name),
        media_type: kind::UNKNOWN.to_owned(),
        size: new.size.map(signed),
        sha256: new.sha256.map(|text| text.to_ascii_lowercase()),
        reserved: signed(reserved),
        state: State::Pending,
        width: None,
        height: None,
        thumbnail: None,
        created_by: access.user(),
        created_at: clock::now(),
        uploaded_at: None,
        deleted_at: None,
    };
    attachment::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await?;
    Ok(row)
}

/// A count of bytes as databases keep it.
pub(crate) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Takes back what was announced and did not come. One that has come stays.
///
/// # Errors
/// Only the database's.
pub async fn forget(tx: &DatabaseTransaction, access: &DocumentAccess<EditDocument>, id: AttachmentId) -> Result<(), DbErr> {
    let pending = attachment::Entity::delete_many()
        .filter(attachment::Column::Id.eq(id))
        .filter(attachment::Column::DocumentId.eq(access.id()))
        .filter(attachment::Column::State.eq(State::Pending));
    pending.exec(tx).await.map(drop)
}

/// Deletes a file: it is not given out any more, and can be taken back for a while. One whose bytes have not come is gone at
/// once.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(tx: &DatabaseTransaction, access: &DocumentAccess<EditDocument>, id: AttachmentId) -> Result<(), Error> {
    let row = find(tx, access, id).await?;
    if row.state == State::Pending {
        return Ok(forget(tx, access, id).await?);
    }
    let mut gone = row.into_active_model();
    gone.deleted_at = Set(Some(clock::now()));
    gone.update(tx).await?;
    let change = Change::AttachmentDeleted {
        document: access.id(),
        attachment: id,
    };
    events::append(tx, access.by(), change).await?;
    Ok(())
}

/// Takes a deleted file back, as long as its bytes are there. One that is not deleted stays as it is.
///
/// # Errors
/// [`Error::NotFound`] for one that is none, or whose time is over.
pub async fn restore(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<EditDocument>,
    id: AttachmentId,
) -> Result<attachment::Model, Error> {
    let ready = of_page(access).filter(attachment::Column::State.eq(State::Ready));
    let found = ready.filter(attachment::Column::Id.eq(id)).one(tx).await?;
    let row = found.ok_or(Error::NotFound)?;
    if row.deleted_at.is_none() {
        return Ok(row);
    }
    let mut back = row.into_active_model();
    back.deleted_at = Set(None);
    let row = back.update(tx).await?;
    let change = Change::AttachmentRestored {
        document: access.id(),
        attachment: id,
    };
    events::append(tx, access.by(), change).await?;
    Ok(row)
}
