//! People who share a workspace: they may know of each other.

use crate::access::Who;
use entity::{member, workspace};
use kernel::{id::*, role::Role};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

/// The highest role that somebody has in the living workspaces that they share with another person; none when they share
/// none, and so are strangers.
///
/// # Errors
/// Only the database's.
pub async fn highest_role_beside(db: &impl ConnectionTrait, who: impl Into<Who>, other: UserId) -> Result<Option<Role>, DbErr> {
    let who = who.into();
    let living = workspace::Entity::find()
        .select_only()
        .column(workspace::Column::Id)
        .filter(workspace::Column::DeletedAt.is_null())
        .into_query();
    let theirs = member::Entity::find()
        .select_only()
        .column(member::Column::WorkspaceId)
        .filter(member::Column::UserId.eq(other))
        .into_query();
    let shared = member::Entity::find()
        .filter(member::Column::UserId.eq(who.user()))
        .filter(member::Column::WorkspaceId.in_subquery(theirs))
        .filter(member::Column::WorkspaceId.in_subquery(living))
        .all(db)
        .await?;
    let shared = shared.into_iter().filter(|member| who.enters(member.workspace_id));
    Ok(shared.map(|member| member.role).max())
}
