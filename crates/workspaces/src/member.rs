//! Members: added, given another role, removed. A workspace always keeps an owner.

use crate::{
    Error,
    access::{self, Access, Allows, ManageMembers, ReadMembers, ReadWorkspace},
    acquaintance::highest_role_beside,
    hold, people,
    quota::{self, Quotas},
};
use entity::{member, user};
use events::{By, Change};
use kernel::{
    clock::{self, Time},
    error::Field,
    id::*,
    role::Role,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, SqlErr, sea_query::ExprTrait,
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

/// Which members, and which page of results of them.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Whose name begins like this; admins may ask for an address too.
    pub word: Option<String>,
    /// Behind whoever came then.
    pub after: Option<(Time, UserId)>,
    /// How many at most.
    pub limit: u64,
}

/// The members of a workspace, oldest first, with their accounts.
///
/// # Errors
/// Only the database's.
pub async fn list(
    db: &impl ConnectionTrait,
    access: &Access<ReadMembers>,
    wanted: &Wanted,
) -> Result<Vec<(member::Model, user::Model)>, DbErr> {
    let mut members = member::Entity::find().filter(member::Column::WorkspaceId.eq(access.workspace()));
    if let Some(word) = &wanted.word {
        let mut found = people::is_named(word);
        if access.role() >= ManageMembers::ROLE {
            found = found.add(people::has_address(word));
        }
        let found = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(found)
            .into_query();
        members = members.filter(member::Column::UserId.in_subquery(found));
    }
    if let Some((at, user)) = wanted.after {
        let same = member::Column::CreatedAt.eq(at).and(member::Column::UserId.gt(user));
        members = members.filter(member::Column::CreatedAt.gt(at).or(same));
    }
    let members = members
        .order_by_asc(member::Column::CreatedAt)
        .order_by_asc(member::Column::UserId)
        .limit(wanted.limit)
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
/// [`Error::UserNotFound`], [`Error::AlreadyMember`], [`Error::RoleTooHigh`], [`Error::QuotaExceeded`].
pub async fn add(
    tx: &DatabaseTransaction,
    access: &Access<ManageMembers>,
    new: NewMember,
    quotas: &Quotas,
) -> Result<(member::Model, user::Model), Error> {
    let role = role_under_lock(tx, access).await?;
    if !role.may_assign(new.role) {
        return Err(Error::RoleTooHigh);
    }
    let accounts = user::Entity::find().filter(user::Column::DeletedAt.is_null());
    let accounts = match (new.user, &new.email) {
        // An id is known to many; whoever may see the address of the person may add them by it, nobody else.
        (Some(id), None) if highest_role_beside(tx, access.who(), id).await? >= Some(Role::Admin) => {
            accounts.filter(user::Column::Id.eq(id))
        }
        (Some(_), None) => return Err(Error::UserNotFound),
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
    let row = join(tx, access.by(), account.id, new.role, quotas).await?;
    Ok((row, account))
}

/// Makes somebody a member of a workspace that is held.
pub(crate) async fn join(tx: &DatabaseTransaction, by: By, user: UserId, role: Role, quotas: &Quotas) -> Result<member::Model, Error> {
    let workspace = by.workspace.ok_or(Error::NotFound)?;
    if member::Entity::find_by_id((workspace, user)).one(tx).await?.is_some() {
        return Err(Error::AlreadyMember);
    }
    quota::check_member(tx, workspace, role, quotas).await?;
    let row = member::Model {
        workspace_id: workspace,
        user_id: user,
        role,
        created_at: clock::now(),
    };
    member::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await
        .map_err(already)?;
    events::append(tx, by, Change::MemberAdded { member: user, role }).await?;
    Ok(row)
}

fn already(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::AlreadyMember,
        _ => Error::Db(error),
    }
}

/// The caller's role now that nobody can change it: they may have lost it since they passed the door.
pub(crate) async fn role_under_lock<P>(tx: &DatabaseTransaction, access: &Access<P>) -> Result<Role, Error> {
    hold::lock(tx, access.workspace()).await?;
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
/// [`Error::NotFound`], [`Error::RoleTooHigh`], [`Error::LastOwner`], [`Error::QuotaExceeded`] for a guest who shall be more.
pub async fn change_role(
    tx: &DatabaseTransaction,
    access: &Access<ManageMembers>,
    user: UserId,
    to: Role,
    quotas: &Quotas,
) -> Result<member::Model, Error> {
    let (member, role) = target(tx, access, user).await?;
    if !role.may_assign(to) {
        return Err(Error::RoleTooHigh);
    }
    if to == member.role {
        return Ok(member);
    }
    keep_an_owner(tx, &member).await?;
    let from = member.role;
    if from == Role::Guest {
        quota::check_member(tx, access.workspace(), to, quotas).await?;
    }
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
    hold::lock(tx, access.workspace()).await?;
    let member = member::Entity::find_by_id((access.workspace(), access.user()))
        .one(tx)
        .await?
        .ok_or(Error::NotFound)?;
    keep_an_owner(tx, &member).await?;
    delete(tx, access.by(), member).await
}

async fn delete(tx: &DatabaseTransaction, by: By, member: member::Model) -> Result<(), Error> {
    let user = member.user_id;
    member::Entity::delete_by_id((member.workspace_id, user)).exec(tx).await?;
    events::append(tx, by, Change::MemberRemoved { member: user }).await?;
    Ok(())
}

/// Keeps everybody else from changing the workspace or its members until the transaction ends, so that of two who saw the
/// same only one changes it.
///
/// # Errors
/// Only the database's.
pub async fn hold<P>(tx: &DatabaseTransaction, access: &Access<P>) -> Result<(), DbErr> {
    hold::lock(tx, access.workspace()).await.map(drop)
}
