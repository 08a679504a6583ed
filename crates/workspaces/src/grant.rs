//! Grants: what a person or a group may do with a page and what hangs under it, or with all pages of a workspace.

use crate::{
    Error,
    access::{self, Access, AccessError, DocumentAccess, ManageDocument, ManageMembers},
};
use entity::{grant, group, member};
use events::{By, Change};
use kernel::{clock, error::Field, id::*, role::Level};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, Select, SqlErr,
};

/// What is granted on: both take the right to say who may do what there.
#[derive(Clone, Copy, Debug)]
pub enum On<'a> {
    /// A page and what hangs under it.
    Document(&'a DocumentAccess<ManageDocument>),
    /// All pages of a workspace, down to restricted ones.
    Workspace(&'a Access<ManageMembers>),
}

impl On<'_> {
    fn by(self) -> By {
        match self {
            Self::Document(access) => access.by(),
            Self::Workspace(access) => access.by(),
        }
    }

    fn user(self) -> UserId {
        match self {
            Self::Document(access) => access.user(),
            Self::Workspace(access) => access.user(),
        }
    }

    fn workspace(self) -> WorkspaceId {
        match self {
            Self::Document(access) => access.workspace(),
            Self::Workspace(access) => access.workspace(),
        }
    }

    fn document(self) -> Option<DocumentId> {
        match self {
            Self::Document(access) => Some(access.id()),
            Self::Workspace(_) => None,
        }
    }

    fn rows(self) -> Select<grant::Entity> {
        let rows = grant::Entity::find().filter(grant::Column::WorkspaceId.eq(self.workspace()));
        match self.document() {
            Some(id) => rows.filter(grant::Column::DocumentId.eq(id)),
            None => rows.filter(grant::Column::DocumentId.is_null()),
        }
    }
}

/// Who is granted something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grantee {
    /// A member or guest of the workspace.
    User(UserId),
    /// A group of the workspace.
    Group(GroupId),
}

fn checked_level(level: Level) -> Result<Level, Error> {
    if level == Level::None {
        let why = "is view, comment, edit or manage; to grant nothing, remove the grant";
        return Err(Error::Invalid(vec![Field::new("/level", "invalid", why)]));
    }
    Ok(level)
}

/// The grants on a page itself, or on the whole workspace, oldest first.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, on: On<'_>) -> Result<Vec<grant::Model>, DbErr> {
    on.rows().order_by_asc(grant::Column::Id).all(db).await
}

async fn check_grantee(tx: &impl ConnectionTrait, workspace: WorkspaceId, to: Grantee) -> Result<(), Error> {
    let (field, is_here) = match to {
        Grantee::User(user) => {
            let row = member::Entity::find_by_id((workspace, user)).one(tx).await?;
            ("/user_id", row.is_some())
        }
        Grantee::Group(group) => {
            let row = group::Entity::find_by_id(group).filter(group::Column::WorkspaceId.eq(workspace));
            ("/group_id", row.one(tx).await?.is_some())
        }
    };
    if is_here {
        Ok(())
    } else {
        Err(Error::Invalid(vec![Field::new(field, "not_found", "is nobody of this workspace")]))
    }
}

/// Grants a level.
///
/// # Errors
/// [`Error::Invalid`] for a grantee who is not of the workspace, [`Error::AlreadyGranted`].
pub async fn create(tx: &DatabaseTransaction, on: On<'_>, to: Grantee, level: Level) -> Result<grant::Model, Error> {
    let level = checked_level(level)?;
    check_grantee(tx, on.workspace(), to).await?;
    let now = clock::now();
    let row = grant::Model {
        id: GrantId::new(),
        workspace_id: on.workspace(),
        document_id: on.document(),
        user_id: match to {
            Grantee::User(user) => Some(user),
            Grantee::Group(_) => None,
        },
        group_id: match to {
            Grantee::User(_) => None,
            Grantee::Group(group) => Some(group),
        },
        level,
        created_by: on.user(),
        created_at: now,
        updated_at: now,
    };
    let inserted = grant::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await;
    inserted.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::AlreadyGranted,
        _ => Error::Db(error),
    })?;
    let change = Change::GrantCreated {
        grant: row.id,
        document: row.document_id,
        user: row.user_id,
        group: row.group_id,
        level,
    };
    events::append(tx, on.by(), change).await?;
    Ok(row)
}

async fn find(tx: &impl ConnectionTrait, on: On<'_>, id: GrantId) -> Result<grant::Model, Error> {
    on.rows().filter(grant::Column::Id.eq(id)).one(tx).await?.ok_or(Error::NotFound)
}

/// Changes a grant's level.
///
/// # Errors
/// [`Error::NotFound`] for a grant of something else, [`Error::Invalid`].
pub async fn edit(tx: &DatabaseTransaction, on: On<'_>, id: GrantId, level: Level) -> Result<grant::Model, Error> {
    let level = checked_level(level)?;
    let row = find(tx, on, id).await?;
    if row.level == level {
        return Ok(row);
    }
    let from = row.level;
    let mut row = row.into_active_model();
    row.level = Set(level);
    row.updated_at = Set(clock::now());
    let row = row.update(tx).await?;
    let change = Change::GrantUpdated {
        grant: id,
        from,
        to: level,
    };
    events::append(tx, on.by(), change).await?;
    Ok(row)
}

/// Takes a grant back.
///
/// # Errors
/// [`Error::NotFound`] for a grant of something else.
pub async fn delete(tx: &DatabaseTransaction, on: On<'_>, id: GrantId) -> Result<(), Error> {
    let row = find(tx, on, id).await?;
    grant::Entity::delete_by_id(row.id).exec(tx).await?;
    events::append(tx, on.by(), Change::GrantDeleted { grant: id }).await?;
    Ok(())
}

/// Sees to it that somebody has at least a level on a page by a grant of their own.
///
/// # Errors
/// As [`create`].
pub async fn raise(tx: &DatabaseTransaction, access: &DocumentAccess<ManageDocument>, user: UserId, level: Level) -> Result<(), Error> {
    let on = On::Document(access);
    let known = on.rows().filter(grant::Column::UserId.eq(user)).one(tx).await?;
    match known {
        Some(known) if known.level >= level => Ok(()),
        Some(known) => edit(tx, on, known.id, level).await.map(drop),
        None => create(tx, on, Grantee::User(user), level).await.map(drop),
    }
}

/// After the rules of a page were changed: whoever changed them goes on managing it.
///
/// # Errors
/// As [`create`].
pub async fn keep_managing(tx: &DatabaseTransaction, access: &DocumentAccess<ManageDocument>) -> Result<(), Error> {
    match access::open::<ManageDocument>(tx, access.user(), access.id()).await {
        Ok(_) => Ok(()),
        Err(AccessError::NotFound | AccessError::Forbidden) => raise(tx, access, access.user(), Level::Manage).await,
        Err(error) => Err(error.into()),
    }
}
