//! Members: added, given another role, removed. A workspace always keeps an owner.

use crate::{
    Error,
    access::{self, Access, ManageMembers, ReadMembers, ReadWorkspace},
};
use entity::{member, user, workspace};
use events::Change;
use kernel::{clock, error::Field, id::*, role::Role};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, SqlErr, sea_query::LockType,
};
use std::collections::HashMap;

/// Somebody to be added: an account that exists, by its id or its address.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// The account's id.
    pub user: Option<UserId>,
    /// The account's address.
    pub email: Option<String>,
    /// As what.
    pub role: Role,
}

/// The members of a workspace, oldest first, with their accounts.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, access: &Access<ReadMembers>) -> Result<Vec<(member::Model, user::Model)>, DbErr> {
    let members = member::Entity::find()
        .filter(member::Column::WorkspaceId.eq(access.workspace()))
        .order_by_asc(member::Column::CreatedAt)
        .order_by_asc(member::Column::UserId)
        .all(db)
        .await?;
    let ids: Vec<UserId> = members.iter().map(|member| member.user_id).collect();
    let mut users: HashMap<UserId, user::Model> = HashMap::new();
    for some in ids.chunks(500) {
        let rows = user::Entity::find()
            .filter(user::Column::Id.is_in(some.iter().copied()))
            .all(db)
            .await?;
        users.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(members
        .into_iter()
        .filter_map(|member| users.remove(&member.user_id).map(|user| (member, user)))
        .collect())
}

/// One member with their account.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, access: &Access<ReadMembers>, user: UserId) -> Result<(member::Model, user::Model), Error> {
    let member = member::Entity::find_by_id((access.workspace(), user))
        .one(db)
        .await?
        .ok_or(Error::NotFound)?;
    let user = user::Entity::find_by_id(user).one(db).await?.ok_or(Error::NotFound)?;
    Ok((member, user))
}

/// Adds an existing account to the workspace.
///
/// # Errors
/// [`Error::UserNotFound`], [`Error::AlreadyMember`], [`Error::RoleTooHigh`].
pub async fn add(tx: &DatabaseTransaction, access: &Access<ManageMembers>, new: NewMember) -> Result<(member::Model, user::Model), Error> {
    let role = role_under_lock(tx, access).await?;
    if !role.may_assign(new.role) {
        return Err(Error::RoleTooHigh);
    }
    let accounts = user::Entity::find().filter(user::Column::DeletedAt.is_null());
    let accounts = match (new.user, &new.email) {
        (Some(id), None) => accounts.filter(user::Column::Id.eq(id)),
        (None, Some(email)) => accounts.filter(user::Column::Email.eq(email.trim().to_lowercase())),
        _ => {
            return Err(Error::Invalid(vec![Field::new(
                "/email",
                "required",
                "name the user by email or by user_id, not both",
            )]));
        }
    };
    let account = accounts.one(tx).await?.ok_or(Error::UserNotFound)?;
    let row = member::Model {
        workspace_id: access.workspace(),
        user_id: account.id,
        role: new.role,
        created_at: clock::now(),
    };
    member::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await
        .map_err(already)?;
    events::append(
        tx,
        access.by(),
        Change::MemberAdded {
            member: account.id,
            role: new.role,
        },
    )
    .await?;
    Ok((row, account))
}

fn already(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::AlreadyMember,
        _ => Error::Db(error),
    }
}

/// Makes sure that nobody else changes members of this workspace until the transaction ends: who the last owner is can
/// only be asked then. SQLite has one writer anyway. On PostgreSQL the lock is one that lets others make pages.
async fn lock(tx: &DatabaseTransaction, workspace: WorkspaceId) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        workspace::Entity::find_by_id(workspace).lock(LockType::NoKeyUpdate).one(tx).await?;
    }
    Ok(())
}

/// The caller's role now that nobody can change it: they may have lost it since they passed the door.
async fn role_under_lock(tx: &DatabaseTransaction, access: &Access<ManageMembers>) -> Result<Role, Error> {
    lock(tx, access.workspace()).await?;
    access::role_in(tx, access.user(), access.workspace()).await?.ok_or(Error::NotFound)
}

async fn keep_an_owner(tx: &DatabaseTransaction, leaving: &member::Model) -> Result<(), Error> {
    if leaving.role != Role::Owner {
        return Ok(());
    }
    let owners = member::Entity::find()
        .filter(member::Column::WorkspaceId.eq(leaving.workspace_id))
        .filter(member::Column::Role.eq(Role::Owner))
        .count(tx)
        .await?;
    if owners > 1 { Ok(()) } else { Err(Error::LastOwner) }
}

/// The member that the caller wants to change, and the caller's role.
async fn target(tx: &DatabaseTransaction, access: &Access<ManageMembers>, user: UserId) -> Result<(member::Model, Role), Error> {
    let role = role_under_lock(tx, access).await?;
    let member = member::Entity::find_by_id((access.workspace(), user))
        .one(tx)
        .await?
        .ok_or(Error::NotFound)?;
    if role.may_assign(member.role) {
        Ok((member, role))
    } else {
        Err(Error::RoleTooHigh)
    }
}

/// Gives a member another role.
///
/// # Errors
/// [`Error::NotFound`], [`Error::RoleTooHigh`], [`Error::LastOwner`].
pub async fn change_role(tx: &DatabaseTransaction, access: &Access<ManageMembers>, user: UserId, to: Role) -> Result<member::Model, Error> {
    let (member, role) = target(tx, access, user).await?;
    if !role.may_assign(to) {
        return Err(Error::RoleTooHigh);
    }
    if to == member.role {
        return Ok(member);
    }
    keep_an_owner(tx, &member).await?;
    let from = member.role;
    let mut row = member.into_active_model();
    row.role = Set(to);
    let row = row.update(tx).await?;
    events::append(tx, access.by(), Change::MemberRoleChanged { member: user, from, to }).await?;
    Ok(row)
}

/// Removes a member.
///
/// # Errors
/// [`Error::NotFound`], [`Error::RoleTooHigh`], [`Error::LastOwner`].
pub async fn remove(tx: &DatabaseTransaction, access: &Access<ManageMembers>, user: UserId) -> Result<(), Error> {
    let (member, _) = target(tx, access, user).await?;
    keep_an_owner(tx, &member).await?;
    delete(tx, access.by(), member).await
}

/// Leaves the workspace.
///
/// # Errors
/// [`Error::LastOwner`].
pub async fn leave(tx: &DatabaseTransaction, access: &Access<ReadWorkspace>) -> Result<(), Error> {
    lock(tx, access.workspace()).await?;
    let member = member::Entity::find_by_id((access.workspace(), access.user()))
        .one(tx)
        .await?
        .ok_or(Error::NotFound)?;
    keep_an_owner(tx, &member).await?;
    delete(tx, access.by(), member).await
}

async fn delete(tx: &DatabaseTransaction, by: events::By, member: member::Model) -> Result<(), Error> {
    let user = member.user_id;
    member::Entity::delete_by_id((member.workspace_id, user)).exec(tx).await?;
    events::append(tx, by, Change::MemberRemoved { member: user }).await?;
    Ok(())
}
