//! Requests of members and guests to be let at a page, or to do more with it.

use crate::{
    Error,
    access::{self, Access, DocumentAccess, ManageDocument, ManageMembers, Who},
    grant,
};
use entity::{access_request, document};
use events::{By, Change};
use kernel::{clock, error::Field, id::*, role::Level};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};

/// The longest message, in characters.
const MAX_MESSAGE: usize = 1_000;
/// A request that waits.
const PENDING: &str = "pending";

/// What somebody asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// View, comment, edit or manage.
    pub level: Level,
    /// What they say.
    pub message: Option<String>,
}

fn checked(wish: Wish) -> Result<Wish, Error> {
    let message = wish.message.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut bad = Vec::new();
    if wish.level == Level::None {
        bad.push(Field::new("/level", "invalid", "is view, comment, edit or manage"));
    }
    if message.as_ref().is_some_and(|text| text.chars().count() > MAX_MESSAGE) {
        let why = format!("takes at most {MAX_MESSAGE} characters");
        bad.push(Field::new("/message", "too_long", why));
    }
    if bad.is_empty() {
        Ok(Wish { message, ..wish })
    } else {
        Err(Error::Invalid(bad))
    }
}

/// Asks for a level on a page. Whoever may not see a page is not told whether it is there: for one that is not, or that is
/// of a workspace which is not theirs, nothing happens, and the answer is the same. Asking again changes what is asked for.
///
/// # Errors
/// [`Error::AlreadyAllowed`] for whoever sees the page and has that level, [`Error::Invalid`].
pub async fn create(tx: &DatabaseTransaction, who: Who, id: DocumentId, wish: Wish) -> Result<(), Error> {
    let wish = checked(wish)?;
    let Some((level, document)) = access::level(tx, who, id).await? else {
        return Ok(());
    };
    if level >= wish.level {
        return Err(Error::AlreadyAllowed);
    }
    let waiting = access_request::Entity::find()
        .filter(access_request::Column::DocumentId.eq(id))
        .filter(access_request::Column::UserId.eq(who.user()))
        .filter(access_request::Column::Status.eq(PENDING));
    if let Some(waiting) = waiting.one(tx).await? {
        let mut row = waiting.into_active_model();
        row.level = Set(wish.level);
        row.message = Set(wish.message);
        row.update(tx).await?;
        return Ok(());
    }
    insert(tx, who.user(), &document, wish).await
}

async fn insert(tx: &DatabaseTransaction, user: UserId, document: &document::Model, wish: Wish) -> Result<(), Error> {
    let row = access_request::Model {
        id: AccessRequestId::new(),
        workspace_id: document.workspace_id,
        document_id: document.id,
        user_id: user,
        level: wish.level,
        message: wish.message,
        status: PENDING.to_owned(),
        decided_by: None,
        decided_at: None,
        created_at: clock::now(),
    };
    access_request::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await?;
    let by = By {
        workspace: Some(document.workspace_id),
        user: Some(user),
    };
    let change = Change::AccessRequestCreated {
        access_request: row.id,
        document: document.id,
        level: row.level,
    };
    events::append(tx, by, change).await?;
    Ok(())
}

/// The requests for a page, newest first.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, access: &DocumentAccess<ManageDocument>) -> Result<Vec<access_request::Model>, DbErr> {
    let rows = access_request::Entity::find().filter(access_request::Column::DocumentId.eq(access.id()));
    rows.order_by_desc(access_request::Column::Id).all(db).await
}

/// The requests for all pages of a workspace that wait, oldest first.
///
/// # Errors
/// Only the database's.
pub async fn list_waiting(db: &impl ConnectionTrait, access: &Access<ManageMembers>) -> Result<Vec<access_request::Model>, DbErr> {
    let rows = access_request::Entity::find()
        .filter(access_request::Column::WorkspaceId.eq(access.workspace()))
        .filter(access_request::Column::Status.eq(PENDING));
    rows.order_by_asc(access_request::Column::Id).all(db).await
}

/// The page of a request, so that the door can be asked about it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn document_of(db: &impl ConnectionTrait, id: AccessRequestId) -> Result<DocumentId, Error> {
    let row = access_request::Entity::find_by_id(id).one(db).await?.ok_or(Error::NotFound)?;
    Ok(row.document_id)
}

async fn decide(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<ManageDocument>,
    id: AccessRequestId,
    status: &str,
) -> Result<access_request::Model, Error> {
    let row = access_request::Entity::find_by_id(id).filter(access_request::Column::DocumentId.eq(access.id()));
    let row = match tx.get_database_backend() {
        sea_orm::DbBackend::Postgres => row.lock(LockType::Update),
        _ => row,
    };
    let row = row.one(tx).await?.ok_or(Error::NotFound)?;
    if row.status != PENDING {
        return Err(Error::AlreadyDecided);
    }
    let mut row = row.into_active_model();
    row.status = Set(status.to_owned());
    row.decided_by = Set(Some(access.user()));
    row.decided_at = Set(Some(clock::now()));
    Ok(row.update(tx).await?)
}

/// Grants what was asked for, or another level.
///
/// # Errors
/// [`Error::NotFound`] for a request for another page, [`Error::AlreadyDecided`], [`Error::Invalid`].
pub async fn approve(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<ManageDocument>,
    id: AccessRequestId,
    level: Option<Level>,
) -> Result<access_request::Model, Error> {
    let row = decide(tx, access, id, "approved").await?;
    let given = level.unwrap_or(row.level);
    if given == Level::None {
        let why = "is view, comment, edit or manage; to grant nothing, deny";
        return Err(Error::Invalid(vec![Field::new("/level", "invalid", why)]));
    }
    grant::raise(tx, access, row.user_id, given).await?;
    events::append(tx, access.by(), Change::AccessRequestApproved { access_request: id }).await?;
    Ok(row)
}

/// Says no.
///
/// # Errors
/// [`Error::NotFound`] for a request for another page, [`Error::AlreadyDecided`].
pub async fn deny(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<ManageDocument>,
    id: AccessRequestId,
) -> Result<access_request::Model, Error> {
    let row = decide(tx, access, id, "denied").await?;
    events::append(tx, access.by(), Change::AccessRequestDenied { access_request: id }).await?;
    Ok(row)
}
