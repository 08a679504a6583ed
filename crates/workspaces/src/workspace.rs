//! Workspaces: made, listed, renamed, put in the trash.

use crate::{
    Error,
    access::{Access, DeleteWorkspace, EditWorkspace, ReadWorkspace, Who},
    hold,
};
use entity::{member, workspace};
use events::{By, Change};
use kernel::{clock, error::Field, id::*, role::Role};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, sea_query::Expr,
};
use std::collections::HashMap;

/// The longest name, in characters.
const MAX_NAME: usize = 120;

fn parse_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if !(1..=MAX_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        let detail = format!("takes 1 to {MAX_NAME} characters, without line breaks");
        return Err(Error::Invalid(vec![Field::new("/name", "invalid", detail)]));
    }
    Ok(name.to_owned())
}

/// Makes a workspace; whoever makes it owns it.
///
/// # Errors
/// [`Error::Invalid`] for a bad name.
pub async fn create(tx: &impl ConnectionTrait, user: UserId, name: &str) -> Result<workspace::Model, Error> {
    let (name, now) = (parse_name(name)?, clock::now());
    let row = workspace::Model {
        id: WorkspaceId::new(),
        name,
        created_by: user,
        created_at: now,
        updated_at: now,
        archived_at: None,
        deleted_at: None,
    };
    workspace::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await?;
    let owner = member::Model {
        workspace_id: row.id,
        user_id: user,
        role: Role::Owner,
        created_at: now,
    };
    member::Entity::insert(owner.into_active_model()).exec_without_returning(tx).await?;
    events::append(
        tx,
        By {
            workspace: Some(row.id),
            user: Some(user),
        },
        Change::WorkspaceCreated { workspace: row.id },
    )
    .await?;
    Ok(row)
}

/// The workspaces somebody belongs to, oldest first, each with their role.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, who: impl Into<Who>) -> Result<Vec<(workspace::Model, Role)>, DbErr> {
    let who = who.into();
    let members = member::Entity::find().filter(member::Column::UserId.eq(who.user())).all(db).await?;
    let roles: HashMap<WorkspaceId, Role> = members
        .into_iter()
        .filter(|member| who.enters(member.workspace_id))
        .map(|member| (member.workspace_id, member.role))
        .collect();
    let rows = workspace::Entity::find()
        .filter(workspace::Column::Id.is_in(roles.keys().copied()))
        .filter(workspace::Column::DeletedAt.is_null())
        .order_by_asc(workspace::Column::Id)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| roles.get(&row.id).map(|role| (row.clone(), *role)))
        .collect())
}

/// One workspace.
///
/// # Errors
/// [`Error::NotFound`] when it went away since the door was passed.
pub async fn find(db: &impl ConnectionTrait, access: &Access<ReadWorkspace>) -> Result<workspace::Model, Error> {
    living(db, access.workspace()).await
}

async fn living(db: &impl ConnectionTrait, id: WorkspaceId) -> Result<workspace::Model, Error> {
    workspace::Entity::find_by_id(id)
        .filter(workspace::Column::DeletedAt.is_null())
        .one(db)
        .await?
        .ok_or(Error::NotFound)
}

/// Renames a workspace.
///
/// # Errors
/// [`Error::Invalid`] for a bad name, [`Error::NotFound`] when it went away since the door was passed.
pub async fn rename(tx: &impl ConnectionTrait, access: &Access<EditWorkspace>, name: &str) -> Result<workspace::Model, Error> {
    let name = parse_name(name)?;
    let row = living(tx, access.workspace()).await?;
    if row.name == name {
        return Ok(row);
    }
    let mut row = row.into_active_model();
    row.name = Set(name);
    row.updated_at = Set(clock::now());
    let row = row.update(tx).await?;
    events::append(tx, access.by(), Change::WorkspaceUpdated { workspace: row.id }).await?;
    Ok(row)
}

/// Archives a workspace, or takes it out of the archive: what is archived can be read, and nothing in it changes. One that
/// is so already stays as it is.
///
/// # Errors
/// [`Error::NotFound`] when it went away since the door was passed.
pub async fn archive(tx: &DatabaseTransaction, access: &Access<DeleteWorkspace>, is_archived: bool) -> Result<workspace::Model, Error> {
    let row = hold::living(tx, access.workspace()).await?;
    if row.archived_at.is_some() == is_archived {
        return Ok(row);
    }
    let (mut row, now) = (row.into_active_model(), clock::now());
    row.archived_at = Set(is_archived.then_some(now));
    row.updated_at = Set(now);
    let row = row.update(tx).await?;
    let change = if is_archived {
        Change::WorkspaceArchived { workspace: row.id }
    } else {
        Change::WorkspaceUnarchived { workspace: row.id }
    };
    events::append(tx, access.by(), change).await?;
    Ok(row)
}

/// Puts a workspace in the trash: from then on it is there for nobody.
///
/// # Errors
/// [`Error::NotFound`] when somebody else was faster.
pub async fn trash(tx: &impl ConnectionTrait, access: &Access<DeleteWorkspace>) -> Result<(), Error> {
    let trashed = workspace::Entity::update_many()
        .col_expr(workspace::Column::DeletedAt, Expr::value(Some(clock::now())))
        .filter(workspace::Column::Id.eq(access.workspace()))
        .filter(workspace::Column::DeletedAt.is_null())
        .exec(tx)
        .await?;
    if trashed.rows_affected == 0 {
        return Err(Error::NotFound);
    }
    events::append(
        tx,
        access.by(),
        Change::WorkspaceDeleted {
            workspace: access.workspace(),
        },
    )
    .await?;
    Ok(())
}
