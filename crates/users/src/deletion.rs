//! Closing an account: it goes on for some days, in which signing in or saying so keeps it, and is then erased. What its
//! owner wrote stays, by "Deleted user".

use crate::{Accounts, Caller, Error, profile};
use entity::{
    account_deletion, account_export, administrator, api_key, avatar, identity, mfa_challenge, recovery_code, refresh_token, session,
    socket_ticket, totp_factor, user, user_token,
};
use events::Change;
use kernel::{
    clock::{self, Time},
    id::*,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, sea_query::Expr,
};

/// What an erased account is called.
pub const NOBODY: &str = "Deleted user";

/// When somebody's account will be erased, if they closed it.
///
/// # Errors
/// Only the database's.
pub async fn pending(db: &impl ConnectionTrait, user: UserId) -> Result<Option<account_deletion::Model>, DbErr> {
    account_deletion::Entity::find_by_id(user).one(db).await
}

/// Closes the caller's account: it is erased when its grace has passed. Every other login of theirs ends, and their keys
/// are refused meanwhile. Closing it again changes nothing. Call [`Accounts::forget_standings`] when it is committed.
///
/// # Errors
/// [`Error::FreshLoginRequired`] for who comes with a key.
pub async fn schedule(accounts: &Accounts, tx: &impl ConnectionTrait, caller: &Caller) -> Result<account_deletion::Model, Error> {
    let login = caller.session().ok_or(Error::FreshLoginRequired)?;
    if let Some(already) = pending(tx, caller.user).await? {
        return Ok(already);
    }
    let now = clock::now();
    let row = account_deletion::Model {
        user_id: caller.user,
        requested_at: now,
        due_at: now + accounts.settings().deletion_grace,
    };
    account_deletion::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await?;
    session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(Some(now)))
        .filter(session::Column::UserId.eq(caller.user))
        .filter(session::Column::Id.ne(login))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    socket_ticket::Entity::delete_many()
        .filter(socket_ticket::Column::UserId.eq(caller.user))
        .exec(tx)
        .await?;
    events::append(tx, profile::of(caller.user), Change::UserClosed { user: caller.user }).await?;
    Ok(row)
}

/// Keeps an account that was closed. Gives whether it was.
///
/// # Errors
/// Only the database's.
pub async fn keep(tx: &impl ConnectionTrait, user: UserId) -> Result<bool, DbErr> {
    let kept = account_deletion::Entity::delete_by_id(user).exec(tx).await?;
    if kept.rows_affected == 0 {
        return Ok(false);
    }
    events::append(tx, profile::of(user), Change::UserReopened { user }).await?;
    Ok(true)
}

/// Accounts whose grace has passed, the longest ago first.
///
/// # Errors
/// Only the database's.
pub async fn due(db: &impl ConnectionTrait, now: Time, limit: u64) -> Result<Vec<account_deletion::Model>, DbErr> {
    account_deletion::Entity::find()
        .filter(account_deletion::Column::DueAt.lte(now))
        .order_by_asc(account_deletion::Column::DueAt)
        .limit(limit)
        .all(db)
        .await
}

/// Takes an account whose grace has passed, to be erased in this transaction: from then on nobody can keep it. Gives
/// whether it still is to be erased.
///
/// # Errors
/// Only the database's.
pub async fn take(tx: &impl ConnectionTrait, user: UserId) -> Result<bool, DbErr> {
    let taken = account_deletion::Entity::delete_many()
        .filter(account_deletion::Column::UserId.eq(user))
        .filter(account_deletion::Column::DueAt.lte(clock::now()))
        .exec(tx)
        .await?;
    Ok(taken.rows_affected > 0)
}

/// Erases an account: whatever opens it or tells who it was goes, its address is free again. Memberships are the
/// workspaces' to end, before this.
///
/// # Errors
/// Only the database's.
pub async fn erase(tx: &impl ConnectionTrait, id: UserId) -> Result<(), DbErr> {
    forget_logins(tx, id).await?;
    forget_proofs(tx, id).await?;
    avatar::Entity::delete_by_id(id).exec(tx).await?;
    account_export::Entity::delete_by_id(id).exec(tx).await?;
    administrator::Entity::delete_by_id(id).exec(tx).await?;
    let now = clock::now();
    user::ActiveModel {
        id: Set(id),
        // In a domain that no mail can reach (RFC 2606), and different for each: addresses are unique.
        email: Set(format!("{id}@deleted.invalid")),
        display_name: Set(NOBODY.to_owned()),
        email_verified_at: Set(None),
        time_zone: Set(None),
        password_hash: Set(String::new()),
        updated_at: Set(now),
        deleted_at: Set(Some(now)),
        ..Default::default()
    }
    .update(tx)
    .await?;
    events::append(tx, profile::of(id), Change::UserErased { user: id }).await?;
    Ok(())
}

async fn forget_logins(tx: &impl ConnectionTrait, id: UserId) -> Result<(), DbErr> {
    let of_user = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::UserId.eq(id))
        .into_query();
    refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::SessionId.in_subquery(of_user))
        .exec(tx)
        .await?;
    session::Entity::delete_many()
        .filter(session::Column::UserId.eq(id))
        .exec(tx)
        .await?;
    socket_ticket::Entity::delete_many()
        .filter(socket_ticket::Column::UserId.eq(id))
        .exec(tx)
        .await?;
    api_key::Entity::delete_many()
        .filter(api_key::Column::UserId.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

async fn forget_proofs(tx: &impl ConnectionTrait, id: UserId) -> Result<(), DbErr> {
    identity::Entity::delete_many()
        .filter(identity::Column::UserId.eq(id))
        .exec(tx)
        .await?;
    user_token::Entity::delete_many()
        .filter(user_token::Column::UserId.eq(id))
        .exec(tx)
        .await?;
    totp_factor::Entity::delete_by_id(id).exec(tx).await?;
    recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::UserId.eq(id))
        .exec(tx)
        .await?;
    mfa_challenge::Entity::delete_many()
        .filter(mfa_challenge::Column::UserId.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}
