//! Groups of members, to whom pages can be granted at once. Who leaves the workspace leaves its groups.

use crate::{
    Error,
    access::{Access, ManageMembers, ReadMembers},
    hold,
};
use entity::{group, group_member, member, user};
use events::Change;
use kernel::{clock, error::Field, id::*};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, SqlErr, sea_query::OnConflict,
};
use std::collections::HashMap;

/// The longest name, in characters.
const MAX_NAME: usize = 80;
/// Groups of a workspace.
const MAX_GROUPS: u64 = 500;
/// Members of a group.
const MAX_MEMBERS: u64 = 1_000;

fn parse_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if !(1..=MAX_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        let detail = format!("takes 1 to {MAX_NAME} characters, without line breaks");
        return Err(Error::Invalid(vec![Field::new("/name", "invalid", detail)]));
    }
    Ok(name.to_owned())
}

fn taken(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::NameTaken,
        _ => Error::Db(error),
    }
}

/// The groups of a workspace by name, each with how many belong to it.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, access: &Access<ReadMembers>) -> Result<Vec<(group::Model, u64)>, DbErr> {
    let groups = group::Entity::find()
        .filter(group::Column::WorkspaceId.eq(access.workspace()))
        .order_by_asc(group::Column::Name)
        .order_by_asc(group::Column::Id)
        .all(db)
        .await?;
    let counts: Vec<(GroupId, i64)> = group_member::Entity::find()
        .select_only()
        .column(group_member::Column::GroupId)
        .column_as(group_member::Column::UserId.count(), "members")
        .filter(group_member::Column::WorkspaceId.eq(access.workspace()))
        .group_by(group_member::Column::GroupId)
        .into_tuple()
        .all(db)
        .await?;
    let counts: HashMap<GroupId, i64> = counts.into_iter().collect();
    let count = |id: GroupId| counts.get(&id).and_then(|count| u64::try_from(*count).ok()).unwrap_or(0);
    Ok(groups.into_iter().map(|row| (row.clone(), count(row.id))).collect())
}

/// A group of the workspace; one of another workspace is none.
async fn of(db: &impl ConnectionTrait, workspace: WorkspaceId, id: GroupId) -> Result<group::Model, Error> {
    group::Entity::find_by_id(id)
        .filter(group::Column::WorkspaceId.eq(workspace))
        .one(db)
        .await?
        .ok_or(Error::NotFound)
}

/// A group and who belongs to it, by name.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(db: &impl ConnectionTrait, access: &Access<ReadMembers>, id: GroupId) -> Result<(group::Model, Vec<user::Model>), Error> {
    let group = of(db, access.workspace(), id).await?;
    let inside = group_member::Entity::find()
        .select_only()
        .column(group_member::Column::UserId)
        .filter(group_member::Column::GroupId.eq(id))
        .into_query();
    let people = user::Entity::find()
        .filter(user::Column::Id.in_subquery(inside))
        .order_by_asc(user::Column::DisplayName)
        .order_by_asc(user::Column::Id)
        .all(db)
        .await?;
    Ok((group, people))
}

/// Makes a group.
///
/// # Errors
/// [`Error::Invalid`], [`Error::NameTaken`], [`Error::TooMany`].
pub async fn create(tx: &DatabaseTransaction, access: &Access<ManageMembers>, name: &str) -> Result<group::Model, Error> {
    hold::open(tx, access.workspace()).await?;
    let (name, now) = (parse_name(name)?, clock::now());
    let groups = group::Entity::find().filter(group::Column::WorkspaceId.eq(access.workspace()));
    if groups.count(tx).await? >= MAX_GROUPS {
        return Err(Error::TooMany("groups"));
    }
    let row = group::Model {
        id: GroupId::new(),
        workspace_id: access.workspace(),
        name,
        created_by: access.user(),
        created_at: now,
        updated_at: now,
    };
    group::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await
        .map_err(taken)?;
    events::append(tx, access.by(), Change::GroupCreated { group: row.id }).await?;
    Ok(row)
}

/// Gives a group another name.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`], [`Error::NameTaken`].
pub async fn rename(tx: &DatabaseTransaction, access: &Access<ManageMembers>, id: GroupId, name: &str) -> Result<group::Model, Error> {
    hold::open(tx, access.workspace()).await?;
    let (row, name) = (of(tx, access.workspace(), id).await?, parse_name(name)?);
    if row.name == name {
        return Ok(row);
    }
    let mut row = row.into_active_model();
    row.name = Set(name);
    row.updated_at = Set(clock::now());
    let row = row.update(tx).await.map_err(taken)?;
    events::append(tx, access.by(), Change::GroupUpdated { group: id }).await?;
    Ok(row)
}

/// Removes a group, with what it was granted.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(tx: &DatabaseTransaction, access: &Access<ManageMembers>, id: GroupId) -> Result<(), Error> {
    hold::open(tx, access.workspace()).await?;
    of(tx, access.workspace(), id).await?;
    group::Entity::delete_by_id(id).exec(tx).await?;
    events::append(tx, access.by(), Change::GroupDeleted { group: id }).await?;
    Ok(())
}

/// Takes a member into a group. Who is in it already stays.
///
/// # Errors
/// [`Error::NotFound`] for a group of another workspace and for whoever is no member of this one, [`Error::TooMany`].
pub async fn add_member(tx: &DatabaseTransaction, access: &Access<ManageMembers>, id: GroupId, user: UserId) -> Result<(), Error> {
    hold::open(tx, access.workspace()).await?;
    of(tx, access.workspace(), id).await?;
    let member = member::Entity::find_by_id((access.workspace(), user)).one(tx).await?;
    member.ok_or(Error::NotFound)?;
    let inside = group_member::Entity::find().filter(group_member::Column::GroupId.eq(id));
    if inside.count(tx).await? >= MAX_MEMBERS {
        return Err(Error::TooMany("members in this group"));
    }
    let row = group_member::Model {
        group_id: id,
        user_id: user,
        workspace_id: access.workspace(),
        created_at: clock::now(),
    };
    let same = [group_member::Column::GroupId, group_member::Column::UserId];
    let added = group_member::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::columns(same).do_nothing().to_owned())
        .exec_without_returning(tx)
        .await?;
    if added > 0 {
        events::append(tx, access.by(), Change::GroupMemberAdded { group: id, member: user }).await?;
    }
    Ok(())
}

/// Takes somebody out of a group. Who is not in it is no error.
///
/// # Errors
/// [`Error::NotFound`] for a group of another workspace.
pub async fn remove_member(tx: &DatabaseTransaction, access: &Access<ManageMembers>, id: GroupId, user: UserId) -> Result<(), Error> {
    hold::open(tx, access.workspace()).await?;
    of(tx, access.workspace(), id).await?;
    let removed = group_member::Entity::delete_by_id((id, user)).exec(tx).await?;
    if removed.rows_affected > 0 {
        events::append(tx, access.by(), Change::GroupMemberRemoved { group: id, member: user }).await?;
    }
    Ok(())
}
