//! People who close their accounts: what they would leave behind without an owner, and the end of their memberships.

use crate::Error;
use entity::{access_request, invitation, member, report_subscription, workspace};
use events::{By, Change};
use kernel::{clock, id::*, role::Role};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, LockType},
};
use std::collections::HashMap;

/// The living workspaces that would be left to other members without an owner if somebody went away.
///
/// # Errors
/// Only the database's.
pub async fn holding(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<workspace::Model>, DbErr> {
    let owned = member::Entity::find()
        .select_only()
        .column(member::Column::WorkspaceId)
        .filter(member::Column::UserId.eq(user))
        .filter(member::Column::Role.eq(Role::Owner))
        .into_query();
    let others = member::Entity::find()
        .filter(member::Column::WorkspaceId.in_subquery(owned))
        .filter(member::Column::UserId.ne(user))
        .all(db)
        .await?;
    let mut has_heir: HashMap<WorkspaceId, bool> = HashMap::new();
    for other in others {
        *has_heir.entry(other.workspace_id).or_default() |= other.role == Role::Owner;
    }
    let held = has_heir.into_iter().filter(|(_, has_heir)| !has_heir).map(|(id, _)| id);
    workspace::Entity::find()
        .filter(workspace::Column::Id.is_in(held))
        .filter(workspace::Column::DeletedAt.is_null())
        .order_by_asc(workspace::Column::Id)
        .all(db)
        .await
}

/// Ends every membership of somebody whose account is erased. A workspace that was theirs alone goes to the trash; one
/// that others came into meanwhile is handed on to who has the most say there, and of those to who has been there longest.
///
/// # Errors
/// Only the database's.
pub async fn depart(tx: &DatabaseTransaction, user: UserId) -> Result<(), Error> {
    report_subscription::Entity::delete_many()
        .filter(report_subscription::Column::UserId.eq(user))
        .exec(tx)
        .await?;
    access_request::Entity::delete_many()
        .filter(access_request::Column::UserId.eq(user))
        .exec(tx)
        .await?;
    // They say which address it was.
    invitation::Entity::delete_many()
        .filter(invitation::Column::AcceptedBy.eq(user))
        .exec(tx)
        .await?;
    let memberships = member::Entity::find()
        .filter(member::Column::UserId.eq(user))
        .order_by_asc(member::Column::WorkspaceId)
        .all(tx)
        .await?;
    for membership in memberships {
        lock(tx, membership.workspace_id).await?;
        let by = By {
            workspace: Some(membership.workspace_id),
            user: Some(user),
        };
        if membership.role == Role::Owner {
            hand_on(tx, by, user, membership.workspace_id).await?;
        }
        member::Entity::delete_by_id((membership.workspace_id, user)).exec(tx).await?;
        events::append(tx, by, Change::MemberRemoved { member: user }).await?;
    }
    Ok(())
}

/// Makes sure that nobody else changes members of a workspace until the transaction ends. SQLite has one writer anyway.
async fn lock(tx: &DatabaseTransaction, workspace: WorkspaceId) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        workspace::Entity::find_by_id(workspace).lock(LockType::NoKeyUpdate).one(tx).await?;
    }
    Ok(())
}

async fn hand_on(tx: &DatabaseTransaction, by: By, user: UserId, id: WorkspaceId) -> Result<(), Error> {
    let mut others = member::Entity::find()
        .filter(member::Column::WorkspaceId.eq(id))
        .filter(member::Column::UserId.ne(user))
        .order_by_asc(member::Column::CreatedAt)
        .order_by_asc(member::Column::UserId)
        .all(tx)
        .await?;
    // Stable: of equals the first stays first.
    others.sort_by_key(|other| std::cmp::Reverse(other.role));
    let Some(heir) = others.into_iter().next() else {
        return trash(tx, by, id).await;
    };
    if heir.role == Role::Owner {
        return Ok(());
    }
    member::Entity::update_many()
        .col_expr(member::Column::Role, Expr::value(Role::Owner))
        .filter(member::Column::WorkspaceId.eq(id))
        .filter(member::Column::UserId.eq(heir.user_id))
        .exec(tx)
        .await?;
    let change = Change::OwnershipTransferred {
        member: heir.user_id,
        from: user,
    };
    events::append(tx, by, change).await?;
    Ok(())
}

async fn trash(tx: &DatabaseTransaction, by: By, id: WorkspaceId) -> Result<(), Error> {
    let trashed = workspace::Entity::update_many()
        .col_expr(workspace::Column::DeletedAt, Expr::value(Some(clock::now())))
        .filter(workspace::Column::Id.eq(id))
        .filter(workspace::Column::DeletedAt.is_null())
        .exec(tx)
        .await?;
    if trashed.rows_affected > 0 {
        events::append(tx, by, Change::WorkspaceDeleted { workspace: id }).await?;
    }
    Ok(())
}
